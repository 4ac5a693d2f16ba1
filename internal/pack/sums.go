package pack

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Sum is the SHA-1 of a file of a pack.
type Sum struct {
	Path string
	SHA1 string // 40 lower-case hex digits
}

// WriteSums writes a SHA1SUMS that "sha1sum -c" reads: first the sums given,
// which are those of the transfer.xml and of nested ones, then those files of
// the manifest whose hash is a SHA-1, in its order. Files with another hash, or
// none, are left out, as are those that were given already.
func WriteSums(w io.Writer, m *Manifest, given ...Sum) error {
	b := bufio.NewWriter(w)
	seen := make(map[string]bool, len(given))
	for _, s := range given {
		seen[s.Path] = true
		if !isSHA1(s.SHA1) {
			return fmt.Errorf("write %s: %w: %q is no SHA-1 of %q", SumsFile, ErrInvalid, clip(s.SHA1), clip(s.Path))
		}
		b.WriteString(sumLine(s))
	}
	if m != nil {
		for i := range m.Files {
			f := &m.Files[i]
			if f.Algorithm == SHA1 && isSHA1(f.Hash) && !seen[f.Path] {
				b.WriteString(sumLine(Sum{f.Path, f.Hash}))
			}
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", SumsFile, err)
	}
	return nil
}

// sumLine is the line of one file. A backslash before it says that the name is
// escaped.
func sumLine(s Sum) string {
	escaped := sumEscaper.Replace(s.Path)
	if escaped != s.Path {
		return `\` + s.SHA1 + "  " + escaped + "\n"
	}
	return s.SHA1 + "  " + s.Path + "\n"
}

var sumEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// ReadSums reads a SHA1SUMS as sha1sum writes it: a hash, two characters, a
// path. A line that begins with a backslash has its path escaped. It returns
// the lines before the first that is none.
func ReadSums(r io.Reader) ([]Sum, error) {
	var list []Sum
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<16)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		rest, escaped := strings.CutPrefix(line, `\`)
		if len(rest) < 43 || rest[40] != ' ' || !isSHA1(strings.ToLower(rest[:40])) {
			return list, fmt.Errorf("%w: line %d is not one of sha1sum", ErrInvalid, n)
		}
		p := rest[42:]
		if escaped {
			p = sumUnescaper.Replace(p)
		}
		list = append(list, Sum{Path: strings.TrimPrefix(p, "./"), SHA1: strings.ToLower(rest[:40])})
	}
	return list, lines.Err()
}

var sumUnescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
