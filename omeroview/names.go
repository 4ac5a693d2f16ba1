package omeroview

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// filesetSuffix ends the name of a folder that holds the original files of
	// one fileset.
	filesetSuffix = ".fileset"
	// maxFileName is the longest name of a file in bytes.
	maxFileName = 255
	// maxPackName leaves room for the ".tar" of the same pack.
	maxPackName = 251
	// tarSuffix ends the name of the tar of a pack.
	tarSuffix = ".tar"
)

// Names that a pack needs itself.
const (
	transferName    = "transfer.xml"
	sumsName        = "SHA1SUMS"
	readmeName      = "README.html"
	thumbnailsName  = "thumbnails"
	attachmentsName = "attachments"
)

var packReserved = []string{transferName, sumsName, readmeName, thumbnailsName, attachmentsName}

// Named is an object that wants a name in a folder.
type Named struct {
	// ID is unique within the folder; a lower one is older.
	ID   int64
	Name string
}

// nameRules say what a folder asks of the names in it.
type nameRules struct {
	reserved []string
	// prefixFree asks that no name, read as a pattern in which "_" stands for
	// any character and "%" for any characters, matches the beginning of
	// another one: readers of packs find the images of a file so.
	prefixFree bool
	// end follows each name in the paths that are matched so: a slash behind
	// the names of folders.
	end      string
	maxBytes int
	// tars asks that no name is another one with ".tar" behind it: a pack that
	// holds packs is a folder of its name in tars/, and a tar beside it.
	tars bool
}

// The rules of each kind of folder.
var (
	plainRules   = nameRules{maxBytes: maxFileName}
	packsRules   = nameRules{maxBytes: maxPackName, tars: true}
	projectRules = nameRules{maxBytes: maxPackName, reserved: packReserved, prefixFree: true, end: "/"}
	datasetRules = nameRules{maxBytes: maxFileName, reserved: packReserved, prefixFree: true}
)

// nameTable is the naming of one folder.
type nameTable struct {
	rules nameRules
	names map[int64]string // by id
	ids   map[string]int64 // by name
	bases map[int64]string // what each would be called alone
}

// How far a name had to move away from the one its object has.
const (
	levelPlain  = iota // the name
	levelMarked        // name [id].ext
	levelFront         // [id] name.ext, when a mark behind cannot help
)

// assignNames names the objects of one folder. The result depends on nothing
// but the ids, the names and the rules, and every name is legal, unique and
// not reserved.
//
// The oldest object of a name keeps it. A name that already ends in the mark
// of another object of the folder is marked too, so that marks stay unique.
func assignNames(items []Named, rules nameRules) *nameTable {
	t := &nameTable{rules: rules,
		names: make(map[int64]string, len(items)),
		ids:   make(map[string]int64, len(items)),
		bases: make(map[int64]string, len(items)),
	}
	order := make([]int64, 0, len(items))
	for _, it := range items {
		if _, twice := t.bases[it.ID]; !twice {
			order = append(order, it.ID)
		}
		t.bases[it.ID] = fit(lookalike(it.Name), "", rules.maxBytes)
	}
	sort.Slice(order, func(i, j int) bool { return order[i] < order[j] })

	taken := make(map[string]bool, len(items)+len(rules.reserved))
	for _, r := range rules.reserved {
		taken[r] = true
	}
	level := make(map[int64]int)
	for _, id := range order {
		base := t.bases[id]
		if taken[base] || t.marksAnother(id, base) || rules.tars && besideTar(taken, base) {
			level[id] = levelMarked
			continue
		}
		taken[base] = true
	}
	t.apply(order, level)
	if rules.prefixFree {
		for round := 1; t.separate(order, level); round++ {
			if round == patientRounds {
				t.frontWild(order, level)
			}
			t.apply(order, level)
		}
	}
	return t
}

// besideTar says whether a name is that of the tar of one that is taken, or the
// other way round.
func besideTar(taken map[string]bool, name string) bool {
	stem, isTar := strings.CutSuffix(name, tarSuffix)
	return isTar && taken[stem] || taken[name+tarSuffix]
}

// marksAnother says whether name ends like the marked name, or begins like the
// front-marked name, of another object of the folder.
func (t *nameTable) marksAnother(id int64, name string) bool {
	other := func(n int64, ok bool) bool {
		if !ok || n == id {
			return false
		}
		_, sibling := t.bases[n]
		return sibling
	}
	_, n, ok := splitMark(name)
	return other(n, ok) || other(frontMark(name))
}

// apply computes all names for the given levels.
func (t *nameTable) apply(order []int64, level map[int64]int) {
	clear(t.ids)
	for _, id := range order {
		name := t.bases[id]
		switch level[id] {
		case levelMarked:
			name = t.marked(id)
		case levelFront:
			name = fit(mark(id)[1:]+" "+name, "", t.rules.maxBytes)
		}
		t.names[id] = name
		t.ids[name] = id
	}
}

func (t *nameTable) marked(id int64) string {
	return fit(t.bases[id], mark(id), t.rules.maxBytes)
}

// patientRounds is how often names are moved apart one by one. The mark of one
// may be what another with a "%" matches next, and so on through a folder.
const patientRounds = 4

// frontWild marks all names with a "%" in front.
func (t *nameTable) frontWild(order []int64, level map[int64]int) {
	for _, id := range order {
		if strings.Contains(t.bases[id], "%") {
			level[id] = levelFront
		}
	}
}

// separate raises the level of names that match the beginning of others and
// says whether there were any. It ends because levels only rise, and because
// names marked in front never match each other.
func (t *nameTable) separate(order []int64, level map[int64]int) bool {
	all := newPrefixIndex(t.names, t.rules.end)
	raised := make(map[int64]bool) // in this round: their names are out of date
	for _, id := range order {
		for _, other := range all.matches(t.names[id]+t.rules.end, id) {
			if raised[id] {
				break
			}
			if !raised[other] {
				raised[t.raise(id, other, level)] = true
			}
		}
	}
	return len(raised) > 0
}

// raise moves one of two names apart of which the first matches the beginning
// of the second, and returns which: the younger one when a mark in it is
// enough, else the first as long as that can move.
func (t *nameTable) raise(id, other int64, level map[int64]int) int64 {
	up := id
	if level[id] == levelFront ||
		level[other] == levelPlain && other > id && !likePrefix(t.names[id]+t.rules.end, t.marked(other)+t.rules.end) {
		up = other
	}
	level[up]++
	return up
}

// lookup finds the object that a name means: the one that has it, else the one
// whose name it would be with its mark.
func (t *nameTable) lookup(name string) (int64, bool) {
	if id, ok := t.ids[name]; ok {
		return id, true
	}
	if _, id, ok := splitMark(name); ok {
		if _, child := t.bases[id]; child && t.marked(id) == name {
			return id, true
		}
	}
	return 0, false
}

func mark(id int64) string { return " [" + strconv.FormatInt(id, 10) + "]" }

// splitMark takes the mark off a name.
func splitMark(name string) (rest string, id int64, ok bool) {
	ext := extension(name)
	stem := name[:len(name)-len(ext)]
	open := strings.LastIndex(stem, " [")
	if open < 0 || !strings.HasSuffix(stem, "]") {
		return "", 0, false
	}
	id, ok = parseID(stem[open+2 : len(stem)-1])
	return stem[:open] + ext, id, ok
}

// frontMark reads the id of a name that is marked in front.
func frontMark(name string) (int64, bool) {
	inner, _, ok := strings.Cut(name, "] ")
	if !ok || !strings.HasPrefix(inner, "[") {
		return 0, false
	}
	return parseID(inner[1:])
}

// parseID reads a decimal id as mark writes it.
func parseID(s string) (int64, bool) {
	id, err := strconv.ParseInt(s, 10, 64)
	return id, err == nil && strconv.FormatInt(id, 10) == s
}

// likePrefix says whether pattern matches the beginning of s, with "_" for any
// one character and "%" for any characters. When a character does not match,
// only the last "%" before it can take more: names are anybody's, and to try
// all of them would take for ever.
func likePrefix(pattern, s string) bool {
	again, from := "", "" // the pattern behind the last "%", and where it was tried
	wild := false
	for pattern != "" {
		p, n := utf8.DecodeRuneInString(pattern)
		if p == '%' {
			pattern = pattern[n:]
			again, from, wild = pattern, s, true
			continue
		}
		c, m := utf8.DecodeRuneInString(s)
		if s != "" && (c == p || p == '_') {
			pattern, s = pattern[n:], s[m:]
			continue
		}
		if !wild || s == "" {
			return false
		}
		_, m = utf8.DecodeRuneInString(from)
		from = from[m:]
		pattern, s = again, from
	}
	return true
}
