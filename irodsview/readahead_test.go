package irodsview_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

// store puts a data object there as another client does.
func (w *world) store(name string, data []byte) {
	w.t.Helper()
	f, err := w.client.Create(w.t.Context(), home+"/"+name)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := f.WriteAt(w.t.Context(), data, 0); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestLargeFileComesOverSeveralConnections(t *testing.T) {
	var s slowed
	w := mount(t, withFault(s.fault))
	data := random(37<<20 + 4321)
	w.store("large", data)
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s.set(nil)
	w.run("cmp large " + src)
	if got := s.count(apiOpen); got < 2 {
		t.Errorf("the object was opened %d times", got)
	}
	if got, most := s.count(apiRead), 16; got > most {
		t.Errorf("%d reads of %d bytes, want at most %d", got, len(data), most)
	}
	// Nothing is read for nothing where a program jumps.
	w.store("jumps", data)
	w.later()
	s.set(nil)
	f, err := os.Open(filepath.Join(w.dir, "jumps"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 100)
	for _, off := range []int64{30 << 20, 5, 20<<20 + 77, 10 << 20, int64(len(data)) - 50} {
		n, err := f.ReadAt(buf, off)
		if !bytes.Equal(buf[:n], data[off:min(off+100, int64(len(data)))]) || err != nil && err != io.EOF {
			t.Errorf("at %d: %d bytes differ, or %v", off, n, err)
		}
	}
	if got := s.count(apiRead); got > 15 {
		t.Errorf("%d reads for 5 jumps", got)
	}
}

// Many files are read at once, here and there and from front to back, with
// fewer connections than files.
func TestManyReadersShareTheConnections(t *testing.T) {
	w := mount(t)
	const files, size = 12, 9<<20 + 1
	want := make([][]byte, files)
	for i := range want {
		want[i] = random(size + i)
		w.store(string(rune('a'+i)), want[i])
	}
	var wg sync.WaitGroup
	for i := range want {
		wg.Go(func() {
			f, err := os.Open(filepath.Join(w.dir, string(rune('a'+i))))
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 20 {
				off := r.IntN(len(want[i]))
				got := make([]byte, r.IntN(1<<20))
				n, err := f.ReadAt(got, int64(off))
				if err != nil && err != io.EOF || !bytes.Equal(got[:n], want[i][off:min(off+len(got), len(want[i]))]) {
					t.Errorf("file %d at %d: %d bytes differ, or %v", i, off, n, err)
				}
			}
			all, err := io.ReadAll(f)
			if err != nil || !bytes.Equal(all, want[i]) {
				t.Errorf("file %d: %d bytes differ, or %v", i, len(all), err)
			}
		})
	}
	wg.Wait()
}

// Connections break while a large file is read, and the file is renamed: the
// program gets all bytes, or an error, never the end.
func TestReadingGoesOn(t *testing.T) {
	data := random(40<<20 + 99)
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var s slowed
	w := mount(t, withFault(s.fault))
	w.store("one", data)
	s.set(func(api, n int) irodsd.Fault {
		if api == apiRead && n%5 == 3 {
			return irodsd.Fault{DropBefore: n%2 == 0, DropAfter: n%2 == 1}
		}
		if api == apiOpen && n == 3 {
			return irodsd.Fault{Code: -9000}
		}
		return irodsd.Fault{}
	})
	w.run("cmp one " + src)
	s.set(nil)
	w.store("two", data)
	w.later()
	w.run("exec 3<two && head -c 5M <&3 >" + src + ".head && mv two three && cat <&3 >" + src + ".tail && " +
		"cat " + src + ".head " + src + ".tail | cmp - " + src)
	// A program that stops in the middle, or is killed, keeps nothing open.
	w.run("head -c 9M three >/dev/null; timeout -s KILL 0.3 cat three >/dev/null; head -c 3M three >/dev/null")
	w.run("mv three four && rm four")
	w.store("four", data)
	c := w.newClient("alice")
	waitFor(t, func() bool {
		f, err := c.OpenWrite(t.Context(), home+"/four", false)
		if err == nil {
			err = f.Close(t.Context())
		}
		return err == nil
	})
	if _, err := c.OpenRead(t.Context(), home+"/two"); irods.Code(err) == 0 {
		t.Errorf("got %v", err)
	}
}
