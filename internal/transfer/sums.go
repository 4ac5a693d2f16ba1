package transfer

import (
	"crypto/sha1" // OMERO's own checksum of original files
	"crypto/sha256"
	"hash"
)

// Sums computes, in one pass over a file's bytes in order, the checksums that
// the two systems know it by.
type Sums struct {
	sha1   hash.Hash // nil when it is not wanted
	sha256 hash.Hash
	size   int64
	tar    tarScan
}

// NewSums returns sums of nothing yet.
func NewSums() *Sums {
	return &Sums{sha1: sha1.New(), sha256: sha256.New()}
}

// NewSumsWithoutSHA1 is NewSums without SHA-1, which is as expensive as the rest.
func NewSumsWithoutSHA1() *Sums { return &Sums{sha256: sha256.New()} }

// Write adds the next bytes; it never fails.
func (s *Sums) Write(p []byte) (int, error) {
	if s.sha1 != nil {
		s.sha1.Write(p)
	}
	s.sha256.Write(p)
	s.tar.write(p)
	s.size += int64(len(p))
	return len(p), nil
}

// Size is the number of bytes seen.
func (s *Sums) Size() int64 { return s.size }

// SHA1 returns the 20 bytes of the SHA-1 sum so far, nil without one.
func (s *Sums) SHA1() []byte {
	if s.sha1 == nil {
		return nil
	}
	return s.sha1.Sum(nil)
}

// SHA256 returns the 32 bytes of the SHA-256 sum so far.
func (s *Sums) SHA256() []byte { return s.sha256.Sum(nil) }

// Tar returns what the bytes so far are as a tar that begins with a
// transfer.xml, nil when they are something else.
func (s *Sums) Tar() *TarContent {
	if !s.tar.begun {
		return nil
	}
	c := s.tar.content
	return &c
}
