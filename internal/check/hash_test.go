package check

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The sums of OMERO's server, as its own tests expect them.
func TestHashesAreOMEROs(t *testing.T) {
	repeated := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "fake%d", i)
		}
		return b.String()
	}
	for algorithm, want := range map[string][5]string{
		"Murmur3-128":  {"6778ad3f3f3f96b4522dca264174a23b", "00000000000000000000000000000000", "2a9db2bec362cb22bf016c06722b24d7", "2858bd6075ed06228c0ba4ba75ae8ef9", "7535f4b378b3aec8dc3f4cffdc44ba6e"},
		"Murmur3-32":   {"fa93ddb3", "00000000", "f87d658b", "1c9036cf", "f9c16f3b"},
		"CRC-32":       {"c2412435", "00000000", "ef618578", "b063fbf0", "1d3e3cb6"},
		"Adler-32":     {"27014d02", "01000000", "f4110fcc", "21c664bf", "ed88e87d"},
		"File-Size-64": {"0300000000000000", "0000000000000000", "3200000000000000", "4e02000000000000", "ea1a000000000000"},
		"MD5-128":      {"900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"},
		"SHA1-160":     {"a9993e364706816aba3e25717850c26c9cd0d89d", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	} {
		for i, text := range []string{"abc", "", repeated(10), repeated(100), repeated(1000)} {
			if want[i] == "" {
				continue
			}
			for _, step := range []int{1, 3, 7, 16, 17, 10000} {
				s := newSummer([]string{algorithm})
				for part := range slices.Chunk([]byte(text), step) {
					if _, err := s.Write(part); err != nil {
						t.Fatal(err)
					}
				}
				got := s.sums()[algorithm]
				if !sameSum(algorithm, got, want[i]) {
					t.Errorf("%s of %d bytes in steps of %d: got %x, want %s", algorithm, len(text), step, got, want[i])
				}
				if sameSum(algorithm, got, hex.EncodeToString(append([]byte{got[0] ^ 1}, got[1:]...))) || sameSum(algorithm, got, "") || sameSum(algorithm, got, "x") {
					t.Errorf("%s: another sum is taken for %x", algorithm, got)
				}
			}
		}
	}
	// Other versions of the server write numbers from the highest digit.
	for algorithm, want := range map[string]string{"CRC-32": "352441c2", "Adler-32": "024d0127", "File-Size-64": "0000000000000003"} {
		s := newSummer([]string{algorithm})
		if _, err := s.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		if !sameSum(algorithm, s.sums()[algorithm], want) {
			t.Errorf("%s: %s is not taken", algorithm, want)
		}
	}
}
