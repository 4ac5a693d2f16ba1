package mount

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/store"
)

// builtProgram builds the real program once for all tests that kill it.
func builtProgram(t testing.TB) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "omerods")
	cmd := exec.Command("go", "build", "-o", bin, "../cmd/omerods")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// victim is a mount in a process of its own.
type victim struct {
	t   testing.TB
	cmd *exec.Cmd
	dir string
}

func startVictim(t testing.TB, bin, config, dir string, env ...string) *victim {
	t.Helper()
	cmd := exec.Command(bin, "mount", "--foreground", "--config", config, dir)
	cmd.Env = append(os.Environ(), env...)
	log := &strings.Builder{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v := &victim{t: t, cmd: cmd, dir: dir}
	eventually(t, "the mount is ready", func() bool {
		_, err := os.Stat(filepath.Join(dir, ControlDir, "version"))
		if err != nil && cmd.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatalf("the mount ended: %s", log)
		}
		return err == nil
	})
	return v
}

// kill ends the process without any chance to clean up; clear takes the dead
// mount away as an administrator does.
func (v *victim) kill() {
	_ = v.cmd.Process.Kill()
	_ = v.cmd.Wait()
}

func (v *victim) stop() {
	v.t.Helper()
	_ = v.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = v.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		v.t.Error("the mount does not end")
		_ = v.cmd.Process.Kill()
		<-done
	}
}

// killer kills a process at the n-th request to either server.
type killer struct {
	pid  atomic.Int64
	left atomic.Int64 // requests until then; not positive: unarmed
}

func (k *killer) tick() {
	if k.left.Load() > 0 && k.left.Add(-1) == 0 {
		_ = syscall.Kill(int(k.pid.Load()), syscall.SIGKILL)
	}
}

// doomed is a sandbox with a mount that is killed at a request to a server.
type doomed struct {
	*world
	bin, config string
	k           *killer
	v           *victim
}

func newDoomed(t *testing.T, c sandbox.Config) *doomed {
	needFuse(t)
	beside(t)
	k := &killer{}
	d := &doomed{world: &world{t: t, dir: filepath.Join(t.TempDir(), "mnt"), stopped: true}, bin: builtProgram(t), k: k}
	c.StateDir = t.TempDir()
	c.OMEROFault = func(string, int64) blitz.Fault { k.tick(); return blitz.FaultNone }
	more := c.IRODSFault
	c.IRODSFault = func(api int, n int64) irodsd.Fault {
		k.tick()
		if more != nil {
			return more(api, n)
		}
		return irodsd.Fault{}
	}
	s, err := sandbox.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	d.sandbox = s
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("sandbox: %v", err)
		}
	})
	settings, err := s.WriteSettings(s.Users()[0])
	if err != nil {
		t.Fatal(err)
	}
	d.settle()
	d.direct(settings)
	d.config = settings.Config
	d.v = startVictim(t, d.bin, d.config, d.dir)
	t.Cleanup(func() {
		d.v.kill()
		_ = exec.Command("fusermount3", "-uz", d.dir).Run()
	})
	return d
}

// killedAt runs a program during which the mount is killed at the n-th request,
// and mounts again, which clears the dead mount away. It returns the program's
// exit code, and whether it ended before that request.
func (d *doomed) killedAt(n int64, name string, args ...string) (code int, over bool) {
	d.k.pid.Store(int64(d.v.cmd.Process.Pid))
	d.k.left.Store(n)
	_, code = d.try(name, args...)
	over = d.k.left.Swap(0) > 0
	d.v.kill()
	d.v = startVictim(d.t, d.bin, d.config, d.dir)
	return code, over
}

func TestKilledMountLeavesNothingHalfDone(t *testing.T) {
	points := []int64{1, 4, 9, 20, 45, 80, 130}
	if os.Getenv("OMERODS_SOAK") != "" {
		points = nil
		for i := int64(1); i < 400; i++ {
			points = append(points, i)
		}
	}
	w := newDoomed(t, sandbox.Config{})
	s := w.sandbox
	project, saved := w.omero("projects", "Kidney"), w.home("Kidney")
	w.run("cp", "-r", project, saved)
	want := describe(s.Store(), "Project", w.id(project))
	filesets := s.Store().Count("Fileset")

	for _, n := range points {
		for _, save := range []bool{true, false} {
			src, dst := saved, w.omero("projects", fmt.Sprintf("Loaded %d", n))
			if save {
				src, dst = project, w.home(fmt.Sprintf("Saved %d", n))
			}
			code, _ := w.killedAt(n, "cp", "-r", src, dst)
			name := fmt.Sprintf("killed at request %d of the copy to %s", n, filepath.Base(dst))
			if save {
				finished := attr(dst, "user.irods.avu.omerods::state") == "finished"
				if finished {
					w.run("bash", "-c", `cd "$1" && sha1sum -c --quiet SHA1SUMS`, "sh", dst)
					if got, want := listing(t, dst), listing(t, project); len(got) != len(want) {
						t.Errorf("%s: marked as finished with %d of %d entries", name, len(got), len(want))
					}
				} else if code == 0 {
					t.Errorf("%s: cp said it worked, and the save is not finished", name)
				}
				continue
			}
			var made []int64
			s.Store().Each("Project", func(p *store.Row) bool {
				if p.Text("name") == filepath.Base(dst) {
					made = append(made, p.ID)
				}
				return true
			})
			switch {
			case len(made) > 1:
				t.Errorf("%s: made %d projects", name, len(made))
			case len(made) == 1:
				if got := describe(s.Store(), "Project", made[0]); got != want {
					t.Errorf("%s: made half a project:\n%s", name, got)
				}
				filesets = s.Store().Count("Fileset")
			case code == 0:
				t.Errorf("%s: cp said it worked, and there is no project", name)
			default:
				eventually(t, name+": what was uploaded is removed", func() bool { return s.Store().Count("Fileset") == filesets })
			}
		}
	}
	w.v.stop()
	w.noMarksLeft()
}

func TestUnmountEndsTheProgram(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.unmount()
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		t.Fatal(err)
	}
	bin := builtProgram(t)
	out, err := exec.Command(bin, "mount", "--config", settings.Config, w.dir).CombinedOutput()
	if err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	st, err := ReadStatus(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", st.PID))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(environ), "PASSWORD=") {
		t.Error("the program's environment holds a password")
	}
	if out, err := exec.Command(bin, "status", w.dir).CombinedOutput(); err != nil || !strings.Contains(string(out), "ada") {
		t.Errorf("status: %v\n%s", err, out)
	}
	if out, err := exec.Command(bin, "unmount", w.dir).CombinedOutput(); err != nil {
		t.Fatalf("unmount: %v\n%s", err, out)
	}
	// It may stay as a zombie where nobody collects orphans.
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", st.PID)); err == nil && !strings.Contains(string(stat), ") Z ") {
		t.Errorf("the program still runs after unmount has returned: %s", stat)
	}
	if _, err := os.Stat(filepath.Join(w.dir, ControlDir)); err == nil {
		t.Error("it is still mounted")
	}
}
