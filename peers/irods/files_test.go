//go:build peer

package irods

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// local makes a folder with files of these sizes.
func local(t *testing.T, sizes map[string]int) (dir string, content map[string][]byte) {
	t.Helper()
	dir, content = t.TempDir(), map[string][]byte{}
	r := rand.NewChaCha8([32]byte{1})
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		data := make([]byte, sizes[name])
		_, _ = r.Read(data) // never fails
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		content[name] = data
	}
	return dir, content
}

func sha2(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha2:" + base64.StdEncoding.EncodeToString(sum[:])
}

// same compares a file with what it has to hold.
func same(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes, that differ from the %d bytes there should be", path, len(got), len(want))
	}
}

func TestFiles(t *testing.T) {
	dir := mounted(t)
	libraries(t, func(t *testing.T, library, coll string) {
		from, content := local(t, map[string]int{"empty": 0, "one": 1, "it's & ünï <x>": 100, "some": 5<<20 + 3, "large": 40<<20 + 1})
		back := t.TempDir()
		var got struct {
			Checksums map[string]string
			Sizes     map[string]int64
			Part      string
			Listed    []string
			Errors    map[string]string
			Exists    map[string]bool
			Release   string
		}
		// The mount has looked at the place before.
		if _, err := os.Stat(below(dir, coll)); err == nil {
			t.Fatal("the collection is there already")
		}
		python(t, library, "files.py", job{"coll": coll, "local": from, "back": back}, &got)
		wrote := newWatch(t)
		for name, data := range content {
			same(t, filepath.Join(back, name), data)
			wrote.shows(below(dir, coll+"/sub/"+name), data)
			if got.Checksums[name] != sha2(data) || got.Sizes[name] != int64(len(data)) {
				t.Errorf("%s: checksum %q, size %d", name, got.Checksums[name], got.Sizes[name])
			}
		}
		edited := []byte("0123XY6789e")
		if library == debian { // which opens for appending without going to the end
			edited = []byte("end3XY6789\x00")
		}
		for _, name := range []string{"edited", "sub/moved"} {
			wrote.shows(below(dir, coll+"/"+name), edited)
		}
		if got.Part != "23XY" {
			t.Errorf("a part read while writing: %q", got.Part)
		}
		want := []string{coll + "/", coll + "/edited", coll + "/lower/", coll + "/sub/", coll + "/sub/moved"}
		for name := range content {
			want = append(want, coll+"/sub/"+name)
		}
		slices.Sort(want)
		if !slices.Equal(got.Listed, want) {
			t.Errorf("listed: %q, want %q", got.Listed, want)
		}
		wantErrors := map[string]string{
			"missing": "DataObjectDoesNotExist", "no collection": "CollectionDoesNotExist", "over": "OVERWRITE_WITHOUT_FORCE_FLAG",
			"denied": "CAT_NO_ACCESS_PERMISSION",
		}
		if !maps.Equal(got.Errors, wantErrors) {
			t.Errorf("errors: %q, want %q", got.Errors, wantErrors)
		}
		if !got.Exists["trashed"] || got.Exists["gone"] {
			t.Errorf("after the removal: %v", got.Exists)
		}
	})
}

func TestLargeFilesOverSeveralConnections(t *testing.T) {
	from, content := local(t, map[string]int{"big": 50<<20 + 7, "small": 3})
	big, back, coll := content["big"], t.TempDir(), home+"/"+t.Name()
	closes := requests.get(20004)
	var got struct {
		Done      map[string]any
		Sums      map[string]string
		Two       [][]any
		Head      string
		Stale     [][]any
		Again     [][]any
		One       []int
		Truncated []int64
		Touched   int64
		Missing   string
	}
	python(t, newest, "large.py", job{"coll": coll, "local": from, "back": back}, &got)
	if n := requests.get(20004) - closes; n < 4 {
		t.Errorf("%d replicas were closed by a further connection: the transfers did not use several", n)
	}
	if got.Done["put"] != true || got.Done["get"] != true {
		t.Errorf("done: %v", got.Done)
	}
	for name, sum := range got.Sums {
		if sum != sha2(big) {
			t.Errorf("%s: checksum %q, want %q", name, sum, sha2(big))
		}
	}
	same(t, filepath.Join(back, "big"), big)
	same(t, filepath.Join(back, "sealed"), big)
	later := append([]byte("newer"), big[5:7]...)
	for _, tt := range []struct{ what, got, want string }{
		{"two replicas", fmt.Sprint(got.Two), fmt.Sprintf("[[0 demoResc 1 %[1]d] [1 %[2]s 1 %[1]d]]", len(big), second)},
		{"the second one", got.Head, fmt.Sprintf("%x", big[:16])},
		{"after a write", fmt.Sprint(got.Stale), "[[0 1] [1 0]]"},
		{"updated", fmt.Sprint(got.Again), "[[0 1] [1 1]]"},
		{"trimmed", fmt.Sprint(got.One), "[0]"},
		{"truncated", fmt.Sprint(got.Truncated), "[7 1600000000]"},
		{"touched", fmt.Sprint(got.Touched), "0"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, tt.got, tt.want)
		}
	}
	if got.Missing != "DataObjectDoesNotExist" {
		t.Error("a touch that may not create did so")
	}
	dir := mounted(t)
	wrote := newWatch(t)
	wrote.shows(below(dir, coll+"/over"), big)
	wrote.shows(below(dir, coll+"/sealed"), big)
	wrote.shows(below(dir, coll+"/later"), later)
	if info, err := os.Stat(below(dir, coll+"/later")); err != nil || info.ModTime().Unix() != 1600000000 {
		t.Errorf("modified: %v, %v", info, err)
	}
}
