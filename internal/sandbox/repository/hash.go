package repository

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// DefaultAlgorithm is the checksum algorithm of choice.
const DefaultAlgorithm = "SHA1-160"

// Algorithms are the checksum algorithms of the server, the preferred first.
func Algorithms() []string {
	return []string{DefaultAlgorithm, "MD5-128", "CRC-32", "Adler-32", "File-Size-64"}
}

// newHash returns a hash of that name, nil for an unknown one.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case DefaultAlgorithm:
		return sha1.New()
	case "MD5-128":
		return md5.New()
	case "CRC-32":
		return crc32.NewIEEE()
	case "Adler-32":
		return adler32.New()
	case "File-Size-64":
		return new(sizeHash)
	}
	return nil
}

// sizeHash counts bytes.
type sizeHash struct{ n uint64 }

func (s *sizeHash) Write(p []byte) (int, error) {
	s.n += uint64(len(p))
	return len(p), nil
}
func (s *sizeHash) Sum(b []byte) []byte { return binary.BigEndian.AppendUint64(b, s.n) }
func (s *sizeHash) Reset()              { s.n = 0 }
func (s *sizeHash) Size() int           { return 8 }
func (s *sizeHash) BlockSize() int      { return 1 }

// sumOf returns the checksum of all that r holds, in lower-case hex; "" for an
// unknown algorithm.
func sumOf(algorithm string, r io.Reader) (string, error) {
	h := newHash(algorithm)
	if h == nil {
		return "", nil
	}
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
