package fs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
)

// model is the same tree as a map: paths with a nil content are folders.
type model map[string][]byte

func (m model) isDir(p string) bool {
	data, ok := m[p]
	return p == "." || ok && data == nil
}

func (m model) children(p string) []string {
	var list []string
	for name := range m {
		if path.Dir(name) == p {
			list = append(list, path.Base(name))
		}
	}
	slices.Sort(list)
	return list
}

// move renames as rename(2) does, or says why not.
func (m model) move(from, to string) error {
	data, ok := m[from]
	switch {
	case !ok || !m.isDir(path.Dir(to)):
		return syscall.ENOENT
	case from == to:
		return nil
	case strings.HasPrefix(to, from+"/"):
		return syscall.EINVAL
	case strings.HasPrefix(from, to+"/"):
		return syscall.ENOTEMPTY
	}
	if old, ok := m[to]; ok {
		switch {
		case old == nil && data != nil:
			return syscall.EISDIR
		case old != nil && data == nil:
			return syscall.ENOTDIR
		case len(m.children(to)) > 0:
			return syscall.ENOTEMPTY
		}
	}
	moved := model{}
	for p, data := range m {
		if p == from || strings.HasPrefix(p, from+"/") {
			moved[to+strings.TrimPrefix(p, from)] = data
			delete(m, p)
		}
	}
	for p, data := range moved {
		m[p] = data
	}
	return nil
}

// TestAgainstAModel does the same random things to a mount and to a map.
func TestAgainstAModel(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	m := model{}
	name := func() string {
		parts := make([]string, 1+r.IntN(3))
		for i := range parts {
			parts[i] = string(rune('a' + r.IntN(3)))
		}
		return path.Join(parts...)
	}
	for step := range 2000 {
		p := name()
		at := filepath.Join(dir, p)
		data, there := m[p]
		parent := m.isDir(path.Dir(p))
		var got, want error
		what := ""
		switch r.IntN(7) {
		case 0:
			what = "mkdir " + p
			got = syscall.Mkdir(at, 0o755)
			switch {
			case !parent:
				want = notThere(m, p)
			case there:
				want = syscall.EEXIST
			default:
				m[p] = nil
			}
		case 1, 2:
			what = "write " + p
			content := bytes.Repeat([]byte{byte(step)}, r.IntN(9000))
			got = os.WriteFile(at, content, 0o644)
			switch {
			case !parent:
				want = notThere(m, p)
			case there && data == nil:
				want = syscall.EISDIR
			default:
				m[p] = append([]byte{}, content...)
			}
		case 3:
			what = "remove " + p
			got = os.Remove(at)
			switch {
			case !there:
				want = notThere(m, p)
			case len(m.children(p)) > 0:
				want = syscall.ENOTEMPTY
			default:
				delete(m, p)
			}
		case 4:
			to := name()
			what = "rename " + p + " " + to
			got = syscall.Rename(at, filepath.Join(dir, to))
			// Which of several reasons comes first is the kernel's choice.
			if want = m.move(p, to); want != nil && got != nil {
				want = got
			}
		case 5:
			what = "read " + p
			var content []byte
			content, got = os.ReadFile(at)
			switch {
			case !there:
				want = notThere(m, p)
			case data == nil:
				want = syscall.EISDIR
			case !bytes.Equal(content, data):
				t.Fatalf("seed %d, step %d: %s: got %d bytes, want %d", seed, step, what, len(content), len(data))
			}
		case 6:
			what = "list " + p
			entries, err := os.ReadDir(at)
			got = err
			switch {
			case !there:
				want = notThere(m, p)
			case data != nil:
				want = syscall.ENOTDIR
			default:
				var list []string
				for _, e := range entries {
					list = append(list, e.Name())
				}
				if !slices.Equal(list, m.children(p)) {
					t.Fatalf("seed %d, step %d: %s: got %v, want %v", seed, step, what, list, m.children(p))
				}
			}
		}
		if want == nil && got != nil || want != nil && !errors.Is(got, want) {
			t.Fatalf("seed %d, step %d: %s: got %v, want %v", seed, step, what, got, want)
		}
	}
	for p, data := range m {
		if data == nil {
			continue
		}
		if got, err := mt.ReadFile(p); err != nil || !bytes.Equal(got, data) {
			t.Errorf("seed %d: %s: got %s, %v", seed, p, fmt.Sprint(len(got)), err)
		}
	}
}

// notThere is what a path says that does not exist: ENOTDIR if a file is
// where a folder should be.
func notThere(m model, p string) error {
	for q := path.Dir(p); q != "."; q = path.Dir(q) {
		if data, ok := m[q]; ok && data != nil {
			return syscall.ENOTDIR
		}
	}
	return syscall.ENOENT
}
