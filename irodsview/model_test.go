package irodsview_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"omerods/internal/irods"
)

// modelSeeds are the histories that every run of the tests goes through.
var modelSeeds = []uint64{1, 2, 3}

// Random operations on the mount and on a plain folder have the same results,
// and the server has the same content in the end. OMERODS_TEST_SEED makes
// another history; OMERODS_SOAK makes many long ones that nobody has seen yet.
func TestModel(t *testing.T) {
	steps, seeds := 400, modelSeeds
	if os.Getenv("OMERODS_SOAK") != "" {
		steps, seeds = 4000, nil
		for i := range uint64(20) {
			seeds = append(seeds, uint64(time.Now().UnixNano())+i)
		}
	}
	var seed uint64
	for env, to := range map[string]any{"OMERODS_TEST_SEED": &seed, "OMERODS_TEST_STEPS": &steps} {
		if s := os.Getenv(env); s != "" {
			if _, err := fmt.Sscan(s, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	if seed != 0 {
		seeds = []uint64{seed}
	}
	for _, program := range []string{"rsync", "cp", "mv"} {
		need(t, program)
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { history(t, seed, steps) })
	}
}

func history(t *testing.T, seed uint64, steps int) {
	t.Logf("OMERODS_TEST_SEED=%d OMERODS_TEST_STEPS=%d", seed, steps)
	w := mount(t)
	m := &model{t: t, w: w, other: w.newClient("alice"), r: rand.New(rand.NewPCG(seed, 1)), a: w.dir, b: t.TempDir()}
	for i := range steps {
		m.step()
		if t.Failed() {
			t.Fatalf("at step %d, after:\n%s", i, strings.Join(m.log[max(0, len(m.log)-400):], "\n"))
		}
	}
	m.closeAll()
	compare(t, local(t, m.a), local(t, m.b))
	waitFor(t, func() bool { return strings.Join(names(local(t, m.a)), "|") == strings.Join(names(local(t, m.b)), "|") })
	w.view.Close(t.Context()) // publishes what has a program's temporary name
	compare(t, w.objects(home), local(t, m.b))
	found, err := w.client.Find(t.Context(), ".omerods-%")
	for _, e := range found {
		if strings.HasPrefix(e.Path, home+"/") {
			t.Errorf("a temporary object is left: %s", e.Path)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

type model struct {
	t     *testing.T
	w     *world
	other *irods.Client // somebody else, as far as the mount can tell
	r     *rand.Rand
	a, b  string
	open  []*pair
	log   []string
}

// pair is a file open in both places.
type pair struct {
	name string
	a, b *os.File
}

func (m *model) name() string {
	names := []string{"a", "b", "c", "d/a", "d/b", "d/e/a", "d", "d/e", "f", ".a.aB3dE6", "d/.b.aB3dE6", "a.part", "ü '\"&",
		".goutputstream-aB3dE6", "d/a.part", ".c.Zz9Yy8"}
	return names[m.r.IntN(len(names))]
}

func (m *model) data() []byte {
	sizes := []int{0, 1, 10, 1000, 70000, 4 << 20, 5<<20 + 3}
	data := bytes.Repeat([]byte{byte(m.r.Uint32())}, sizes[m.r.IntN(len(sizes))])
	if len(data) > 0 {
		data[len(data)-1] = 'z'
	}
	return data
}

// both runs an operation in both places and compares how it ended.
func (m *model) both(what string, op func(dir string) (string, error)) {
	m.t.Helper()
	m.log = append(m.log, what)
	got, aerr := op(m.a)
	want, berr := op(m.b)
	if class(aerr) != class(berr) {
		m.t.Errorf("%s: got %v, want %v", what, aerr, berr)
	} else if got != want {
		m.t.Errorf("%s: got %.60q (%d), want %.60q (%d)", what, got, len(got), want, len(want))
	}
}

// class is the errno, as far as both places have to agree on it.
func class(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTEMPTY):
		return "exists"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

func (m *model) step() {
	name, other := m.name(), m.name()
	switch n := m.r.IntN(100); {
	case n < 20:
		data := m.data()
		m.both(fmt.Sprintf("write %s %d", name, len(data)), func(d string) (string, error) {
			return "", os.WriteFile(filepath.Join(d, name), data, 0o644)
		})
	case n < 30:
		m.both("read "+name, func(d string) (string, error) {
			data, err := os.ReadFile(filepath.Join(d, name))
			return string(data), err
		})
	case n < 37:
		m.both("mkdir "+name, func(d string) (string, error) { return "", os.Mkdir(filepath.Join(d, name), 0o755) })
	case n < 45:
		m.forget(name)
		m.both("remove "+name, func(d string) (string, error) { return "", os.Remove(filepath.Join(d, name)) })
	case n < 55:
		m.forget(other)
		m.both("rename "+name+" "+other, func(d string) (string, error) {
			return "", syscall.Rename(filepath.Join(d, name), filepath.Join(d, other))
		})
	case n < 62:
		size := int64(m.r.IntN(5000))
		m.both(fmt.Sprintf("truncate %s %d", name, size), func(d string) (string, error) {
			return "", os.Truncate(filepath.Join(d, name), size)
		})
	case n < 70:
		m.both("stat "+name, func(d string) (string, error) {
			i, err := os.Stat(filepath.Join(d, name))
			if err != nil || i.IsDir() {
				return "", err
			}
			return fmt.Sprint(i.Size()), nil
		})
	case n < 75:
		m.both("list "+name, func(d string) (string, error) {
			entries, err := os.ReadDir(filepath.Join(d, name))
			var all []string
			for _, e := range entries {
				all = append(all, e.Name())
			}
			return strings.Join(all, "|"), err
		})
	case n < 80 && len(m.open) < 4:
		m.openPair(name)
	case n < 87:
		m.more(name, other)
	case n < 97 && len(m.open) > 0:
		m.use(m.open[m.r.IntN(len(m.open))])
	case len(m.open) > 0:
		m.close(m.r.IntN(len(m.open)))
	}
}

func (m *model) openPair(name string) {
	flags := []int{os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_CREATE | os.O_TRUNC, os.O_WRONLY | os.O_CREATE | os.O_EXCL}
	flag := flags[m.r.IntN(len(flags))]
	var files []*os.File
	m.both(fmt.Sprintf("open %s %x", name, flag), func(d string) (string, error) {
		f, err := os.OpenFile(filepath.Join(d, name), flag, 0o644)
		if err == nil {
			if i, serr := f.Stat(); serr == nil && i.IsDir() {
				_ = f.Close()
				return "", syscall.EISDIR
			}
			files = append(files, f)
		}
		return "", err
	})
	if len(files) == 2 {
		m.open = append(m.open, &pair{name, files[0], files[1]})
		return
	}
	for _, f := range files {
		_ = f.Close()
	}
}

func (m *model) use(p *pair) {
	file := map[string]*os.File{m.a: p.a, m.b: p.b}
	off := int64(m.r.IntN(6000))
	if m.r.IntN(20) == 0 {
		off += 5 << 20
	}
	switch m.r.IntN(9) {
	case 0, 1:
		data := m.data()
		m.both(fmt.Sprintf("write to %s %d", p.name, len(data)), func(d string) (string, error) {
			_, err := file[d].Write(data)
			return "", err
		})
	case 2:
		data := m.data()
		m.both(fmt.Sprintf("write to %s %d at %d", p.name, len(data), off), func(d string) (string, error) {
			_, err := file[d].WriteAt(data, off)
			if err != nil && strings.Contains(err.Error(), "O_APPEND") {
				return "", nil
			}
			return "", err
		})
	case 3:
		m.both(fmt.Sprintf("read from %s at %d", p.name, off), func(d string) (string, error) {
			buf := make([]byte, 3000)
			n, err := file[d].ReadAt(buf, off)
			return string(buf[:n]), err
		})
	case 4:
		m.both(fmt.Sprintf("truncate open %s %d", p.name, off), func(d string) (string, error) {
			return "", file[d].Truncate(off)
		})
	default:
		m.useMore(p, file, off)
	}
}

// forget closes what is open under a name that is about to go: iRODS does not
// keep removed files for those who have them open.
func (m *model) forget(name string) {
	for i := len(m.open) - 1; i >= 0; i-- {
		a, aerr := m.open[i].b.Stat()
		b, berr := os.Stat(filepath.Join(m.b, name))
		if aerr == nil && berr == nil && os.SameFile(a, b) {
			m.close(i)
		}
	}
}

func (m *model) close(i int) {
	p := m.open[i]
	m.open = append(m.open[:i], m.open[i+1:]...)
	m.log = append(m.log, "close "+p.name)
	if err := p.a.Close(); err != nil {
		m.t.Errorf("close %s: %v", p.name, err)
	}
	_ = p.b.Close()
}

func (m *model) closeAll() {
	for len(m.open) > 0 {
		m.close(0)
	}
}
