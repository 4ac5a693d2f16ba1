package mount

import (
	"cmp"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/check"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/store"
	"omerods/internal/transfer"
)

// Numbers of iRODS' requests.
const (
	apiPut    = 606
	apiRename = 627
	apiMarks  = 20002 // atomic_apply_metadata_operations
)

// saveFault is something that goes wrong during a save, from the n-th request
// of a kind on.
type saveFault struct {
	name string
	api  int
	from int64
	// do is asked at each of these requests.
	do func(w *world, coll string, n int64) irodsd.Fault
	// undo makes everything good again.
	undo func(w *world, coll string)

	owner, project string // of what is saved, "Kidney" of ada when empty

	says  string         // what cp prints; "" when it must not notice
	why   string         // what `omerods why` says of the save then
	state transfer.State // what the save is in the end, before the next try
	told  string         // what OMERO says of it then; "" for nothing
	note  string         // what status adds
}

// once answers with f at the first request and with nothing at the others.
func once(f irodsd.Fault) func(*world, string, int64) irodsd.Fault {
	return func(_ *world, _ string, n int64) irodsd.Fault {
		if n == 0 {
			return f
		}
		return irodsd.Fault{}
	}
}

// first does something at the first request.
func first(f func(w *world, coll string)) func(*world, string, int64) irodsd.Fault {
	return func(w *world, coll string, n int64) irodsd.Fault {
		if n == 0 {
			f(w, coll)
		}
		return irodsd.Fault{}
	}
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Error(err)
	}
}

func (w *world) setGroup(perm int64) {
	s := w.sandbox.Store()
	g := s.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == "lab" })
	w.must(s.Update(func(tx *store.Tx) error {
		changed := g.Clone()
		changed.Perm = perm
		tx.Put(changed)
		return nil
	}))
}

var saveFaults = []saveFault{
	{name: "a connection is cut", api: apiPut, from: 5, do: once(irodsd.Fault{DropBefore: true}), state: "finished", told: "finished"},
	{name: "an answer is lost", api: apiPut, from: 5, do: once(irodsd.Fault{DropAfter: true}), state: "finished", told: "finished"},
	{name: "the answer to each rename is lost", api: apiRename, from: 1,
		do: func(*world, string, int64) irodsd.Fault { return irodsd.Fault{DropAfter: true} }, state: "finished", told: "finished"},
	{name: "the answer to each mark is lost", api: apiMarks, from: 1,
		do: func(*world, string, int64) irodsd.Fault { return irodsd.Fault{DropAfter: true} }, state: "finished", told: "finished"},
	{name: "all connections are reset", api: apiPut, from: 5, do: first(func(w *world, _ string) { w.sandbox.IRODSRelay().Reset() }),
		state: "finished", told: "finished"},
	{name: "iRODS is away for a while", api: apiPut, from: 5,
		do:   func(*world, string, int64) irodsd.Fault { return irodsd.Fault{DropBefore: true} },
		says: "timed out", why: "missing", state: "partial", told: "partial"},
	{name: "each answer takes long", api: apiPut, from: 1,
		do: func(*world, string, int64) irodsd.Fault { return irodsd.Fault{Delay: 50 * time.Millisecond} }, state: "finished", told: "finished"},
	{name: "the storage is full", api: apiPut, from: 5, do: first(func(w *world, _ string) { w.sandbox.IRODS().SetFull(true) }),
		undo: func(w *world, _ string) { w.sandbox.IRODS().SetFull(false) },
		says: "No space left on device", why: "full", state: "partial", told: "partial"},
	{name: "the quota is used up", api: apiPut, from: 5,
		do:   first(func(w *world, _ string) { w.must(w.sandbox.IRODS().SetQuota(w.t.Context(), "ada", "", 1)) }),
		undo: func(w *world, _ string) { w.must(w.sandbox.IRODS().SetQuota(w.t.Context(), "ada", "", 0)) },
		says: "quota exceeded", why: "quota", state: "partial", told: "partial"},
	{name: "a byte changes on the way", api: apiPut, from: 5, do: once(irodsd.Fault{Flip: true}),
		says: "Input/output error", why: "received other bytes", state: "partial", told: "partial"},
	{name: "the right is withdrawn", api: apiPut, from: 5,
		do:   first(func(w *world, coll string) { w.must(w.sandbox.IRODS().SetAccess(w.t.Context(), coll, "ada", "read")) }),
		undo: func(w *world, coll string) { w.must(w.sandbox.IRODS().SetAccess(w.t.Context(), coll, "ada", "own")) },
		says: "Permission denied", why: "could not be marked", state: "failed", told: "failed"},
	{name: "OMERO goes away", api: apiPut, from: 5,
		do:   first(func(w *world, _ string) { w.sandbox.OMERORelay().Refuse(true); w.sandbox.OMERORelay().Cut() }),
		undo: func(w *world, _ string) { w.sandbox.OMERORelay().Refuse(false) },
		says: "timed out", why: "missing", state: "partial", told: "partial"},
	{name: "OMERO is away at the end", api: apiMarks, from: 6,
		do:    first(func(w *world, _ string) { w.sandbox.OMERORelay().Refuse(true); w.sandbox.OMERORelay().Cut() }),
		undo:  func(w *world, _ string) { w.sandbox.OMERORelay().Refuse(false) },
		state: "finished", told: "finished", note: "could not be told"},
	{name: "OMERO lets nobody else annotate", api: apiPut, from: 1, owner: "grace", project: "Retina",
		do:    first(func(w *world, _ string) { w.setGroup(-56) }), // rwr---
		undo:  func(w *world, _ string) { w.setGroup(-40) },
		state: "finished", note: "could not be told"},
}

// Whatever goes wrong during a save, the program hears of it at the right
// call, or not at all when it did no harm; the save never says more than is
// true; and the same command again finishes it.
func TestFaultsDuringASave(t *testing.T) {
	var hook atomic.Pointer[func(api int) irodsd.Fault]
	w := newWorld(t, sandbox.Config{Relays: true, IRODSPlain: true, IRODSFault: func(api int, _ int64) irodsd.Fault {
		if f := hook.Load(); f != nil {
			return (*f)(api)
		}
		return irodsd.Fault{}
	}})
	for _, f := range saveFaults {
		t.Run(f.name, func(t *testing.T) {
			w.t = t
			src := filepath.Join(w.dir, "omero", "lab", cmp.Or(f.owner, "ada"), "projects", cmp.Or(f.project, "Kidney"))
			project := w.id(src)
			dst := w.home(f.name)
			coll := w.logical(f.name)
			var n atomic.Int64
			arm := func(api int) irodsd.Fault {
				if api != f.api {
					return irodsd.Fault{}
				}
				if i := n.Add(1) - f.from; i >= 0 {
					return f.do(w, coll, i)
				}
				return irodsd.Fault{}
			}
			hook.Store(&arm)
			out, code := w.try("cp", "-rT", src, dst)
			hook.Store(nil)
			if (code == 0) != (f.says == "") || !strings.Contains(out, f.says) {
				t.Errorf("cp exits with %d, want %q: %s", code, f.says, out)
			}
			if n.Load() < f.from {
				t.Fatalf("only %d requests, none was disturbed", n.Load())
			}
			record := func() transfer.Record {
				for _, r := range w.mount.records.All(w.mount.uid) {
					if r.Path == coll {
						return r
					}
				}
				return transfer.Record{}
			}
			if f.note != "" && !strings.Contains(record().Note, f.note) {
				t.Errorf("status adds %q, want %q", record().Note, f.note)
			}
			if state := attr(dst, "user.irods.avu.omerods::state"); code != 0 && state == "finished" {
				t.Error("cp failed, and the save is finished")
			}
			if f.undo != nil && f.told != "failed" {
				f.undo(w, coll)
			}
			eventually(t, "the save has ended", func() bool { r := record(); return r.State != "" && !r.Running() })
			if r := record(); r.State != f.state {
				t.Errorf("the save is %s: %s; want %s", r.State, r.Reason, f.state)
			}
			if r, err := Wait(t.Context(), dst, WaitOptions{}); err != nil || r.Code != codeOf(f.state) {
				t.Errorf("wait: %+v, %v", r, err)
			}
			told := func() string {
				for _, r := range w.saveRecords("Project", project) {
					if strings.HasSuffix(pair(r, "target"), coll) {
						return pair(r, "state")
					}
				}
				return ""
			}
			eventually(t, "OMERO says "+f.told, func() bool { return told() == f.told })
			why, _, err := Why(dst)
			if err != nil || !strings.Contains(why, f.why) {
				t.Errorf("why: got %s, %v, want %q", why, err, f.why)
			}
			if f.undo != nil {
				f.undo(w, coll)
			}
			if f.state == "finished" {
				return
			}
			if out, code := w.try("cp", "-rT", src, dst); code != 0 {
				t.Errorf("the same again exits with %d: %s", code, out)
			}
			eventually(t, "it is finished", func() bool { return attr(dst, "user.irods.avu.omerods::state") == "finished" })
			eventually(t, "OMERO says finished", func() bool { return told() == "finished" })
			w.run("bash", "-c", `cd "$1" && sha1sum -c --quiet SHA1SUMS`, "sh", dst)
		})
	}
	w.t = t
	if left := w.leftovers(); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	// A byte that changes in the storage later is found by a check.
	damaged := filepath.Join("each answer takes long", "Confocal", "glomerulus.ome.tiff")
	w.must(w.sandbox.IRODS().Damage(t.Context(), w.logical(damaged), 1000))
	w.remountNow()
	r, err := check.Pack(t.Context(), w.home("each answer takes long"), check.Options{})
	if err != nil || r.Verdict == check.Sound {
		t.Errorf("check of a damaged save: %+v, %v", r, err)
	}
}

// remountNow mounts again, so that no cache knows anything.
func (w *world) remountNow() {
	w.t.Helper()
	w.unmount()
	w.remount()
}
