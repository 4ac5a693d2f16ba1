package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"omerods/fs/tree"
)

// writingArchive is one that tells how much of the files comes.
type writingArchive struct {
	*fakeArchive
	came atomic.Int64
}

func (a *writingArchive) Writing(coll string) map[string]int64 {
	return map[string]int64{coll + "/D1/a.tif.tmp": a.came.Load()}
}

// A file that takes longer than others may be silent is no silence.
func TestOneFileMayTakeLong(t *testing.T) {
	p := newTestPack(t)
	synctest.Test(t, func(t *testing.T) {
		s, fake, _ := newTestSaves(t)
		a := &writingArchive{fakeArchive: fake}
		s.Use(a)
		if err := a.put(testContext(), s, target+"/"+transferXML, p.files[transferXML]); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			time.Sleep(time.Minute)
			synctest.Wait()
			a.came.Add(1)
		}
		if got := a.value(target, avuState); got != "saving" {
			t.Fatalf("while its bytes come: %s (%s)", got, a.value(target, avuReason))
		}
		time.Sleep(takeoverAfter + 2*heartbeatEvery)
		synctest.Wait()
		if got := a.value(target, avuState); got != "partial" {
			t.Errorf("after silence: got %s, want partial", got)
		}
		s.Close(context.Background())
	})
}

// Whoever brings the last of many files that come at once, the record says
// finished in the end.
func TestFilesThatComeAtOnceLeaveTheirRecordFinished(t *testing.T) {
	p := newTestPack(t)
	for range 50 {
		s, a, _ := newTestSaves(t)
		if err := a.put(testContext(), s, target+"/"+transferXML, p.files[transferXML]); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, n := range p.names(true) {
			if n == transferXML {
				continue
			}
			all.Go(func() {
				if err := a.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.Close(context.Background())
		if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StateFinished || a.value(target, avuState) != "finished" {
			t.Fatalf("marked %s, records %+v", a.value(target, avuState), r)
		}
	}
}

func TestWhatIsRemovedFromAFinishedSaveIsMissed(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	late := "D2/transfer.xml"
	for _, n := range p.names(true) {
		if n == late {
			continue
		}
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	s.saves[target].judge(ctx, "the program has ended")
	gone := target + "/D1/a.tif"
	if err := s.BeforeRemove(ctx, gone); err != nil {
		t.Fatal(err)
	}
	delete(a.files, gone)
	s.Removed(ctx, gone)
	if err := a.put(ctx, s, target+"/"+late, p.files[late]); err != nil {
		t.Fatal(err)
	}
	if got := a.value(target, avuState); got == "finished" {
		t.Error("it is finished again without what was removed")
	}
}

// A mount that was silent for long finds that another one goes on.
func TestFormerOwnerWritesNoMore(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	names := p.names(true)
	for _, n := range names[:2] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	a.mu.Lock()
	for i := range a.avus[target] {
		switch v := &a.avus[target][i]; v.Name {
		case avuSave:
			v.Value = "another"
		case avuWriter:
			v.Value = "other"
		}
	}
	a.mu.Unlock()
	s.states.forget(target)
	if err := s.BeforeCreate(ctx, target+"/"+names[2]); !errors.Is(err, tree.ErrBusy) {
		t.Errorf("got %v, want busy", err)
	}
}

// A mount that ends before everything is said leaves that to the next one.
func TestCloseTellsWhetherAllIsSettled(t *testing.T) {
	p := newTestPack(t)
	for _, c := range []struct {
		name    string
		arrange func(a *fakeArchive, notes *fakeAnnotator)
		settled bool
	}{
		{"nothing is wrong", func(*fakeArchive, *fakeAnnotator) {}, true},
		{"OMERO is away", func(_ *fakeArchive, n *fakeAnnotator) { n.err = tree.Errorf(tree.ErrOffline, "away") }, false},
		{"iRODS is away", func(a *fakeArchive, _ *fakeAnnotator) {
			a.fail = func(string, string) error { return tree.Errorf(tree.ErrOffline, "away") }
		}, false},
	} {
		s, a, notes := newTestSaves(t)
		for _, n := range p.names(true)[:3] {
			if err := a.put(testContext(), s, target+"/"+n, p.files[n]); err != nil {
				t.Fatal(err)
			}
		}
		c.arrange(a, notes)
		if got := s.Settle(testContext()); got != c.settled {
			t.Errorf("%s: settled is %v: %s", c.name, got, fmt.Sprint(a.avus[target]))
		}
	}
}

// What is renamed over a file of a save is looked at, wherever it comes from.
func TestUnknownFileRenamedOverAnArrivedOne(t *testing.T) {
	s, a, _ := newTestSaves(t)
	p, ctx := newTestPack(t), testContext()
	names := p.names(true)
	for _, n := range names[:len(names)-1] {
		if err := a.put(ctx, s, target+"/"+n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	from, to := "/z/home/ada/elsewhere", target+"/D1/a.tif"
	a.files[from] = []byte("image X")
	if err := s.BeforeRename(ctx, from, to, true); err != nil {
		t.Fatal(err)
	}
	a.files[to] = a.files[from]
	delete(a.files, from)
	if err := s.Renamed(ctx, from, to); err != nil {
		t.Fatal(err)
	}
	last := names[len(names)-1]
	if err := a.put(ctx, s, target+"/"+last, p.files[last]); err != nil {
		t.Log(err)
	}
	s.Close(context.Background())
	if got := a.value(target, avuState); got == "finished" {
		t.Error("finished with another file in place of the right one")
	}
}

// A tar that does not get its place leaves nothing that says it is on its way,
// and nothing that another file could be taken for.
func TestTarThatDoesNotGetItsPlace(t *testing.T) {
	p := newTestPack(t)
	content := tarBytes(t, p.files, p.names(true))
	sums := NewSums()
	_, _ = sums.Write(content)
	for _, replaces := range []bool{false, true} {
		s, a, notes := newTestSaves(t)
		w := Written{
			Path: tarTarget, Size: sums.Size(), SHA1: sums.SHA1(), SHA256: sums.SHA256(), Tar: sums.Tar(), Replaces: replaces,
			Open: func(context.Context) (tree.Handle, error) { return bytesHandle{bytes.NewReader(content)}, nil },
		}
		if replaces {
			a.files[tarTarget] = []byte("old")
			a.avus[tarTarget] = []AVU{{Name: avuState, Value: "partial"}}
		}
		if _, err := s.BeforePublish(testContext(), w); err != nil {
			t.Fatal(err)
		}
		s.Unpublished(testContext(), w, tree.Errorf(tree.ErrNoSpace, "the disk is full"))
		if r := s.cfg.Records.All(1000); len(r) != 1 || r[0].State != StateFailed || !strings.Contains(r[0].Reason, "disk is full") {
			t.Errorf("replaces %v: records %+v", replaces, r)
		}
		if len(notes.told) != 1 || notes.told[0].State != StateFailed {
			t.Errorf("replaces %v: OMERO was told %+v", replaces, notes.told)
		}
		if got := a.value(tarTarget, avuState); replaces && (got != "failed" || a.value(tarTarget, avuWriter) != "") {
			t.Errorf("marked %s, held by %q", got, a.value(tarTarget, avuWriter))
		}
		if err := s.Published(testContext(), w); err != nil || len(notes.told) != 1 {
			t.Errorf("replaces %v: another file is taken for it: %v, %+v", replaces, err, notes.told)
		}
	}
}
