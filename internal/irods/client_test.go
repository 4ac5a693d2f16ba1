package irods_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/sandbox/irodsd"
)

func put(t *testing.T, c *irods.Client, path string, data []byte) {
	t.Helper()
	sum := sha256.Sum256(data)
	if err := c.Put(ctxFor(t), path, data, sum[:]); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func TestNames(t *testing.T) {
	z := anyZone(t)
	c := z.client(t)
	names := []string{
		"plain", "with space", "it's", `quo"ted`, "a&b", "a&&b", "a||b", "x<y>z", "per%cent", "under_score", "under-score",
		"back`tick", `back\slash`, "Größe", "日本語", "emoji😀", "tab\there", "line\nbreak", "&#39;", "&amp;", "it's and 'that'",
		".hidden", "trailing ", " leading", "semi;colon", "(paren)", "comma,x", "*star?", strings.Repeat("n", 255),
	}
	ctx := ctxFor(t)
	for _, n := range names {
		dir := home + "/" + n
		if err := c.Mkdir(ctx, dir); err != nil {
			t.Errorf("mkdir %q: %v", n, err)
			continue
		}
		put(t, c, dir+"/"+n, []byte(n))
		e, err := c.Stat(ctx, dir+"/"+n)
		if err != nil || e.Size != int64(len(n)) || len(e.Replicas) != 1 {
			t.Errorf("stat %q: got %+v, %v", n, e, err)
		}
		entries, err := c.List(ctx, dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != n {
			t.Errorf("list %q: got %v, %v", n, entries, err)
		}
		if l, err := c.Rights(ctx, dir+"/"+n, false); err != nil || l != irods.LevelOwn {
			t.Errorf("rights of %q: got %v, %v", n, l, err)
		}
		want := []irods.AVU{{Name: n, Value: n, Units: "u"}}
		if err := c.ChangeAVUs(ctx, dir+"/"+n, false, nil, want); err != nil {
			t.Errorf("add metadata %q: %v", n, err)
		}
		if got, err := c.AVUs(ctx, dir+"/"+n, false); err != nil || !slices.Equal(got, want) {
			t.Errorf("metadata of %q: got %v, %v", n, got, err)
		}
		if err := c.Rename(ctx, dir+"/"+n, dir+"/moved", false, false); err != nil {
			t.Errorf("rename %q: %v", n, err)
		}
	}
	entries, err := c.List(ctx, home)
	if err != nil || len(entries) != len(names) {
		t.Errorf("got %d entries (%v), want %d", len(entries), err, len(names))
	}
	for _, bad := range []string{"bell\a", "nul\x00", "bad\xffutf", "", ".", "..", strings.Repeat("n", 256), "￾", "cr\r"} {
		if err := c.Mkdir(ctx, home+"/"+bad); err == nil {
			t.Errorf("mkdir %q: got no error", bad)
		}
	}
}

func TestErrorsHaveClasses(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t), ctxFor(t)
	put(t, c, home+"/f", []byte("x"))
	if err := c.Mkdir(ctx, home+"/d"); err != nil {
		t.Fatal(err)
	}
	put(t, c, home+"/d/f", []byte("x"))
	sum := sha256.Sum256(nil)
	_, openErr := c.OpenRead(ctx, home+"/none")
	_, createErr := c.Create(ctx, home+"/f")
	_, statErr := c.Stat(ctx, home+"/none")
	_, listErr := c.List(ctx, home+"/none")
	_, fileErr := c.List(ctx, home+"/f")
	for _, tt := range []struct {
		what string
		err  error
		want error
	}{
		{"stat", statErr, irods.ErrNotFound},
		{"list nothing", listErr, irods.ErrNotFound},
		{"list a data object", fileErr, irods.ErrInvalid},
		{"open", openErr, irods.ErrNotFound},
		{"create over", createErr, irods.ErrExists},
		{"mkdir over", c.Mkdir(ctx, home+"/d"), irods.ErrExists},
		{"mkdir without parent", c.Mkdir(ctx, home+"/no/d"), irods.ErrNotFound},
		{"mkdir denied", c.Mkdir(ctx, homeOfBob+"/d"), irods.ErrDenied},
		{"rmdir full", c.Rmdir(ctx, home+"/d"), irods.ErrNotEmpty},
		{"remove nothing", c.Remove(ctx, home+"/none", true), irods.ErrNotFound},
		{"put over", c.Put(ctx, home+"/f", nil, sum[:]), irods.ErrExists},
		{"put with a wrong sum", c.Put(ctx, home+"/w", []byte("x"), sum[:]), irods.ErrChecksum},
		{"rename over", c.Rename(ctx, home+"/f", home+"/d/f", false, false), irods.ErrExists},
		{"rename below itself", c.Rename(ctx, home+"/d", home+"/d/e", true, false), irods.ErrInvalid},
		{"empty metadata", c.ChangeAVUs(ctx, home+"/f", false, nil, []irods.AVU{{Name: "a"}}), irods.ErrInvalid},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.err, tt.want)
		}
	}
}

func TestReadWriteSeek(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t), ctxFor(t)
	f, err := c.Create(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 300)
	for _, w := range []struct {
		off  int64
		text string
	}{{0, "hello"}, {100, "middle"}, {5, " world"}, {294, "ending"}} {
		if err := f.WriteAt(ctx, []byte(w.text), w.off); err != nil {
			t.Fatal(err)
		}
		copy(want[w.off:], w.text)
	}
	got := make([]byte, 400)
	if n, err := f.ReadAt(ctx, got, 0); err != nil || !bytes.Equal(got[:n], want) {
		t.Errorf("while writing: got %q, %v", got[:n], err)
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(want)
	if s, err := c.Checksum(ctx, home+"/f", false); err != nil || s != irods.FormatSHA256(sum[:]) {
		t.Errorf("checksum: got %q, %v", s, err)
	}
	if err := c.Truncate(ctx, home+"/f", 10); err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1_600_000_000, 0)
	if err := c.Touch(ctx, home+"/f", when); err != nil {
		t.Fatal(err)
	}
	e, err := c.Stat(ctx, home+"/f")
	if err != nil || e.Size != 10 || !e.Modified.Equal(when) || !e.Good() {
		t.Errorf("stat: got %+v, %v", e, err)
	}
}

// More files are open than there are connections, and others need some too.
func TestManyOpenFiles(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t, func(cfg *irods.Config) { cfg.MaxConnections = 3 }), ctxFor(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			p := fmt.Sprintf("%s/f%d", home, i)
			f, err := c.Create(ctx, p)
			if err != nil {
				t.Error(err)
				return
			}
			var want []byte
			for j := range 20 {
				b := bytes.Repeat([]byte{byte(i), byte(j)}, 100)
				if err := f.WriteAt(ctx, b, int64(len(want))); err != nil {
					t.Error(err)
					return
				}
				want = append(want, b...)
				if _, err := c.Stat(ctx, home); err != nil {
					t.Error(err)
				}
			}
			if err := f.Close(ctx); err != nil {
				t.Error(err)
			}
			r, err := c.OpenRead(ctx, p)
			if err != nil {
				t.Error(err)
				return
			}
			got := make([]byte, len(want)+1)
			n := 0
			for n < len(want) {
				m, err := r.ReadAt(ctx, got[n:n+500], int64(n))
				if err != nil || m == 0 {
					t.Errorf("read: %d, %v", m, err)
					break
				}
				n += m
			}
			if !bytes.Equal(got[:n], want) {
				t.Error("other bytes came back")
			}
			_ = r.Close(ctx)
		})
	}
	wg.Wait()
}

func TestCancelledCallReturnsAtOnce(t *testing.T) {
	var slow atomic.Bool
	z := serve(t, func(c *irodsd.Config) {
		c.Fault = func(api int, _ int64) irodsd.Fault {
			if slow.Load() && api == 633 {
				return irodsd.Fault{Delay: time.Hour}
			}
			return irodsd.Fault{}
		}
	})
	c := z.client(t)
	if err := c.Connect(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Stat(ctx, home); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	slow.Store(false)
	// The abandoned answer must not be taken for this one.
	if e, err := c.Stat(ctxFor(t), "/tempZone/home/public"); err == nil && e.Path != "/tempZone/home/public" {
		t.Errorf("got %+v", e)
	}
	if _, err := c.List(ctxFor(t), home); err != nil {
		t.Error(err)
	}
}

func TestLostConnections(t *testing.T) {
	z := anyZone(t)
	r := newRelay(t, z.port)
	c, ctx := z.client(t, func(cfg *irods.Config) { cfg.Port = r.port }), ctxFor(t)
	put(t, c, home+"/f", bytes.Repeat([]byte("0123456789"), 1000))
	f, err := c.OpenRead(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4)
	for i := range 3 {
		r.cut()
		if n, err := f.ReadAt(ctx, buf, int64(10*i+2)); err != nil || n != 4 || string(buf) != "2345" {
			t.Errorf("a read after a cut: got %d %q, %v", n, buf[:n], err)
		}
		r.cut()
		if _, err := c.List(ctx, home); err != nil {
			t.Errorf("a listing after a cut: %v", err)
		}
	}
	w, err := c.Create(ctx, home+"/w")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteAt(ctx, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	r.cut()
	if err := w.WriteAt(ctx, []byte("y"), 1); !errors.Is(err, irods.ErrLost) {
		t.Errorf("a write after a cut: got %v, want the connection lost", err)
	}
	if err := w.Close(ctx); err == nil {
		t.Error("the close of a file that lost its connection succeeded")
	}
}

func TestListingCostsConstantRequests(t *testing.T) {
	defer irods.SetPageRows(400)()
	var count atomic.Int64
	z := serve(t, func(c *irodsd.Config) {
		c.Fault = func(int, int64) irodsd.Fault { count.Add(1); return irodsd.Fault{} }
	})
	c, ctx := z.client(t), ctxFor(t)
	dir := home + "/many"
	if err := c.Mkdir(ctx, dir); err != nil {
		t.Fatal(err)
	}
	for i := range 450 {
		if err := z.PutObject(ctx, fmt.Sprintf("%s/%04d", dir, i), "alice", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	count.Store(0)
	entries, self, err := c.ListRated(ctx, dir)
	if err != nil || len(entries) != 450 || self != irods.LevelOwn {
		t.Fatalf("got %d entries, level %v, %v", len(entries), self, err)
	}
	for i, e := range entries {
		if e.Name() != fmt.Sprintf("%04d", i) || e.Size != 1 || e.Level != irods.LevelOwn {
			t.Fatalf("entry %d: got %+v", i, e)
		}
	}
	// The login, who the user is, and one answer in full for the objects and
	// for their rights.
	if n := count.Load(); n > 10 {
		t.Errorf("%d requests, want at most 10", n)
	}
	if _, _, err := c.ListRated(ctx, home+"/nothing"); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("nothing: got %v", err)
	}
}

func TestRightsOfGroups(t *testing.T) {
	z := anyZone(t)
	ctx := ctxFor(t)
	for _, err := range []error{
		z.AddGroup(ctx, "lab"), z.AddToGroup(ctx, "lab", "bob"),
		z.MakeCollection(ctx, home+"/shared", "alice"),
		z.SetAccess(ctx, home+"/shared", "lab", "write"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	bob := z.client(t, z.as("bob"))
	if l, err := bob.Rights(ctx, home+"/shared", true); err != nil || l != irods.LevelWrite {
		t.Errorf("got %v, %v, want write", l, err)
	}
	if ok, err := bob.Visible(ctx, home); err != nil || !ok {
		t.Errorf("visible: got %v, %v", ok, err)
	}
	if e, err := bob.StatRated(ctx, home+"/shared"); err != nil || e.Level != irods.LevelWrite || !e.IsCollection {
		t.Errorf("got %+v, %v, want a collection to write in", e, err)
	}
	some, err := bob.CollectionsRated(ctx, home, home+"/shared", "/tempZone/home/bob", "/tempZone/it's", "/tempZone/nothing")
	if err != nil || len(some) != 2 {
		t.Errorf("got %+v, %v, want two collections", some, err)
	}
	for _, e := range some {
		want := irods.LevelOwn
		if e.Name() == "shared" {
			want = irods.LevelWrite
		}
		if e.Level != want {
			t.Errorf("%s: got level %v, want %v", e.Path, e.Level, want)
		}
	}
	if _, err := bob.Stat(ctx, home); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("alice's home: got %v, want it invisible", err)
	}
}

func TestCollectionMetadata(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t), ctxFor(t)
	var colls []string
	for _, n := range []string{"a", "b'c", "d"} {
		colls = append(colls, home+"/"+n)
		if err := c.Mkdir(ctx, home+"/"+n); err != nil {
			t.Fatal(err)
		}
	}
	a := []irods.AVU{{Name: "omerods::state", Value: "saving"}, {Name: "omerodsX", Value: "no"}}
	for _, p := range colls[:2] {
		if err := c.ChangeAVUs(ctx, p, true, nil, a); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.CollectionAVUs(ctx, append(colls, home+"/none"), "omerods::")
	if err != nil || len(got) != 2 || !slices.Equal(got[colls[1]], a[:1]) {
		t.Errorf("got %v, %v", got, err)
	}
	// Nothing of a change that fails is applied.
	err = c.ChangeAVUs(ctx, colls[0], true, []irods.AVU{a[0]}, []irods.AVU{{Name: "x", Value: "y"}, {Name: "z", Value: ""}})
	if err == nil {
		t.Error("an empty value was accepted")
	}
	if got, _ := c.AVUs(ctx, colls[0], true); len(got) != 2 {
		t.Errorf("after a failed change: got %v", got)
	}
	if err := c.ChangeAVUs(ctx, colls[0], true, []irods.AVU{a[0]}, []irods.AVU{{Name: "omerods::state", Value: "finished"}}); err != nil {
		t.Error(err)
	}
}

func TestQuotaIsSpace(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t), ctxFor(t)
	for _, err := range []error{
		z.AddGroup(ctx, "omerods_quota"), z.AddToGroup(ctx, "omerods_quota", "alice"), z.SetQuota(ctx, "omerods_quota", "", 1<<40),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if err := z.SetQuota(ctx, "omerods_quota", "", 0); err != nil {
			t.Error(err)
		}
	}()
	s, err := c.Space(ctx)
	if err != nil || s.Total != 1<<40 || s.Free == 0 || s.Free > 1<<40 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestReplaceByRenameAndCopy(t *testing.T) {
	z := anyZone(t)
	c, ctx := z.client(t), ctxFor(t)
	put(t, c, home+"/old", []byte("old"))
	put(t, c, home+"/new", []byte("newer"))
	before, _ := c.Stat(ctx, home+"/old")
	if err := c.Copy(ctx, home+"/new", home+"/old", true); err != nil {
		t.Fatal(err)
	}
	after, err := c.Stat(ctx, home+"/old")
	if err != nil || after.ID != before.ID || after.Size != 5 {
		t.Errorf("copy over: got %+v, %v", after, err)
	}
	if err := c.Rename(ctx, home+"/new", home+"/old", false, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Stat(ctx, home+"/new"); !errors.Is(err, irods.ErrNotFound) {
		t.Errorf("the old name: got %v", err)
	}
}
