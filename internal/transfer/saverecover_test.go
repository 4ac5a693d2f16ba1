package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
)

func waitForState(t *testing.T, a *fakeArchive, want State) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); a.value(target, avuState) != string(want); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("state %q (%s), want %s", a.value(target, avuState), a.value(target, avuReason), want)
		}
	}
}

// killedAfter leaves in a what a mount has that was killed after it had
// stored some files, and its marks.
func killedAfter(t *testing.T, a *fakeArchive, p testPack, names []string) {
	t.Helper()
	s, b, _ := newTestSaves(t)
	for _, n := range names {
		if err := b.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for path, content := range b.files {
		a.files[path] = content
	}
	a.avus[target] = nil
	for _, v := range b.avus[target] {
		if v.Name == avuWriter {
			v.Value = "other"
		}
		a.avus[target] = append(a.avus[target], v)
	}
}

func TestSaveOfADeadMountIsTakenOverAtOnce(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p := newTestPack(t)
	killedAfter(t, a, p, p.names(true)[:3])
	if err := s.BeforeCreate(testContext(), target+"/x"); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("nobody knows whether it lives: got %v, want busy", err)
	}
	a.dead = map[string]bool{"other": true}
	for _, n := range p.names(true) {
		if err := a.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
			t.Fatalf("known to be dead: %s: %v", n, err)
		}
	}
	if got := a.value(target, avuState); got != "finished" {
		t.Errorf("got %q, want finished", got)
	}
}

func TestRecoverEndsWhatAKilledMountLeft(t *testing.T) {
	p := newTestPack(t)
	all := p.names(true)
	for _, c := range []struct {
		files []string
		want  State
	}{{all, StateFinished}, {all[:3], StatePartial}} {
		s, a, notes := newTestSaves(t)
		// The last file is stored, and the mount killed before it could mark.
		killedAfter(t, a, p, c.files[:len(c.files)-1])
		last := c.files[len(c.files)-1]
		a.files[target+"/"+last] = p.files[last]
		if err := s.Recover(testContext(), "other"); err != nil {
			t.Fatal(err)
		}
		waitForState(t, a, c.want)
		s.wait.Wait()
		if got := a.value(target, avuWriter); got != "" {
			t.Errorf("%s: the mark of the mount %q is left", c.want, got)
		}
		if len(notes.told) != 1 || notes.told[0].State != c.want {
			t.Errorf("%s: OMERO was told %+v", c.want, notes.told)
		}
		r := s.cfg.Records.All(1000)
		if len(r) != 1 || r[0].State != c.want || (c.want == StatePartial) != strings.Contains(r[0].Reason, "was killed") {
			t.Errorf("%s: records %+v", c.want, r)
		}
		if err := a.put(testContext(), s, target+"/"+all[4], p.files[all[4]]); (err == nil) != (c.want == StatePartial) {
			t.Errorf("%s: more is written: %v", c.want, err)
		}
	}
}

func TestRecoverTellsOMEROWhatItHasMissed(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p := newTestPack(t)
	notes.err = tree.Errorf(tree.ErrOffline, "OMERO is away")
	for _, n := range p.names(true) {
		if err := a.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	if got := a.value(target, avuWriter); got != "this" || a.value(target, avuState) != "finished" {
		t.Fatalf("state %q, held by %q; want finished, held until OMERO knows", a.value(target, avuState), got)
	}
	if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StateFinished || !strings.Contains(r[0].Note, "could not be told") {
		t.Errorf("records %+v", r)
	}
	later := NewSaves(s.cfg)
	defer later.Close(context.Background())
	notes.err = nil
	if err := later.Recover(testContext(), "this"); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuWriter); got != "" {
		t.Errorf("still held by %q", got)
	}
	last := notes.told[len(notes.told)-1]
	if len(notes.told) != 2 || last.State != StateFinished || last.Files != len(p.files) || last.Bytes == 0 {
		t.Errorf("OMERO was told %+v", last)
	}
}

func TestSaveTakenOverIsNotMarkedByItsFormerMount(t *testing.T) {
	s, a, notes := newTestSaves(t)
	p := newTestPack(t)
	names := p.names(true)
	for _, n := range names[:len(names)-1] {
		if err := a.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	a.mu.Lock()
	for i := range a.avus[target] {
		if a.avus[target][i].Name == avuSave {
			a.avus[target][i].Value = "another"
		}
	}
	a.mu.Unlock()
	last := names[len(names)-1]
	if err := a.put(testContext(), s, target+"/"+last, p.files[last]); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("got %v, want busy", err)
	}
	if got := a.value(target, avuState); got != "saving" || len(notes.told) != 0 {
		t.Errorf("state %q, OMERO was told %v", got, notes.told)
	}
}

func TestFileRenamedIntoASaveIsChecked(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	for _, n := range p.names(true) {
		dst := target + "/" + n
		if n == "D1/a.tif" {
			continue
		}
		if err := a.put(ctx, s, dst, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	move := func(content []byte) error {
		from, to := target+"/D1/a.tif.tmp", target+"/D1/a.tif"
		if err := a.put(ctx, s, from, content); err != nil {
			t.Fatal(err)
		}
		if err := s.BeforeRename(ctx, from, to, false); err != nil {
			return err
		}
		a.files[to] = a.files[from]
		delete(a.files, from)
		return s.Renamed(ctx, from, to)
	}
	if err := move([]byte("image b")); !errors.Is(err, tree.ErrIO) {
		t.Errorf("another content: got %v, want an I/O error", err)
	}
	if err := move(p.files["D1/a.tif"]); err != nil {
		t.Error(err)
	}
	if got := a.value(target, avuState); got != "finished" {
		t.Errorf("got %q, want finished with the rename", got)
	}
}

func TestSaveWithoutItsTransferXMLIsNotFinished(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	names := p.names(true)
	for _, n := range names[:len(names)-1] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	delete(a.files, target+"/"+transferXML)
	s.Removed(ctx, target+"/"+transferXML)
	last := names[len(names)-1]
	if err := a.put(ctx, s, target+"/"+last, p.files[last]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuState); got != "saving" {
		t.Fatalf("got %q, want saving", got)
	}
	if err := a.put(ctx, s, target+"/"+transferXML, p.files[transferXML]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuState); got != "finished" {
		t.Errorf("got %q, want finished", got)
	}
}

func TestGeneratedFilesMayComeAfterTheEnd(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	names := slices.DeleteFunc(p.names(true), func(n string) bool { return n == "D2/transfer.xml" || n == "SHA1SUMS" })
	for _, n := range names {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	s.saves[target].judge(ctx, "the program has ended")
	if got := a.value(target, avuState); got != "finished" {
		t.Fatalf("got %q, want finished", got)
	}
	if err := a.put(ctx, s, target+"/D2/transfer.xml", p.files["D2/transfer.xml"]); err != nil {
		t.Errorf("a generated file: %v", err)
	}
	if err := a.put(ctx, s, target+"/D2/new", nil); !errors.Is(err, tree.ErrNotPermitted) {
		t.Errorf("another file: got %v, want not permitted", err)
	}
	other := tree.WithCaller(ctx, tree.Caller{UID: 2000})
	if err := a.put(other, s, target+"/SHA1SUMS", p.files["SHA1SUMS"]); !errors.Is(err, tree.ErrNotPermitted) {
		t.Errorf("somebody else: got %v, want not permitted", err)
	}
}

func TestSaveThatCannotBeEndedSaysSo(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	for _, n := range p.names(true)[:3] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	a.fail = func(string, string) error { return tree.Errorf(tree.ErrOffline, "connection lost") }
	sv := s.saves[target]
	sv.judge(ctx, "the program has ended")
	if r := s.cfg.Records.All(1000); r[0].State != StateSaving || !strings.Contains(r[0].Note, "connection lost") {
		t.Errorf("records %+v", r)
	}
	a.fail = func(string, string) error { return nil }
	sv.judge(ctx, "the program has ended")
	if r := s.cfg.Records.All(1000); r[0].State != StatePartial || r[0].Note != "" || a.value(target, avuState) != "partial" {
		t.Errorf("records %+v", r)
	}
}

// The mark comes before the transfer.xml is seen, so a kill may leave one alone.
func TestRecoverEndsASaveWithoutItsTransferXML(t *testing.T) {
	p := newTestPack(t)
	s, a, notes := newTestSaves(t)
	killedAfter(t, a, p, []string{transferXML})
	delete(a.files, target+"/"+transferXML)
	if err := s.Recover(testContext(), "other"); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuState); got != "partial" || a.value(target, avuWriter) != "" {
		t.Errorf("marked %s, held by %q", got, a.value(target, avuWriter))
	}
	if len(notes.told) != 1 || notes.told[0].State != StatePartial || notes.told[0].ID != 7 || notes.told[0].Kind != "Project" {
		t.Errorf("OMERO was told %+v", notes.told)
	}
	if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StatePartial {
		t.Errorf("records %+v", r)
	}
}
