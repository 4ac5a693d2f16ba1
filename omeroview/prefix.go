package omeroview

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// prefixIndex finds the names whose beginning a pattern matches, in a folder
// of many thousand names.
type prefixIndex struct {
	names []string // sorted
	ids   []int64  // parallel to names
}

// newPrefixIndex makes an index of names with the same end behind each.
func newPrefixIndex(names map[int64]string, end string) *prefixIndex {
	x := &prefixIndex{names: make([]string, 0, len(names)), ids: make([]int64, 0, len(names))}
	for id := range names {
		x.ids = append(x.ids, id)
	}
	sort.Slice(x.ids, func(i, j int) bool {
		a, b := names[x.ids[i]]+end, names[x.ids[j]]+end
		if a != b {
			return a < b
		}
		return x.ids[i] < x.ids[j]
	})
	for _, id := range x.ids {
		x.names = append(x.names, names[id]+end)
	}
	return x
}

// matches returns the objects, other than self, whose name begins with the
// pattern, in the order of their ids.
func (x *prefixIndex) matches(pattern string, self int64) []int64 {
	var found []int64
	x.walk(pattern, 0, 0, len(x.names), func(i int) {
		if x.ids[i] != self {
			found = append(found, x.ids[i])
		}
	})
	sort.Slice(found, func(i, j int) bool { return found[i] < found[j] })
	return found
}

// walk narrows names[lo:hi], whose first at bytes matched already, down by the
// rest of the pattern.
func (x *prefixIndex) walk(pattern string, at, lo, hi int, hit func(int)) {
	for pattern != "" && lo < hi {
		wild := strings.IndexAny(pattern, "_%")
		switch {
		case wild != 0:
			literal := pattern
			if wild > 0 {
				literal = pattern[:wild]
			}
			lo, hi = x.narrow(literal, at, lo, hi)
			at += len(literal)
			pattern = pattern[len(literal):]
		case pattern[0] == '%':
			for i := lo; i < hi; i++ {
				if likePrefix(pattern, x.names[i][at:]) {
					hit(i)
				}
			}
			return
		default: // "_": each character that follows, one after the other
			for lo < hi {
				if len(x.names[lo]) <= at {
					lo++
					continue
				}
				_, n := utf8.DecodeRuneInString(x.names[lo][at:])
				_, end := x.narrow(x.names[lo][at:at+n], at, lo, hi)
				x.walk(pattern[1:], at+n, lo, end, hit)
				lo = end
			}
			return
		}
	}
	for i := lo; i < hi; i++ {
		hit(i)
	}
}

// narrow returns the part of names[lo:hi] that has literal at byte at.
func (x *prefixIndex) narrow(literal string, at, lo, hi int) (int, int) {
	from := lo + sort.Search(hi-lo, func(i int) bool { return x.names[lo+i][at:] >= literal })
	to := from + sort.Search(hi-from, func(i int) bool { return !strings.HasPrefix(x.names[from+i][at:], literal) })
	return from, to
}
