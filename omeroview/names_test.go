package omeroview

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNamesOfOneFolder(t *testing.T) {
	long := strings.Repeat("ä", 200)
	tests := []struct {
		name  string
		rules nameRules
		items []Named
		want  map[int64]string
	}{
		{"the oldest keeps its name", datasetRules,
			[]Named{{9, "cells.ome.tiff"}, {4, "cells.ome.tiff"}, {7, "cells.ome.tiff"}},
			map[int64]string{4: "cells.ome.tiff", 7: "cells [7].ome.tiff", 9: "cells [9].ome.tiff"}},
		{"fileset folders", datasetRules,
			[]Named{{1, "slide.vsi.fileset"}, {2, "slide.vsi.fileset"}},
			map[int64]string{1: "slide.vsi.fileset", 2: "slide [2].vsi.fileset"}},
		{"reserved", projectRules,
			[]Named{{1, "transfer.xml"}, {2, "attachments"}, {3, "thumbnails"}, {4, "Transfer"}},
			map[int64]string{1: "transfer [1].xml", 2: "attachments [2]", 3: "thumbnails [3]", 4: "Transfer"}},
		{"not reserved outside of packs", packsRules,
			[]Named{{1, "transfer.xml"}}, map[int64]string{1: "transfer.xml"}},
		{"names that look marked", packsRules,
			[]Named{{3, "a"}, {5, "a [7]"}, {7, "a"}, {8, "b [99]"}},
			map[int64]string{3: "a", 5: "a [7] [5]", 7: "a [7]", 8: "b [99]"}},
		{"tars beside folders", packsRules, []Named{{1, "a.tar"}, {2, "a"}, {3, "b"}, {4, "b.tar"}, {5, "c.tar"}},
			map[int64]string{1: "a.tar", 2: "a [2]", 3: "b", 4: "b [4].tar", 5: "c.tar"}},
		{"own mark", packsRules, []Named{{5, "a [5]"}, {6, "a [5]"}},
			map[int64]string{5: "a [5]", 6: "a [5] [6]"}},
		{"a beginning of another", datasetRules,
			[]Named{{1, "a.tif"}, {2, "a.tiff"}}, map[int64]string{1: "a.tif", 2: "a [2].tiff"}},
		{"a beginning that a mark behind cannot move", datasetRules,
			[]Named{{1, "a"}, {2, "a.tif"}}, map[int64]string{1: "a [1]", 2: "a.tif"}},
		{"wildcards", datasetRules,
			[]Named{{1, "img_1.tif"}, {2, "img-1.tif"}, {3, "img_2.tif"}},
			map[int64]string{1: "img_1.tif", 2: "img-1 [2].tif", 3: "img_2.tif"}},
		{"percent", datasetRules, []Named{{1, "%"}, {2, "b.tif"}},
			map[int64]string{1: "% [1]", 2: "b.tif"}},
		{"look-alikes", packsRules,
			[]Named{{1, "a/b"}, {2, ".."}, {3, ""}, {4, "CON"}, {5, "lpt1.txt"}, {6, "$x"}, {7, "x. "}, {8, "tab\there"}, {9, "\xff"}, {10, "."}},
			map[int64]string{1: "a／b", 2: "．．", 3: "unnamed", 4: "ＣON", 5: "ｌpt1.txt", 6: "＄x", 7: "x．␠", 8: "tab␉here", 9: "\ufffd", 10: "．"}},
		{"the extension survives the cut", datasetRules,
			[]Named{{1, long + ".ome.tiff"}, {2, long + "b.ome.tiff"}},
			map[int64]string{1: strings.Repeat("ä", 123) + ".ome.tiff", 2: strings.Repeat("ä", 121) + " [2].ome.tiff"}},
		{"numbers are no extension", packsRules, []Named{{1, "Run 1.5"}, {2, "Run 1.5"}},
			map[int64]string{1: "Run 1.5", 2: "Run 1.5 [2]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := assignNames(tt.items, tt.rules)
			for id, want := range tt.want {
				if got.names[id] != want {
					t.Errorf("object %d: got %q, want %q", id, got.names[id], want)
				}
			}
		})
	}
}

func TestLookupOfNames(t *testing.T) {
	table := assignNames([]Named{{3, "a.tif"}, {5, "a [7].tif"}, {7, "a.tif"}, {8, "b.tif"}}, plainRules)
	for name, want := range map[string]int64{
		"a.tif": 3, "a [7].tif": 7, "a [7] [5].tif": 5, "b.tif": 8,
		"a [3].tif": 3, "b [8].tif": 8, // marks always work
		"a [8].tif": 0, "b [3].tif": 0, "b [9].tif": 0, "b [08].tif": 0, "b [8]": 0, "": 0,
	} {
		if got, ok := table.lookup(name); got != want || ok != (want != 0) {
			t.Errorf("%q: got %d %v, want %d", name, got, ok, want)
		}
	}
}

// randomName makes names of few parts, so that they meet often.
func randomName(r *rand.Rand) string {
	parts := []string{"a", "b", "_", "%", "A", ".", " ", ".tif", ".ome.tiff", ".fileset", ".tar", "[3]", " [4]", "[1] ", "/", "\x01",
		"CON", "$", "ä", "\xff", "transfer.xml", "\u00a0", strings.Repeat("é", 120), strings.Repeat("x", 250)}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(parts[r.IntN(len(parts))])
	}
	return b.String()
}

func TestNamesAreLegalUniqueAndStable(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 1000 {
		items := make([]Named, 1+r.IntN(12))
		for i := range items {
			items[i] = Named{ID: int64(i + 1), Name: randomName(r)}
		}
		for _, rules := range []nameRules{plainRules, packsRules, projectRules, datasetRules} {
			table := assignNames(items, rules)
			if err := checkNames(items, rules, table); err != nil {
				t.Fatalf("seed %d, round %d, %+v: %v", seed, round, items, err)
			}
			r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			again := assignNames(items, rules)
			for id, name := range table.names {
				if again.names[id] != name {
					t.Fatalf("seed %d: %+v depends on the order: %q and %q", seed, items, name, again.names[id])
				}
			}
		}
	}
}

func checkNames(items []Named, rules nameRules, table *nameTable) error {
	seen := make(map[string]bool)
	for _, it := range items {
		name := table.names[it.ID]
		switch {
		case seen[name]:
			return fmt.Errorf("%q twice", name)
		case name == "" || len(name) > rules.maxBytes || !utf8.ValidString(name):
			return fmt.Errorf("%q is no name", name)
		case strings.ContainsAny(name, "\"*/:<>?\\|\x7f") || strings.ContainsFunc(name, func(c rune) bool { return c < 32 }):
			return fmt.Errorf("%q has a forbidden character", name)
		case name[len(name)-1] == '.' || strings.TrimFunc(name, unicode.IsSpace) != name || name[0] == '$':
			return fmt.Errorf("%q has bad ends", name)
		case deviceNames[strings.ToLower(strings.SplitN(name, ".", 2)[0])]:
			return fmt.Errorf("%q is a device", name)
		case lookalike(name) != name:
			return fmt.Errorf("%q would be changed again", name)
		}
		seen[name] = true
		for _, reserved := range rules.reserved {
			if name == reserved {
				return fmt.Errorf("%q is reserved", name)
			}
		}
		base := fit(lookalike(it.Name), "", rules.maxBytes)
		if !strings.HasSuffix(name, extension(base)) {
			return fmt.Errorf("%q lost the extension of %q", name, base)
		}
		if id, ok := table.lookup(name); !ok || id != it.ID {
			return fmt.Errorf("%q finds %d, want %d", name, id, it.ID)
		}
	}
	for _, name := range table.names {
		if rules.tars && seen[name+tarSuffix] {
			return fmt.Errorf("%q is beside the tar of %q", name+tarSuffix, name)
		}
	}
	if !rules.prefixFree {
		return nil
	}
	for _, a := range table.names {
		for _, b := range table.names {
			if a != b && likePrefix(a+rules.end, b+rules.end) {
				return fmt.Errorf("%q matches the beginning of %q", a, b)
			}
		}
	}
	return nil
}

func TestPrefixIndexAgreesWithTheMatcher(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	for range 300 {
		names := make(map[int64]string)
		for i := range 30 {
			names[int64(i)] = strings.ToValidUTF8(randomName(r), "?")
		}
		x := newPrefixIndex(names, "")
		for id, pattern := range names {
			got := make(map[int64]bool)
			for _, m := range x.matches(pattern, id) {
				got[m] = true
			}
			for other, name := range names {
				if want := other != id && likePrefix(pattern, name); got[other] != want {
					t.Fatalf("seed %d: %q on %q: got %v, want %v", seed, pattern, name, got[other], want)
				}
			}
		}
	}
}

func TestNamesOfALargeFolder(t *testing.T) {
	items := make([]Named, 10000)
	for i := range items {
		items[i] = Named{ID: int64(i + 1), Name: fmt.Sprintf("plate_01_well_%03d_s%d.ome.tiff", i/10, i%7)}
	}
	table := assignNames(items, datasetRules)
	if len(table.ids) != len(items) {
		t.Errorf("got %d names, want %d", len(table.ids), len(items))
	}
}

// Names that match each other in very many ways, or one after the other, do
// not hold up who lists their folder.
func TestWildNames(t *testing.T) {
	for pattern, matches := range map[string]bool{
		strings.Repeat("%a", 60) + "b": false, strings.Repeat("%a", 60): true, "%": true, "%%": true, "": true,
		strings.Repeat("a", 61): false, "%_" + strings.Repeat("a", 59): true, "b%": false, "_%aa_": true,
	} {
		if got := likePrefix(pattern, strings.Repeat("a", 60)); got != matches {
			t.Errorf("%q: got %v", pattern, got)
		}
	}
	var items []Named
	for i := range int64(500) {
		items = append(items, Named{i + 1, fmt.Sprintf("%%%d", i)})
	}
	names := assignNames(items, datasetRules).names
	for id, name := range names {
		for other, n := range names {
			if id != other && likePrefix(name, n) {
				t.Fatalf("%q matches %q", name, n)
			}
		}
	}
}
