package transfer

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
)

const target = "/z/home/ada/P"

func newTestSaves(t *testing.T) (*Saves, *fakeArchive, *fakeAnnotator) {
	t.Helper()
	a, notes := newFakeArchive(), &fakeAnnotator{}
	s := NewSaves(SavesConfig{
		Archive: a, Annotator: notes, Records: NewRecords(time.Now), Logger: slog.New(slog.DiscardHandler),
		Now: time.Now, Version: "test",
	})
	t.Cleanup(func() { s.Close(context.Background()) })
	return s, a, notes
}

func TestSaveFinishesWithItsLastFile(t *testing.T) {
	for _, first := range []bool{true, false} {
		s, a, notes := newTestSaves(t)
		p, ctx := newTestPack(t), testContext()
		names := p.names(first)
		for i, n := range names {
			if got := a.value(target, avuState); got == string(StateFinished) {
				t.Fatalf("finished after %d of %d files", i, len(names))
			}
			if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
				t.Fatalf("%s: %v", n, err)
			}
		}
		for name, want := range map[string]string{
			avuState: "finished", "omerods::kind": "Project", "omerods::id": "7", "omerods::origin": "omero.test",
			"omerods::owner": "ada", "omero::tag": "published",
		} {
			if got := a.value(target, name); got != want {
				t.Errorf("transfer.xml first %v: %s: got %q, want %q", first, name, got, want)
			}
		}
		if got := a.value(target+"/D1/a.tif", "omero::stain"); got != "DAPI" {
			t.Errorf("key-value pair of an image: got %q, want DAPI", got)
		}
		if len(notes.told) != 1 || notes.told[0].State != StateFinished || notes.told[0].ID != 7 || notes.told[0].Files != len(names) {
			t.Errorf("OMERO was told %+v", notes.told)
		}
		r := s.cfg.Records.All(1000)
		if len(r) != 1 || r[0].State != StateFinished || r[0].BytesDone != r[0].Bytes {
			t.Errorf("record %+v", r)
		}
	}
}

func TestFinishedSaveIsWrittenOnce(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	for _, n := range p.names(true) {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		err, want error
	}{
		"create a new name":      {s.BeforeCreate(ctx, target+"/D1/new.tif"), tree.ErrNotPermitted},
		"write an existing file": {s.BeforeWrite(ctx, target+"/D1/a.tif"), tree.ErrExists},
		"make a folder":          {s.BeforeMkdir(ctx, target+"/D3"), tree.ErrNotPermitted},
		"rename inside":          {s.BeforeRename(ctx, target+"/D1/a.tif", target+"/D1/z.tif", false), tree.ErrNotPermitted},
		"rename over a file":     {s.BeforeRename(ctx, "/z/home/ada/x", target+"/D1/a.tif", true), tree.ErrExists},
		"rename into":            {s.BeforeRename(ctx, "/z/home/ada/x", target+"/x", false), tree.ErrNotPermitted},
		"rename the whole":       {s.BeforeRename(ctx, target, "/z/home/ada/Q", false), nil},
		"create beside":          {s.BeforeCreate(ctx, "/z/home/ada/other"), nil},
		"create in a like-named": {s.BeforeCreate(ctx, target+"2/x"), nil},
		"remove something in it": {s.BeforeRemove(ctx, target+"/D1/a.tif"), nil},
	} {
		if !errors.Is(c.err, c.want) || (c.want == nil && c.err != nil) {
			t.Errorf("%s: got %v, want %v", what, c.err, c.want)
		}
	}
	if got := a.value(target, avuState); got != string(StateRemoving) {
		t.Errorf("state after a removal: got %q, want removing", got)
	}
}

func TestDamagedFileNeverFinishesASave(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	if err := a.put(ctx, s, target+"/"+transferXML, p.files[transferXML]); err != nil {
		t.Fatal(err)
	}
	if err := a.put(ctx, s, target+"/D1/a.tif", []byte("image b")); !errors.Is(err, tree.ErrIO) {
		t.Errorf("wrong content: got %v, want an I/O error", err)
	}
	if _, there := a.files[target+"/D1/a.tif"]; there {
		t.Error("the damaged file was published")
	}
	for _, n := range p.names(false) {
		if n == "D1/a.tif" || n == transferXML {
			continue
		}
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.value(target, avuState); got != string(StateSaving) {
		t.Fatalf("state: got %q, want saving", got)
	}
	if err := a.put(ctx, s, target+"/D1/a.tif", p.files["D1/a.tif"]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuState); got != string(StateFinished) {
		t.Errorf("after the right file has come: got %q, want finished", got)
	}
}

func TestChangedWhileCopying(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	p.files["D2/transfer.xml"] = []byte("<another/>") // SHA1SUMS lists the old one
	var failed error
	for _, n := range p.names(true) {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			failed = err
		}
	}
	if failed == nil || !strings.Contains(failed.Error(), "changed while copying") {
		t.Errorf("got %v, want changed while copying", failed)
	}
	if got := a.value(target, avuState); got != string(StateFailed) {
		t.Errorf("state: got %q, want failed", got)
	}
	if len(notes.told) != 1 || notes.told[0].State != StateFailed {
		t.Errorf("OMERO was told %+v", notes.told)
	}
}

func TestSaveCutOffIsPartialAndCanGoOn(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p := newTestPack(t)
	writer := exec.Command("sleep", "1000")
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer writer.Wait()
	ctx := tree.WithCaller(context.Background(), tree.Caller{UID: 1000, TID: uint32(writer.Process.Pid)})
	names := p.names(true)
	for _, n := range names[:3] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	writer.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); a.value(target, avuState) != string(StatePartial); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("state: %q, want partial", a.value(target, avuState))
		}
	}
	if a.value(target, avuReason) == "" {
		t.Error("a partial save gives no reason")
	}
	// As rsync does: only what is missing comes, and no transfer.xml.
	again := exec.Command("sleep", "1000")
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer again.Wait()
	ctx = tree.WithCaller(context.Background(), tree.Caller{UID: 1000, TID: uint32(again.Process.Pid)})
	for _, n := range names[3:] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(n, err)
		}
	}
	again.Process.Kill()
	waitForState(t, a, StateFinished)
}

// A program that goes on with a save may begin with a pack inside of it: that
// is a part, not a save of its own.
func TestSaveGoesOnWithAPart(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, inner := newTestPack(t), newTestPack(t)
	put := func(names ...string) (end func()) {
		t.Helper()
		writer := exec.Command("sleep", "1000")
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		ctx := tree.WithCaller(context.Background(), tree.Caller{UID: 1000, TID: uint32(writer.Process.Pid)})
		for _, n := range names {
			if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
				t.Fatal(n, err)
			}
		}
		return func() { _ = writer.Process.Kill(); _ = writer.Wait() }
	}
	names := p.names(true)
	put(names[:3]...)()
	waitForState(t, a, StatePartial)
	own := p.files["D1/"+transferXML]
	p.files["D1/"+transferXML] = inner.files[transferXML] // a pack of its own
	end := put("D1/" + transferXML)
	if got := a.value(target+"/D1", avuState); got != "" {
		t.Errorf("the part: got %q, want no state", got)
	}
	if got := a.value(target, avuState); got != string(StateSaving) {
		t.Errorf("the whole: got %q, want saving", got)
	}
	end()
	waitForState(t, a, StatePartial)
	p.files["D1/"+transferXML] = own
	put(names[3:]...)()
	waitForState(t, a, StateFinished)
	if got := a.value(target+"/D1", avuState); got != "" {
		t.Errorf("the part in the end: got %q, want no state", got)
	}
}

func TestOnlyTheTopPackGoverns(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	inner := newTestPack(t)
	p.files["D1/transfer.xml"] = inner.files[transferXML] // a pack of its own
	if err := a.put(ctx, s, target+"/D1/transfer.xml", p.files["D1/transfer.xml"]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target+"/D1", avuState); got != string(StateSaving) {
		t.Fatalf("alone: got %q, want saving", got)
	}
	if err := a.put(ctx, s, target+"/"+transferXML, p.files[transferXML]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target+"/D1", avuState); got != "" {
		t.Errorf("as a part: got %q, want no state", got)
	}
	if got := a.value(target, avuState); got != string(StateSaving) {
		t.Errorf("the whole: got %q, want saving", got)
	}
}

func TestAnotherLiveSaveIsBusy(t *testing.T) {
	s, a, _ := newTestSaves(t)
	now := time.Now()
	a.avus[target] = []AVU{{Name: avuState, Value: "saving"}, {Name: avuHeartbeat, Value: now.UTC().Format(time.RFC3339)}}
	if err := s.BeforeCreate(testContext(), target+"/x"); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("alive: got %v, want busy", err)
	}
	s.states.forget(target)
	a.avus[target] = []AVU{{Name: avuState, Value: "saving"}, {Name: avuHeartbeat, Value: now.Add(-takeoverAfter - time.Second).UTC().Format(time.RFC3339)}}
	if err := s.BeforeCreate(testContext(), target+"/x"); err != nil {
		t.Errorf("silent for long: got %v, want it taken over", err)
	}
}

func TestMarksAreNotSetWhenTheServerRefuses(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	names := p.names(true)
	for _, n := range names[:len(names)-1] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	refused := tree.Errorf(tree.ErrOffline, "connection lost")
	a.fail = func(string, string) error { return refused }
	last := names[len(names)-1]
	if err := a.put(ctx, s, target+"/"+last, p.files[last]); !errors.Is(err, tree.ErrOffline) {
		t.Errorf("got %v, want the server's error at the last close", err)
	}
	if got := a.value(target, avuState); got != string(StateSaving) || len(notes.told) != 0 {
		t.Errorf("state %q, OMERO told %v", got, notes.told)
	}
	a.fail = func(string, string) error { return nil }
}
