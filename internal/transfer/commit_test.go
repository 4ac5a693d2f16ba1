package transfer

import (
	"context"
	"errors"
	"testing"
	"time"

	"omerods/fs/tree"
)

// slowOMERO takes its time for the commit, and does it when the load is over
// by then.
type slowOMERO struct {
	*fakeOMERO
	begun  chan struct{}
	finish chan struct{}
}

func (o slowOMERO) Destination(context.Context) (Destination, error) { return o, nil }

func (o slowOMERO) Finish(ctx context.Context, spec FinishSpec) (Finished, bool, error) {
	close(o.begun)
	select {
	case <-o.finish:
		return o.fakeOMERO.Finish(ctx, spec)
	case <-ctx.Done():
		return Finished{}, false, ctx.Err()
	}
}

// committing begins a load whose objects are just being made.
func committing(t *testing.T, ls *Loads) (slowOMERO, tree.Dir, chan error) {
	t.Helper()
	o, p := slowOMERO{newFakeOMERO(), make(chan struct{}), make(chan struct{})}, newTestPack(t)
	top, err := ls.Begin(testContext(), o, "Kidney", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() {
		var failed error
		for _, n := range p.names(false) {
			failed = errors.Join(failed, write(testContext(), top, n, p.files[n]))
		}
		written <- failed
	}()
	<-o.begun
	return o, top, written
}

// Nobody gives up a load whose objects are being made: what is removed then
// may belong to them.
func TestNothingIsRemovedDuringTheCommit(t *testing.T) {
	ls := newTestLoads(t)
	o, top, written := committing(t, ls)
	ctx := testContext()
	staged := ls.loads[keyOf(ctx, o, "Kidney")]
	if staged.abort(StateFailed, tree.ErrIncomplete) {
		t.Error("the load was given up")
	}
	staged.mu.Lock()
	clear(top.(*stagedDir).children)
	staged.mu.Unlock()
	if ours, err := ls.Remove(ctx, o, "Kidney"); !ours || !errors.Is(err, tree.ErrBusy) {
		t.Errorf("removing the folder: got %v, %v, want a busy load", ours, err)
	}
	close(o.finish)
	if err := <-written; err != nil {
		t.Errorf("the load failed: %v", err)
	}
	if len(o.filesets) != 3 || len(o.finished) != 1 {
		t.Errorf("got %d filesets and %d commits, want 3 and 1", len(o.filesets), len(o.finished))
	}
}

// A mount that ends during a commit waits for it, and when it cannot any more
// it leaves alone what may have become part of the new object.
func TestMountEndsDuringTheCommit(t *testing.T) {
	for _, patient := range []bool{true, false} {
		ls := newTestLoads(t)
		o, _, written := committing(t, ls)
		ctx, cancel := context.WithCancel(context.Background())
		if !patient {
			cancel()
		}
		ended := make(chan struct{})
		go func() { ls.Close(ctx); close(ended) }()
		if patient {
			select {
			case <-ended:
				t.Error("the mount has not waited")
			case <-time.After(50 * time.Millisecond):
			}
			close(o.finish)
		}
		<-ended
		cancel()
		if err := <-written; (err == nil) != patient {
			t.Errorf("patient %v: the writer got %v", patient, err)
		}
		if len(o.filesets) != 3 {
			t.Errorf("patient %v: %d filesets are left, want 3", patient, len(o.filesets))
		}
		if !patient && !ls.cfg.Journal.Has(ls.cfg.Records.All(1000)[0].ID) {
			t.Error("the journal has forgotten the load")
		}
	}
}

// Marks that cannot be taken off at once are taken off later. The load is done,
// and nobody mistakes it for one that failed, whatever becomes of its record.
func TestMarksAreTakenOffLater(t *testing.T) {
	ls, o, p := newTestLoads(t), newFakeOMERO(), newTestPack(t)
	ls.retry = time.Millisecond
	o.marked, o.away = true, 3
	top := begin(t, ls, o, "Kidney")
	for _, n := range p.names(false) {
		if err := write(testContext(), top, n, p.files[n]); err != nil {
			t.Fatal(err)
		}
	}
	id := ls.cfg.Records.All(1000)[0].ID
	for ls.cfg.Journal.Has(id) {
		time.Sleep(time.Millisecond)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.marked || len(o.filesets) != 3 {
		t.Errorf("marked: %v, %d filesets are left, want 3", o.marked, len(o.filesets))
	}
}

func TestJournalKnowsWhatIsCommitted(t *testing.T) {
	dir := t.TempDir()
	j, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Fileset("x", 1000, 7), j.Committed("x"), j.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if o := again.open["x"]; o == nil || !o.Committed || o.UID != 1000 {
		t.Errorf("got %+v, want a committed load of user 1000", o)
	}
}
