package transfer

import (
	"fmt"
	"strings"
)

// parseSums reads the format of sha1sum: a hash, two characters, a path; a
// line that begins with a backslash has its path escaped.
func parseSums(text string) (map[string]string, error) {
	sums := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rest, escaped := strings.CutPrefix(line, `\`)
		if len(rest) < 43 || rest[40] != ' ' {
			return nil, fmt.Errorf("line %d is not one of sha1sum", n)
		}
		p := rest[42:]
		if escaped {
			p = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(p)
		}
		sums[strings.TrimPrefix(p, "./")] = strings.ToLower(rest[:40])
	}
	return sums, nil
}
