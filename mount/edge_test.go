package mount

import (
	"context"
	"crypto/rand"
	"encoding/binary"
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
)

// bigTIFF writes a picture of about size bytes that takes a while to copy.
func bigTIFF(t *testing.T, path string, size int) {
	t.Helper()
	const width = 4096
	height := size / width / 2
	n := width * height * 2
	b := make([]byte, 8+n)
	copy(b, "II*\x00")
	binary.LittleEndian.PutUint32(b[4:], uint32(8+n))
	rand.Read(b[8:])
	tags := [][3]uint32{{256, 4, width}, {257, 4, uint32(height)}, {258, 3, 16}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {277, 3, 1}, {278, 4, uint32(height)}, {279, 4, uint32(n)}}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(tags)))
	for _, tag := range tags {
		b = binary.LittleEndian.AppendUint16(b, uint16(tag[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(tag[1]))
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, tag[2])
	}
	b = binary.LittleEndian.AppendUint32(b, 0)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCutOffCopiesGoOn kills cp, rsync and tar in the middle of a large file,
// both ways, and runs the same command again.
func TestCutOffCopiesGoOn(t *testing.T) {
	images := filepath.Join(t.TempDir(), "study")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	bigTIFF(t, filepath.Join(images, "big.tif"), 96<<20)
	bigTIFF(t, filepath.Join(images, "small.tif"), 1<<20)
	w := newWorld(t, sandbox.Config{Images: images})
	project := w.omero("projects", "study")
	want := describe(w.sandbox.Store(), "Project", w.id(project))
	saved := w.home("study")
	w.run("cp", "-r", project, saved)

	commands := map[string]string{
		"cp":    `cp -rT "$1" "$2"`,
		"rsync": `rsync -a "$1/" "$2/"`,
		"tar":   `mkdir -p "$2" && tar -C "$1" -cf - . | tar -C "$2" -xf -`,
	}
	for program, command := range commands {
		for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL} {
			for way, ends := range map[string][2]string{
				"save": {project, w.home(program + " " + name)},
				"load": {saved, w.omero("projects", program+" "+name)},
			} {
				t.Run(program+" "+name+" "+way, func(t *testing.T) {
					outer := w.t
					w.t = t
					defer func() { w.t = outer }()
					projects := w.sandbox.Store().Count("Project")
					// The last descriptor that a dying program closes tells that all others
					// are closed: Wait returns when nobody holds the pipe any more.
					cmd := exec.Command("bash", "-o", "pipefail", "-c", "exec 200>&2; "+command, "sh", ends[0], ends[1])
					cmd.Stderr = &strings.Builder{}
					cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					time.Sleep(120 * time.Millisecond)
					_ = syscall.Kill(-cmd.Process.Pid, signal)
					first := cmd.Wait()
					if first == nil {
						t.Logf("%s was faster than the signal", program)
						return
					}
					if way == "save" && attr(ends[1], "user.irods.avu.omerods::state") == "finished" {
						t.Fatal("a save that was cut off is marked as finished")
					}
					if n := w.sandbox.Store().Count("Project"); way == "load" && n != projects {
						t.Fatalf("a load that was cut off made %d projects", n-projects)
					}
					w.run("bash", "-o", "pipefail", "-c", command, "sh", ends[0], ends[1])
					if way == "save" {
						eventually(t, "the save is finished", func() bool { return attr(ends[1], "user.irods.avu.omerods::state") == "finished" })
						w.run("bash", "-c", `cd "$1" && sha1sum -c --quiet SHA1SUMS`, "sh", ends[1])
						return
					}
					eventually(t, "the project shows", func() bool { return attr(ends[1], "user.omero.id") != "" })
					if n := w.sandbox.Store().Count("Project"); n != projects+1 {
						t.Errorf("made %d projects, want 1", n-projects)
					}
					if got := describe(w.sandbox.Store(), "Project", w.id(ends[1])); got != want {
						t.Errorf("the project differs:\n%s\n%s", got, want)
					}
					w.noMarksLeft()
				})
			}
		}
	}
}

// TestSpoolLimit loads more than the spool holds.
func TestSpoolLimit(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	saved := w.home("Kidney")
	w.run("cp", "-r", w.omero("projects", "Kidney"), saved)
	w.unmount()
	w.remount(func(c *Config) { c.SpoolLimit = 300 << 10 })
	filesets, projects := w.sandbox.Store().Count("Fileset"), w.sandbox.Store().Count("Project")
	target := w.omero("projects", "Too large")
	out, code := w.try("cp", "-r", saved, target)
	if code == 0 {
		t.Fatalf("cp: exit code 0, want an error\n%s", out)
	}
	if text, ok, err := Why(target); err != nil || !ok {
		t.Errorf("why: %q, %v, %v", text, ok, err)
	}
	eventually(t, "what was uploaded is removed", func() bool { return w.sandbox.Store().Count("Fileset") == filesets })
	if n := w.sandbox.Store().Count("Project"); n != projects {
		t.Errorf("made %d projects", n-projects)
	}
	eventually(t, "the spool is empty", func() bool { return w.mount.spool.Used() == 0 })
	eventually(t, "the folder is gone from sight", func() bool { _, err := os.Stat(target); return err != nil })
}

// TestServersAway stops both servers under a mount.
func TestServersAway(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	w.run("ls", w.home())
	if err := w.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	// What was listed just now is still valid for a moment.
	for _, dir := range []string{w.omero("projects", "Kidney", "Confocal"), w.home()} {
		eventually(t, "ls "+dir+" fails without its server", func() bool {
			out, code := w.try("ls", dir)
			return code != 0 && strings.Contains(out, "timed out")
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() { w.unmount(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("the mount does not end without its servers")
	}
}

// TestServersHang has both servers accept requests and answer none.
func TestServersHang(t *testing.T) {
	var hang atomic.Bool
	release := make(chan struct{})
	wait := func() {
		if hang.Load() {
			<-release
		}
	}
	w := newWorld(t, sandbox.Config{
		OMEROFault: func(string, int64) blitz.Fault { wait(); return blitz.FaultNone },
		IRODSFault: func(int, int64) irodsd.Fault { wait(); return irodsd.Fault{} },
	})
	w.unmount()
	w.remount(func(c *Config) { c.RequestWait = time.Second })
	hang.Store(true)
	for _, dir := range []string{w.omero("projects", "Kidney", "Confocal"), w.home("nothing")} {
		began := time.Now()
		out, code := w.try("ls", dir)
		if code == 0 || !strings.Contains(out, "timed out") {
			t.Errorf("ls %s: exit code %d, %q, want a time-out", dir, code, out)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("ls %s took %v", dir, took)
		}
	}
	hang.Store(false)
	close(release)
	eventually(t, "the servers are back", func() bool {
		_, code := w.try("ls", w.omero("projects", "Kidney"), w.home())
		return code == 0
	})
}

// TestWhyNamesWhatStandsInTheWay asks about a path that cannot be reached
// because a folder far above it refuses.
func TestWhyNamesWhatStandsInTheWay(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	if err := w.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	path := w.omero("projects", "Kidney", "Confocal", "glomerulus.ome.tiff")
	if _, err := os.Stat(path); err == nil {
		t.Fatal("stat works without the server")
	}
	text, ok, err := Why(path)
	if err != nil || !ok || !strings.Contains(text, "look up") {
		t.Errorf("why: %q, %v, %v, want what is wrong above", text, ok, err)
	}
}

// TestLostAnswerOfAnImport drops the connection after the server has made a
// fileset, so that the mount never hears its id.
func TestLostAnswerOfAnImport(t *testing.T) {
	var lose atomic.Bool
	var lost atomic.Int64
	w := newWorld(t, sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		if strings.HasSuffix(op, ".importFileset") && lose.CompareAndSwap(true, false) {
			lost.Add(1)
			return blitz.FaultAfter
		}
		return blitz.FaultNone
	}})
	saved := w.home("Kidney")
	w.run("cp", "-r", w.omero("projects", "Kidney"), saved)
	filesets := w.sandbox.Store().Count("Fileset")
	lose.Store(true)
	if out, code := w.try("cp", "-r", saved, w.omero("projects", "Lost")); code == 0 && lost.Load() > 0 {
		t.Logf("the load got over it: %s", out)
		return
	}
	if lost.Load() == 0 {
		t.Fatal("no answer was lost")
	}
	eventually(t, "the fileset that nobody heard of is removed", func() bool { return w.sandbox.Store().Count("Fileset") == filesets })
}
