package pack

import (
	"fmt"
	"slices"
	"strings"
)

// mostProblems ends the search of Problems.
const mostProblems = 20

// Problems lists, for people, what "omero transfer unpack" would stumble over
// in a document that Encode accepts: paths that are the beginning of others,
// names that importers change, images of a fileset whose ids do not rise with
// their series, folders that are deeper than it looks. It finds the first few.
func Problems(d *Document) []string {
	var p problems
	var paths []string
	for _, f := range d.ImportPlan() {
		path := f.Path
		if len(f.Entries) != 1 {
			path += "/"
		}
		paths = append(paths, path)
		for _, e := range f.Entries {
			p.names(e.Path)
			if below := strings.TrimPrefix(e.Path, f.Path+"/"); below != e.Path && strings.Count(below, "/") > importDepth {
				p.add("%s is more than %d folders deep", e.Path, importDepth)
			}
		}
		if !slices.IsSortedFunc(f.Images, ID.Compare) {
			p.add("the images of %s do not have rising ids", path)
		}
	}
	for i := range d.Annotations {
		if f := d.Annotations[i].File; f != nil && strings.TrimSpace(f.Path) != f.Path {
			p.add("%q begins or ends in white space", f.Path)
		}
	}
	p.clashes(paths)
	return p
}

// importDepth is how far the importer looks into folders.
const importDepth = 4

type problems []string

func (p *problems) add(format string, args ...any) {
	if len(*p) < mostProblems {
		*p = append(*p, fmt.Sprintf(format, args...))
	}
}

// names finds parts of a path that an OMERO server stores under another name.
func (p *problems) names(path string) {
	if strings.TrimSpace(path) != path {
		p.add("%q begins or ends in white space", path)
	}
	for name := range strings.SplitSeq(path, "/") {
		base, _, _ := strings.Cut(strings.ToUpper(name), ".")
		if strings.ContainsAny(name, `"*:<>?|`) || strings.HasPrefix(name, "$") || slices.Contains(devices, base) {
			p.add("%s: importers change the name %q", path, name)
		}
	}
}

// devices are names that Windows keeps to itself.
var devices = []string{
	"CON", "PRN", "AUX", "NUL", "CLOCK$",
	"COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
	"LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
}

// clashes finds paths under which another one would be found too: the search
// is for a beginning, in which _ and % are wildcards.
func (p *problems) clashes(paths []string) {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	for _, a := range paths {
		literal := a
		if i := strings.IndexAny(a, "_%"); i >= 0 {
			literal = a[:i]
		}
		from, _ := slices.BinarySearch(paths, literal)
		for _, b := range paths[from:] {
			if !strings.HasPrefix(b, literal) || len(*p) >= mostProblems {
				break
			}
			if a != b && likePrefix(a, b) {
				p.add("a search for %s finds %s too", a, b)
			}
		}
	}
}

// likePrefix reports whether SQL's LIKE of pattern and a final % finds s. An
// underscore is any one character, a percent sign any number of them.
func likePrefix(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	back, mark := -1, 0 // where to go on after the last %
	i, j := 0, 0
	for i < len(p) {
		switch {
		case p[i] == '%':
			back, mark = i+1, j
			i++
		case j < len(t) && (p[i] == '_' || p[i] == t[j]):
			i++
			j++
		case back >= 0 && mark < len(t):
			mark++
			i, j = back, mark
		default:
			return false
		}
	}
	return true
}
