package irodsview

import (
	"slices"
	"strings"
	"time"
)

// Writing tells how many bytes programs have written of the files below a
// collection that are not there yet, by path; a file that is written under a
// temporary name has that one.
func (v *View) Writing(collection string) map[string]int64 {
	out := map[string]int64{}
	for _, d := range v.drafts.all() {
		p := d.node.path()
		if !strings.HasPrefix(p, collection+"/") {
			continue
		}
		d.mu.Lock()
		if !d.dead && !d.gone {
			out[p] += d.size
		}
		d.mu.Unlock()
	}
	return out
}

// Unfinished is a file that a program is writing.
type Unfinished struct {
	Path  string
	Bytes int64
	Since time.Time
}

// Unfinished lists the files that a Unix user's programs are writing and whose
// names end with suffix.
func (v *View) Unfinished(uid uint32, suffix string) []Unfinished {
	var out []Unfinished
	for _, d := range v.drafts.all() {
		p := d.node.path()
		if d.caller.UID != uid || !strings.HasSuffix(p, suffix) {
			continue
		}
		d.mu.Lock()
		if !d.dead && !d.gone && (!d.exists || d.dirty) {
			out = append(out, Unfinished{p, d.size, d.born})
		}
		d.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b Unfinished) int { return b.Since.Compare(a.Since) })
	return out
}
