package irodsview

import "strings"

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
