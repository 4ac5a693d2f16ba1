package check

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"omerods/internal/pack"
)

// algorithms are the kinds of sums that OMERO has, by its names for them.
var algorithms = map[string]func() hash.Hash{
	pack.SHA1:      sha1.New,
	"MD5-128":      md5.New,
	"CRC-32":       func() hash.Hash { return crc32.NewIEEE() },
	"Adler-32":     func() hash.Hash { return adler32.New() },
	"Murmur3-32":   func() hash.Hash { return new(murmur32) },
	"Murmur3-128":  func() hash.Hash { return new(murmur128) },
	"File-Size-64": func() hash.Hash { return new(sizeHash) },
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

// sums are the sums of one file, by algorithm.
type sums map[string][]byte

// summer computes some sums at once.
type summer struct {
	io.Writer
	hashes map[string]hash.Hash
}

// newSummer computes the sums of those algorithms that are known.
func newSummer(names []string) *summer {
	s := &summer{hashes: make(map[string]hash.Hash, len(names))}
	var all []io.Writer
	for _, name := range names {
		if make := algorithms[name]; make != nil && s.hashes[name] == nil {
			h := make()
			s.hashes[name] = h
			all = append(all, h)
		}
	}
	s.Writer = io.MultiWriter(all...)
	return s
}

func (s *summer) sums() sums {
	out := make(sums, len(s.hashes))
	for name, h := range s.hashes {
		out[name] = h.Sum(nil)
	}
	return out
}

// sameSum says whether a sum is the one that is written as hex. Servers write
// the sums that are numbers from either end: those of OMERO 5.0.3 and later
// have turned the bytes that the versions before and some after leave as they
// are.
func sameSum(algorithm string, sum []byte, written string) bool {
	want, err := hex.DecodeString(strings.TrimSpace(written))
	if err != nil {
		return false
	}
	if slices.Equal(sum, want) {
		return true
	}
	switch algorithm {
	case "CRC-32", "Adler-32", "File-Size-64", "Murmur3-32":
		slices.Reverse(want)
		return slices.Equal(sum, want)
	}
	return false
}
