package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"omerods/internal/relay"
	"omerods/internal/sandbox"
)

// saveMarks are the values that differ from one save to the next.
var saveMarks = regexp.MustCompile(`has omerods::(save|time)=\S+`)

// saved describes what a save has left in both servers, but for ids and times.
func (w *world) saved(dst string, project int64) []string {
	w.t.Helper()
	lines, err := w.sandbox.IRODS().Dump(w.t.Context(), w.logical(filepath.Base(dst)))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range lines {
		lines[i] = saveMarks.ReplaceAllString(lines[i], "has omerods::$1")
	}
	for _, r := range w.saveRecords("Project", project) {
		if strings.HasSuffix(pair(r, "target"), w.logical(filepath.Base(dst))) {
			lines = append(lines, fmt.Sprint("OMERO: ", pair(r, "state"), pair(r, "verified"), pair(r, "files"), pair(r, "bytes"), pair(r, "by")))
		}
	}
	return lines
}

// leftovers are the temporary and locked objects of the first user.
func (w *world) leftovers() []string {
	w.t.Helper()
	lines, err := w.sandbox.IRODS().Dump(w.t.Context(), strings.TrimSuffix(w.logical(), "/"))
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(lines, func(l string) bool {
		return !strings.Contains(l, ".omerods-") && (!strings.Contains(l, " replica ") || strings.Contains(l, "state 1,"))
	})
}

// A mount that is killed at a request of a save, and started again, ends with
// the same as one that was not: the same command once more is all it takes.
func TestKilledSaveIsFinishedByTheSameCommand(t *testing.T) {
	for _, kind := range []struct {
		name, src, end string
		commands       []string
	}{
		{"folder", "omero/lab/ada/projects/Kidney", "", []string{`rsync -a "$1/" "$2/"`, `cp -rT "$1" "$2"`}},
		{"tar", "tars/lab/ada/projects/Kidney.tar", ".tar", []string{`cp "$1" "$2"`, `rsync -a "$1" "$2"`}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			w := newCrashing(t)
			src := filepath.Join(w.dir, kind.src)
			project := w.id(w.omero("projects", "Kidney"))
			for i, command := range kind.commands {
				save := func(dst string) (string, int) { return w.try("bash", "-c", command, "sh", src, dst) }
				ref := w.home(fmt.Sprintf("Whole %d%s", i, kind.end))
				save(ref) // what is made once is made
				w.restart()
				ref = w.home(fmt.Sprintf("Reference %d%s", i, kind.end))
				requests := w.counted(func() { save(ref) })
				w.finished(ref)
				want := w.saved(ref, project)
				for server, n := range requests {
					for _, at := range crashPoints(n) {
						name := fmt.Sprintf("%s, killed at request %d of %d to %s", command, at, n, server)
						dst := w.home(fmt.Sprintf("Killed %d %s %d%s", i, server, at, kind.end))
						w.killAt(server, at, func() { save(dst) })
						done := attr(dst, "user.irods.avu.omerods::state") == "finished"
						out, code := save(dst)
						if written := done && strings.Contains(out, "File exists"); code != 0 && !written {
							t.Errorf("%s: the same again exits with %d: %s", name, code, out)
						}
						w.finished(dst)
						if got := w.saved(dst, project); !slices.Equal(got, want) {
							t.Errorf("%s: differs from an undisturbed save:\n%s", name, lineDiff(got, want))
						}
						if left := w.leftovers(); len(left) > 0 {
							t.Errorf("%s: left over: %q", name, left)
						}
					}
				}
			}
			w.v.stop()
			if locks, err := filepath.Glob(filepath.Join(w.stateDir(), "irods-*.lock")); err != nil || len(locks) > 0 {
				t.Errorf("lock files are left: %v, %v", locks, err)
			}
		})
	}
}

// crashPoints are all requests in the long form, a spread of them otherwise.
func crashPoints(n int64) []int64 {
	var at []int64
	step := int64(1)
	if os.Getenv("OMERODS_SOAK") == "" {
		step = max(n/3, 1)
	}
	for i := int64(1); i < n; i += step {
		at = append(at, i)
	}
	return append(at, n)
}

// lineDiff lists the lines that are in one of two lists only.
func lineDiff(got, want []string) string {
	var b strings.Builder
	for _, l := range got {
		if !slices.Contains(want, l) {
			fmt.Fprintln(&b, "+", l)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			fmt.Fprintln(&b, "-", l)
		}
	}
	return b.String()
}

// crashing is a sandbox behind relays, with a mount in a process of its own.
type crashing struct{ *doomed }

func newCrashing(t *testing.T) *crashing {
	return &crashing{newDoomed(t, sandbox.Config{Relays: true, IRODSPlain: true})}
}

func (w *crashing) relays() map[string]*relay.Relay {
	return map[string]*relay.Relay{"iRODS": w.sandbox.IRODSRelay(), "OMERO": w.sandbox.OMERORelay()}
}

// counted returns how many requests do makes the mount send to each server.
func (w *crashing) counted(do func()) map[string]int64 {
	n := map[string]*atomic.Int64{}
	for server, r := range w.relays() {
		count := new(atomic.Int64) // the map is still written when the first request comes
		n[server] = count
		r.OnRequest(func(int64, int) relay.Verdict { count.Add(1); return relay.Pass })
	}
	do()
	out := map[string]int64{}
	for server, r := range w.relays() {
		r.OnRequest(nil)
		out[server] = n[server].Load()
	}
	return out
}

// killAt kills the mount when it sends the n-th request to a server, which
// gets it, and mounts again.
func (w *crashing) killAt(server string, n int64, do func()) {
	pid := w.v.cmd.Process.Pid
	w.relays()[server].OnRequest(func(i int64, _ int) relay.Verdict {
		if i == n {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return relay.Pass
	})
	do()
	w.relays()[server].OnRequest(nil)
	w.restart()
}

func (w *crashing) restart() {
	w.v.kill()
	w.v = startVictim(w.t, w.bin, w.config, w.dir)
}

// finished waits until a save is finished and nothing is to be done about it.
func (w *crashing) finished(dst string) {
	w.t.Helper()
	var state string
	defer func() {
		if w.t.Failed() {
			status, _ := os.ReadFile(filepath.Join(w.dir, ControlDir, "status"))
			w.t.Logf("%s:\n%s\n%s", dst, state, status)
		}
	}()
	eventually(w.t, "finished: "+filepath.Base(dst), func() bool {
		lines, err := w.sandbox.IRODS().Dump(w.t.Context(), w.logical(filepath.Base(dst)))
		state = strings.Join(lines, "\n")
		return err == nil && strings.Contains(state, ". has omerods::state=finished") && !strings.Contains(state, ". has omerods::writer")
	})
}

func (w *crashing) stateDir() string {
	c := Default()
	if err := Load(&c, w.config, os.Getenv); err != nil {
		w.t.Fatal(err)
	}
	return c.StateDir
}
