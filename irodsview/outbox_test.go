package irodsview_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/sandbox/irodsd"
	"omerods/internal/transfer"
)

// The calls of the server that large files are about.
const (
	apiOpen, apiClose, apiRead, apiWrite = 602, 673, 675, 676
	apiChecksum, apiReplicaClose         = 629, 20004
)

func random(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(data)
	return data
}

// slowed makes a call of the server take a moment, so that several connections
// are worth it, and counts all calls.
type slowed struct {
	mu    sync.Mutex
	calls map[int]int
	next  func(api, n int) irodsd.Fault // n counts the calls of the API from 1
}

func (s *slowed) fault(api int, _ int64) irodsd.Fault {
	s.mu.Lock()
	if s.calls == nil {
		s.calls = map[int]int{}
	}
	s.calls[api]++
	n, next := s.calls[api], s.next
	s.mu.Unlock()
	if next != nil {
		if f := next(api, n); f != (irodsd.Fault{}) {
			return f
		}
	}
	if api == apiWrite || api == apiRead {
		return irodsd.Fault{Delay: 100 * time.Millisecond}
	}
	return irodsd.Fault{}
}

func (s *slowed) count(api int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[api]
}

func (s *slowed) set(next func(api, n int) irodsd.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.calls = next, nil
}

func TestLargeFileGoesOverSeveralConnections(t *testing.T) {
	var s slowed
	w := mount(t, withFault(s.fault))
	for _, size := range []int{4<<20 - 1, 4 << 20, 4<<20 + 1, 29<<20 + 12345} {
		data := random(size)
		src := filepath.Join(t.TempDir(), "src")
		if err := os.WriteFile(src, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s.set(nil)
		w.run("dd if=" + src + " of=large bs=1000001 status=none")
		if got := s.count(apiReplicaClose); size > 20<<20 && got == 0 {
			t.Errorf("%d bytes went over one connection", size)
		}
		if got := w.objects(home); got["large"] != string(data) || len(got) != 1 {
			t.Errorf("%d bytes: the server has other ones, or more: %d files", size, len(got))
		}
		w.run("cmp " + src + " large && rm large")
	}
}

// Writes anywhere between others that follow each other, over what is still
// on its way.
func TestWritesGoBackOverWhatIsOnItsWay(t *testing.T) {
	var s slowed
	w := mount(t, withFault(s.fault))
	want := random(21 << 20)
	f, err := os.Create(filepath.Join(w.dir, "mixed"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte, off int) {
		t.Helper()
		if n, err := f.WriteAt(data, int64(off)); err != nil || n != len(data) {
			t.Fatal(n, err)
		}
		copy(want[off:], data)
	}
	put(bytes.Clone(want[:17<<20]), 0)
	for _, off := range []int{16<<20 - 5, 3, 12<<20 + 1, 8 << 20} {
		put(random(10_000+off%100), off)
	}
	put(bytes.Clone(want[17<<20:]), 17<<20)
	got := make([]byte, 9<<20)
	if _, err := f.ReadAt(got, 11<<20); err != nil || !bytes.Equal(got, want[11<<20:20<<20]) {
		t.Errorf("what was written reads differently (%v)", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.objects(home); got["mixed"] != string(want) || len(got) != 1 {
		t.Error("the server has something else")
	}
}

// Whatever breaks in the middle of a large file: the program hears it, and
// nothing stays behind, neither a temporary object nor a lock.
func TestLargeFileBreaks(t *testing.T) {
	const size = 33<<20 + 7
	data := random(size)
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var s slowed
	w := mount(t, withFault(s.fault))
	once := func(api, n int, f irodsd.Fault) func(int, int) irodsd.Fault {
		return func(a, m int) irodsd.Fault {
			if a == api && m == n {
				return f
			}
			return irodsd.Fault{}
		}
	}
	for what, next := range map[string]func(api, n int) irodsd.Fault{
		"first block is lost":          once(apiWrite, 1, irodsd.Fault{DropBefore: true}),
		"a block in the middle":        once(apiWrite, 4, irodsd.Fault{DropBefore: true}),
		"the answer to a block":        once(apiWrite, 5, irodsd.Fault{DropAfter: true}),
		"the last block":               once(apiWrite, 9, irodsd.Fault{DropBefore: true}),
		"the close of a fork":          once(apiReplicaClose, 1, irodsd.Fault{DropBefore: true}),
		"the answer to it":             once(apiReplicaClose, 1, irodsd.Fault{DropAfter: true}),
		"the close of the data object": once(apiClose, 1, irodsd.Fault{DropBefore: true}),
		"a block is refused":           once(apiWrite, 6, irodsd.Fault{Code: -512028}),
	} {
		s.set(next)
		out, err := w.try("cp " + src + " broken")
		s.set(nil)
		if err == nil {
			t.Errorf("%s: cp saw nothing", what)
		}
		if strings.Contains(what, "refused") && !strings.Contains(out, "No space left") {
			t.Errorf("%s: got %q", what, out)
		}
		// The server notices a moment later that a connection is gone.
		waitFor(t, func() bool {
			left, err := w.client.List(t.Context(), home)
			return err == nil && len(left) == 0
		})
		w.run("cp " + src + " broken && cmp " + src + " broken && rm broken")
	}
	// Refused connections cost speed, nothing else.
	s.set(func(api, n int) irodsd.Fault {
		if api == apiOpen && n > 1 {
			return irodsd.Fault{Code: -818000}
		}
		return irodsd.Fault{}
	})
	w.run("cp " + src + " slow")
	s.set(nil)
	w.run("cmp " + src + " slow && rm slow")
}

// A program that is killed while a large file is on its way leaves nothing.
func TestKilledDuringLargeFile(t *testing.T) {
	var s slowed
	w := mount(t, withFault(s.fault))
	var sent atomic.Bool
	s.set(func(api, n int) irodsd.Fault {
		if api == apiWrite && n == 6 {
			sent.Store(true)
		}
		return irodsd.Fault{}
	})
	dd := exec.Command("dd", "if=/dev/zero", "of="+filepath.Join(w.dir, "cut"), "bs=1M", "count=1000", "status=none")
	if err := dd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, sent.Load)
	_ = dd.Process.Kill()
	_ = dd.Wait()
	waitFor(t, func() bool {
		left, err := w.client.List(t.Context(), home)
		return err == nil && len(left) == 0
	})
	w.run("echo fine >cut && test $(cat cut) = fine")
}

// A server that never says what checksum a large file has does not hold its
// close for ever.
func TestSilentServerEndsTheClose(t *testing.T) {
	var s slowed
	w := newWorld(t, withFault(s.fault))
	w.cfg.Timeout = time.Second
	w.client = w.newClient("alice")
	w.serve()
	s.set(func(api, n int) irodsd.Fault {
		if api == apiChecksum {
			return irodsd.Fault{Delay: time.Hour}
		}
		return irodsd.Fault{}
	})
	out, err := w.try("head -c 9M /dev/zero >silent; echo exit $?")
	if err != nil || !strings.Contains(out, "timed out") || !strings.Contains(out, "exit 1") {
		t.Errorf("got %v %q", err, out)
	}
	s.set(nil)
	waitFor(t, func() bool {
		left, err := w.client.List(t.Context(), home)
		return err == nil && len(left) == 0
	})
	w.run("head -c 9M /dev/zero >silent && test $(stat -c %s silent) = 9437184")
}

// askedSHA1 is a guard that asks for SHA-1 in one folder only.
type askedSHA1 struct{ recorder }

func (*askedSHA1) AsksSHA1(p string) bool { return strings.Contains(p, "/saved/") }

func (a *askedSHA1) BeforePublish(_ context.Context, w transfer.Written) ([]transfer.AVU, error) {
	return nil, a.note("publish?", path.Base(w.Path), len(w.SHA1), len(w.SHA256))
}

func TestSHA1IsForThoseWhoAsk(t *testing.T) {
	g := &askedSHA1{}
	w := mount(t, withGuard(g))
	w.run("mkdir saved && head -c 9M /dev/zero >large && head -c 9M /dev/zero >saved/large2 && echo x >small && echo x >saved/small2")
	all := strings.Join(g.take(), "\n")
	for _, want := range []string{"publish? large 0 32", "publish? large2 20 32", "publish? small 0 32", "publish? small2 20 32"} {
		if !strings.Contains(all, want) {
			t.Errorf("missing %q in %s", want, all)
		}
	}
}
