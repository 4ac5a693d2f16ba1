package repository

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// NamingError tells what in a path no file may be called.
type NamingError struct {
	Path       string
	CodePoints []int32
	Prefixes   []string
	Suffixes   []string
	Names      []string
}

func (e *NamingError) Error() string { return fmt.Sprintf("illegal file path %q", e.Path) }

// replacements are the characters that Windows or Unix refuse in a name, with
// what the importer writes in their place; 0 stands for the control characters.
var replacements = map[rune]rune{
	'"': '\'', '*': 'x', '/': '!', ':': ';', '<': '[', '>': ']', '?': '%', '\\': '!', '|': '!', 0: '_',
}

// deviceNames are the names that Windows keeps for itself, with or without an
// extension.
var deviceNames = func() []string {
	names := []string{"CON", "PRN", "AUX", "NUL", "CLOCK$"}
	for i := 1; i <= 9; i++ {
		names = append(names, fmt.Sprintf("COM%d", i), fmt.Sprintf("LPT%d", i))
	}
	return names
}()

// unsafePrefix returns the forbidden beginning of a component, "" when there is
// none, and whether the component is a forbidden name as a whole.
func unsafePrefix(component string) (prefix string, whole bool) {
	upper := strings.ToUpper(component)
	if slices.Contains(deviceNames, upper) {
		return "", true
	}
	for _, name := range deviceNames {
		if strings.HasPrefix(upper, name+".") {
			return name + ".", false
		}
	}
	if strings.HasPrefix(component, "$") {
		return "$", false
	}
	return "", false
}

// safeComponent makes a legal name of a component.
func safeComponent(component string) string {
	s := strings.Map(func(r rune) rune {
		if r < 32 {
			return replacements[0]
		}
		if to, ok := replacements[r]; ok {
			return to
		}
		return r
	}, component)
	prefix, whole := unsafePrefix(s)
	switch {
	case whole:
		return s + "_"
	case prefix != "":
		return "_" + s
	}
	return s
}

// safeClientPath makes a client's path legal, as the server stores it. The
// component "." survives.
func safeClientPath(p string) string {
	var out []string
	for _, c := range strings.Split(p, "/") {
		if c != "" {
			out = append(out, safeComponent(c))
		}
	}
	return strings.Join(out, "/")
}

// checkPath tells whether a path below the repository may be used as it is.
// The result is clean and has no slash at its beginning or end.
func checkPath(p string) (string, error) {
	bad := &NamingError{Path: p}
	for _, c := range strings.Split(p, "/") {
		if c == ".." {
			bad.Names = append(bad.Names, c)
		}
		for _, r := range c {
			if _, illegal := replacements[r]; illegal || r < 32 {
				bad.CodePoints = append(bad.CodePoints, r)
			}
		}
		prefix, whole := unsafePrefix(c)
		if whole {
			bad.Names = append(bad.Names, c)
		}
		if prefix != "" {
			bad.Prefixes = append(bad.Prefixes, prefix)
		}
	}
	if len(bad.CodePoints)+len(bad.Prefixes)+len(bad.Names) > 0 {
		return "", bad
	}
	return strings.Trim(path.Clean("/"+p), "/"), nil
}

// unknownReaderParents is how many folders above the files are kept when the
// reader that will be used is not known.
const unknownReaderParents = 3

// trimPaths takes the leading folders off that all paths share, but for as many
// as the reader may look at. The paths are safe; the result is relative.
func trimPaths(paths []string, reader string) ([]string, error) {
	keep := unknownReaderParents
	if strings.HasPrefix(reader, "loci.formats.in.") {
		keep = 0 // none of the readers here looks at the folders above
	}
	split := make([][]string, len(paths))
	shared, shortest := -1, -1
	for i, p := range paths {
		clean, err := checkPath(p)
		if err != nil {
			return nil, err
		}
		if clean == "" {
			return nil, &NamingError{Path: p, Names: []string{p}}
		}
		split[i] = strings.Split(clean, "/")
		parents := len(split[i]) - 1
		if shortest < 0 || parents < shortest {
			shortest = parents
		}
		if shared < 0 {
			shared = parents
		}
		same := 0
		for same < min(shared, parents) && split[i][same] == split[0][same] {
			same++
		}
		shared = same
	}
	drop := min(shared, max(0, shortest-keep))
	out := make([]string, len(paths))
	for i, c := range split {
		out[i] = strings.Join(c[drop:], "/")
	}
	return out, nil
}
