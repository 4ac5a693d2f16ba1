package transfer

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/fs/tree"
)

const tarTarget = "/z/home/ada/P.tar"

// tarBytes makes a tar of files in that order.
func tarBytes(t testing.TB, files map[string][]byte, names []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: n, Typeflag: tar.TypeReg, Size: int64(len(files[n])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A tar is looked at in passing as a reader of tars reads it, however it is
// written and in whatever pieces it comes.
func TestTarIsScannedInPassing(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	for name, size := range map[string]int{
		"transfer.xml": 3, "empty": 0, "exact": 512, "sub/" + strings.Repeat("long", 40) + "/" + strings.Repeat("name", 50): 1000, "big": 300000, "Größe": 7,
	} {
		data := bytes.Repeat([]byte{byte(size)}, size)
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
		want[name] = fmt.Sprintf("%d %x", size, sha1.Sum(data))
	}
	if err := os.Link(filepath.Join(dir, "big"), filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	want["linked"] = want["big"]
	for _, format := range []string{"gnu", "posix"} {
		data, err := exec.Command("tar", "-C", dir, "--format", format, "-cf", "-", "./transfer.xml", "empty", "exact", "sub", "big", "Größe", "linked").Output()
		if err != nil {
			t.Fatal(err)
		}
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 1))
		s := NewSums()
		for rest := data; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(3000))
			_, _ = s.Write(rest[:n])
			rest = rest[n:]
		}
		c := s.Tar()
		if c == nil || !c.Whole || c.Flaw != nil {
			t.Fatalf("%s, seed %d: %+v", format, seed, c)
		}
		got := map[string]string{}
		for _, m := range c.Members {
			got[m.Path] = fmt.Sprintf("%d %x", m.Size, m.SHA1)
			if sum := sha1.Sum(data[m.Off : m.Off+m.Size]); !bytes.Equal(sum[:], m.SHA1) {
				t.Errorf("%s: %s is not at %d", format, m.Path, m.Off)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s, seed %d:\ngot  %v\nwant %v", format, seed, got, want)
		}
		cut := NewSums()
		_, _ = cut.Write(data[:len(data)/2])
		if c := cut.Tar(); c == nil || c.Whole {
			t.Errorf("%s: cut off: %+v", format, c)
		}
	}
	for name, data := range map[string][]byte{
		"another tar": tarBytes(t, map[string][]byte{"a": nil}, []string{"a"}), "zeros": make([]byte, 2000), "text": []byte("transfer.xml"), "nothing": nil,
	} {
		s := NewSums()
		_, _ = s.Write(data)
		if c := s.Tar(); c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func FuzzTarScan(f *testing.F) {
	p := newTestPack(f)
	f.Add(tarBytes(f, p.files, p.names(true)))
	f.Fuzz(func(_ *testing.T, data []byte) {
		s := NewSums()
		_, _ = s.Write(data)
		if c := s.Tar(); c != nil {
			for _, m := range c.Members {
				_ = data[m.Off : m.Off+m.Size]
			}
		}
	})
}

func TestTarIsASave(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	whole := tarBytes(t, p.files, p.names(true))
	if err := a.put(ctx, s, tarTarget, whole); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		avuState: "finished", "omerods::kind": "Project", "omerods::id": "7", "omero::tag": "published", "omero::stain": "DAPI",
		"omerods::files": fmt.Sprint(len(p.files)), "omerods::bytes": fmt.Sprint(len(whole)), avuWriter: "",
	} {
		if got := a.value(tarTarget, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if len(notes.told) != 1 || notes.told[0].State != StateFinished || notes.told[0].Target != "irods://fake"+tarTarget {
		t.Errorf("OMERO was told %+v", notes.told)
	}
	if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StateFinished || r[0].Path != tarTarget || r[0].BytesDone != int64(len(whole)) {
		t.Errorf("records %+v", r)
	}
	if err := a.put(ctx, s, tarTarget, whole); !errors.Is(err, tree.ErrExists) {
		t.Errorf("written again: got %v, want exists", err)
	}
	if err := s.BeforeRename(ctx, "/z/home/ada/x", tarTarget, true); !errors.Is(err, tree.ErrExists) {
		t.Errorf("renamed over: got %v, want exists", err)
	}
	if err := s.BeforeRemove(ctx, tarTarget); err != nil {
		t.Errorf("removed: %v", err)
	}
}

func TestTarThatDiffersNeverAppears(t *testing.T) {
	p := newTestPack(t)
	for name, change := range map[string]func(files map[string][]byte){
		"another image":           func(f map[string][]byte) { f["D1/a.tif"] = []byte("image b") },
		"another size":            func(f map[string][]byte) { f["D1/a.tif"] = []byte("image") },
		"changed while copying":   func(f map[string][]byte) { f["D1/transfer.xml"] = []byte("<other/>") },
		"a sum that fits nothing": func(f map[string][]byte) { f["SHA1SUMS"] = []byte("nonsense") },
	} {
		s, a, notes := newTestSaves(t)
		files := map[string][]byte{}
		for n, b := range p.files {
			files[n] = b
		}
		change(files)
		if err := a.put(testContext(), s, tarTarget, tarBytes(t, files, p.names(true))); !errors.Is(err, tree.ErrIO) {
			t.Errorf("%s: got %v, want an I/O error", name, err)
		}
		if _, there := a.files[tarTarget]; there {
			t.Errorf("%s: it is there", name)
		}
		if len(notes.told) != 1 || notes.told[0].State != StateFailed {
			t.Errorf("%s: OMERO was told %+v", name, notes.told)
		}
		if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StateFailed || r[0].Reason == "" {
			t.Errorf("%s: records %+v", name, r)
		}
	}
}

func TestTarCutOffIsPartialAndCanBeWrittenAgain(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	whole := tarBytes(t, p.files, p.names(true))
	names := slices.DeleteFunc(p.names(true), func(n string) bool { return n == "D2/c.tif" })
	for name, data := range map[string][]byte{
		"cut": whole[:len(whole)/2], "without its end": whole[:len(whole)-1024], "without a file": tarBytes(t, p.files, names),
	} {
		if err := a.put(ctx, s, tarTarget, data); err != nil {
			t.Fatal(name, err)
		}
		if got := a.value(tarTarget, avuState); got != "partial" || a.value(tarTarget, avuReason) == "" {
			t.Errorf("%s: state %q because %q", name, got, a.value(tarTarget, avuReason))
		}
	}
	if err := a.put(ctx, s, tarTarget, whole); err != nil {
		t.Fatal(err)
	}
	if got := a.value(tarTarget, avuState); got != "finished" || a.value(tarTarget, avuReason) != "" || len(notes.told) != 4 {
		t.Errorf("whole: state %q because %q, OMERO was told %d times", got, a.value(tarTarget, avuReason), len(notes.told))
	}
}

func TestRenamedTarIsASave(t *testing.T) {
	for _, c := range []struct {
		damage bool
		want   string
	}{{false, "finished"}, {true, "failed"}} {
		s, a, _ := newTestSaves(t)
		p, ctx := newTestPack(t), testContext()
		if c.damage {
			p.files["D1/a.tif"] = []byte("image b")
		}
		from := tarTarget + ".partial"
		if err := a.put(ctx, s, from, tarBytes(t, p.files, p.names(true))); err != nil {
			t.Fatal(err)
		}
		if got := a.value(from, avuState); got != "" {
			t.Errorf("under its temporary name it is %q", got)
		}
		if err := s.BeforeRename(ctx, from, tarTarget, false); err != nil {
			t.Fatal(err)
		}
		a.files[tarTarget] = a.files[from]
		delete(a.files, from)
		if err := s.Renamed(ctx, from, tarTarget); errors.Is(err, tree.ErrIO) != c.damage {
			t.Errorf("damaged %v: %v", c.damage, err)
		}
		if got := a.value(tarTarget, avuState); got != c.want {
			t.Errorf("damaged %v: got %q, want %s", c.damage, got, c.want)
		}
	}
}

func TestRecoverATar(t *testing.T) {
	p := newTestPack(t)
	whole := tarBytes(t, p.files, p.names(true))
	for _, c := range []struct {
		state   State // when the mount was killed
		content []byte
		want    State
	}{
		{StateFinished, whole, StateFinished}, // OMERO was not told
		{StateSaving, whole, StateFinished},
		{StateSaving, whole[:len(whole)/2], StatePartial},
	} {
		s, a, notes := newTestSaves(t)
		a.files[tarTarget] = c.content
		a.avus[tarTarget] = []AVU{{Name: avuState, Value: string(c.state)}, {Name: avuSave, Value: "old"}, {Name: avuWriter, Value: "other"}}
		if err := s.Recover(testContext(), "other"); err != nil {
			t.Fatal(err)
		}
		if got := a.value(tarTarget, avuState); got != string(c.want) || a.value(tarTarget, avuWriter) != "" {
			t.Errorf("%+v: got %q, held by %q", c.want, got, a.value(tarTarget, avuWriter))
		}
		if len(notes.told) != 1 || notes.told[0].State != c.want {
			t.Errorf("OMERO was told %+v", notes.told)
		}
	}
}

func TestTarInASaveIsOneOfItsFiles(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	if err := a.put(ctx, s, target+"/"+transferXML, p.files[transferXML]); err != nil {
		t.Fatal(err)
	}
	inner := target + "/D1/P.tar"
	if err := a.put(ctx, s, inner, tarBytes(t, p.files, p.names(true))); err != nil {
		t.Fatal(err)
	}
	if got := a.value(inner, avuState); got != "" {
		t.Errorf("it is marked as %q", got)
	}
	s.Close(context.Background())
}
