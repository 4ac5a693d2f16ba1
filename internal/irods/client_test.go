package irods_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/irods"
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
