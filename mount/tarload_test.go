package mount

import (
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
	"omerods/internal/sandbox/store"
)

// tarLoaders put the local tar src under the new name dst.
var tarLoaders = map[string]string{
	"cp":             `cp "$1" "$2"`,
	"cp -p":          `cp -p "$1" "$2"`,
	"cp -a":          `cp -a "$1" "$2"`,
	"mv":             `cp "$1" "$1.moved"; mv "$1.moved" "$2"; ! test -e "$1.moved"`,
	"rsync -a":       `rsync -a "$1" "$2"`,
	"rsync in place": `rsync -a --inplace "$1" "$2"`,
	"dd":             `dd if="$1" of="$2" bs=10007 status=none`,
	"dd with fsync":  `dd if="$1" of="$2" bs=1M conv=fsync status=none`,
	"cat":            `cat "$1" > "$2"`,
	"cats":           `cat <(head -c 70001 "$1") <(tail -c +70002 "$1") > "$2"`,
	"gio copy":       `gio copy "$1" "$2"`,
	"curl":           `curl -sS -o "$2" "file://$1"`,
	"python":         `python3 -c 'import shutil, sys, os; shutil.copy2(sys.argv[1], sys.argv[2]); assert os.path.getsize(sys.argv[1]) == os.path.getsize(sys.argv[2])' "$1" "$2"`,
	"tar":            `tar -C "$(dirname "$1")/folder" -cf "$2" .`,
	"bsdtar":         `bsdtar -C "$(dirname "$1")/folder" -cf "$2" transfer.xml .`,
	"python tarfile": `cd "$(dirname "$1")/folder"; python3 -c 'import sys, tarfile; t = tarfile.open(sys.argv[1], "w"); t.add("."); t.close()' "$2"`,
	"sparse":         `cp --sparse=always "$1" "$1.sparse"; cp "$1.sparse" "$2"`,
}

// TestEveryProgramLoadsTars writes the tar of a project with the programs that
// people have.
func TestEveryProgramLoadsTars(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	local := t.TempDir()
	w.run("cp", w.tars("projects", "Kidney.tar"), filepath.Join(local, "Kidney.tar"))
	w.run("cp", "-r", w.omero("projects", "Kidney"), filepath.Join(local, "folder"))
	want := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "Kidney")))
	for name, script := range tarLoaders {
		t.Run(name, func(t *testing.T) {
			outer := w.t
			w.t = t
			defer func() { w.t = outer }()
			projects := w.sandbox.Store().Count("Project")
			target := w.tars("projects", "By "+name+".tar")
			if out := w.run("bash", "-e", "-c", script, "bash", filepath.Join(local, "Kidney.tar"), target); out != "" {
				t.Errorf("it says: %s", out)
			}
			if got := w.sandbox.Store().Count("Project") - projects; got != 1 {
				t.Fatalf("got %d new projects, want 1", got)
			}
			if got := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "By "+name))); got != want {
				t.Errorf("the project differs:\n%s\n%s", got, want)
			}
			// To others the name is the live tar of the new object.
			if out := w.run("bash", "-c", `tar tf "$1" | head -1`, "bash", target); out != "transfer.xml\n" {
				t.Errorf("tar lists first: %q", out)
			}
			if out := "\n" + w.run("ls", w.tars("projects")); strings.Count(out, "\nBy "+name+".tar\n") != 1 {
				t.Errorf("listed: %s", out)
			}
			w.noMarksLeft()
		})
	}
}

// TestTarsFromTheArchive copies a tar out to iRODS and back in, which the
// daemon does by itself.
func TestTarsFromTheArchive(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	want := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "Kidney")))
	w.run("cp", w.tars("projects", "Kidney.tar"), w.home("Kidney.tar"))
	for _, program := range []string{"cp", "rsync"} {
		w.run(program, w.home("Kidney.tar"), w.tars("projects", "By "+program+".tar"))
		if got := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "By "+program))); got != want {
			t.Errorf("%s: the project differs:\n%s\n%s", program, got, want)
		}
	}
	w.noMarksLeft()
}

// TestZipsLoad makes a zip of a pack with the programs that people have.
func TestZipsLoad(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	folder := filepath.Join(t.TempDir(), "folder")
	w.run("cp", "-r", w.omero("projects", "Kidney"), folder)
	want := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "Kidney")))
	for name, script := range map[string]string{
		"zip":         `cd "$1"; zip -qr ../zip.zip .; cp ../zip.zip "$2"`,
		"zip in here": `cd "$1"; zip -qr "$2" .`,
		"python":      `python3 -c 'import shutil, sys; shutil.make_archive(sys.argv[2][:-4], "zip", sys.argv[1])' "$1" "$2"`,
		"stored":      `cd "$1"; zip -q0r ../stored.zip .; rsync -a ../stored.zip "$2"`,
	} {
		w.run("bash", "-e", "-c", script, "bash", folder, w.tars("projects", name+".zip"))
		if got := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", name))); got != want {
			t.Errorf("%s: the project differs:\n%s\n%s", name, got, want)
		}
		if _, err := os.Stat(w.tars("projects", name+".tar")); err != nil {
			t.Errorf("%s: no tar of the new project: %v", name, err)
		}
	}
	w.noMarksLeft()
}

// TestTarsThatAreRefused checks what programs say, and what why says, at
// places where a tar cannot go.
func TestTarsThatAreRefused(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	local := filepath.Join(t.TempDir(), "Kidney.tar")
	w.run("cp", w.tars("projects", "Kidney.tar"), local)
	w.run("touch", "-d", "2001-02-03", local) // rsync takes equal size and time for the same
	w.run("gzip", "-k", local)
	w.run("bash", "-c", `head -c 100000 "$1" > "$1.half"`, "bash", local)
	w.run("bash", "-c", `cd "$(dirname "$1")"; ln -s /etc/passwd D; tar -cf "$1.link" D`, "bash", local)
	s := w.sandbox.Store()
	filesets, projects, files := s.Count("Fileset"), s.Count("Project"), w.files()
	for _, c := range []struct {
		program, from, to, message, why string
	}{
		{"rsync", local, w.tars("projects", "Kidney.tar"), "not permitted", "never changed"},
		{"cp", local, w.tars("projects", "Kidney.tar"), "File exists", "never overwritten"},
		{"cp", local, filepath.Join(w.dir, "tars/lab/grace/projects/K.tar"), "Permission denied", "tars/lab/ada/projects"},
		{"cp", local, w.tars("datasets", "K.tar"), "Invalid argument", "tars/GROUP/USER/projects"},
		{"cp", local + ".gz", w.tars("projects", "K.tar.gz"), "Invalid argument", "compressed"},
		{"cp", local + ".gz", w.tars("projects", "K.tar"), "Invalid argument", "gzip"},
		{"cp", local + ".half", w.tars("projects", "K.tar"), "Input/output error", "missing"},
		{"rsync", local + ".half", w.tars("projects", "K.tar"), "Input/output error", "missing"},
		{"cp", local, w.tars("projects", "K.txt"), "Invalid argument", ".tar and .zip"},
		{"cp", local + ".link", w.tars("projects", "K.tar"), "Invalid argument", "symbolic link"},
		{"mkdir", "-p", w.tars("projects", "K"), "not permitted", "omero/lab/ada/projects"},
	} {
		out, code := w.try(c.program, c.from, c.to)
		if code == 0 || !strings.Contains(out, c.message) {
			t.Errorf("%s %s %s: exit code %d, want %q in\n%s", c.program, c.from, c.to, code, c.message, out)
		}
		text, ok, err := Why(c.to)
		if err != nil || !ok || !strings.Contains(text, c.why) {
			t.Errorf("why %s: %q, %v, want %q in it", c.to, text, err, c.why)
		}
		if filepath.Base(c.to) == "Kidney.tar" {
			continue
		}
		eventually(t, c.to+" is gone", func() bool { _, err := os.Stat(c.to); return err != nil })
	}
	eventually(t, "no fileset is left", func() bool { return s.Count("Fileset") == filesets })
	eventually(t, "no file is left", func() bool { return w.files() == files })
	if n := s.Count("Project"); n != projects {
		t.Errorf("made %d projects", n-projects)
	}
	eventually(t, "the spool is empty", func() bool { return w.mount.spool.Used() == 0 })
	w.noMarksLeft()
}

// TestCutOffTars kills programs in the middle of a tar: nothing of it is left,
// and the same command again loads all of it.
func TestCutOffTars(t *testing.T) {
	images := filepath.Join(t.TempDir(), "study")
	if err := os.Mkdir(images, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		bigTIFF(t, filepath.Join(images, name+".tif"), 24<<20)
	}
	w := newWorld(t, sandbox.Config{Images: images})
	want := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "study")))
	local := filepath.Join(t.TempDir(), "study.tar")
	w.run("cp", w.tars("projects", "study.tar"), local)
	w.run("cp", local, w.home("study.tar"))
	w.unmount()
	// More than the largest file never has to be kept.
	w.remount(func(c *Config) { c.SpoolLimit = 30 << 20 })
	s := w.sandbox.Store()
	for program, command := range map[string]string{
		"cp": `cp "$1" "$2"`, "rsync": `rsync "$1" "$2"`, "dd": `dd if="$1" of="$2" bs=100K status=none`, "from irods": `cp "$3" "$2"`,
	} {
		for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL} {
			target := w.tars("projects", program+" "+name+".tar")
			filesets, files, projects := s.Count("Fileset"), w.files(), s.Count("Project")
			cmd := exec.Command("bash", "-c", "exec 200>&2; "+command, "sh", local, target, w.home("study.tar"))
			cmd.Stderr = &strings.Builder{}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// The first fileset is on its way when it is killed.
			eventually(t, program+" has begun", func() bool { return s.Count("Fileset") > filesets })
			_ = syscall.Kill(-cmd.Process.Pid, signal)
			if err := cmd.Wait(); err == nil {
				t.Logf("%s was faster than the signal", program)
				continue
			}
			eventually(t, program+" "+name+": no fileset is left", func() bool { return s.Count("Fileset") == filesets })
			eventually(t, program+" "+name+": no file is left", func() bool { return w.files() == files })
			eventually(t, program+" "+name+": the spool is empty", func() bool { return w.mount.spool.Used() == 0 })
			eventually(t, "the name is gone", func() bool {
				left, _ := filepath.Glob(filepath.Join(filepath.Dir(target), "*"+program+" "+name+"*"))
				return len(left) == 0
			})
			w.run("bash", "-c", command, "sh", local, target, w.home("study.tar"))
			if n := s.Count("Project") - projects; n != 1 {
				t.Fatalf("%s: made %d projects, want 1", program, n)
			}
			if got := describe(s, "Project", w.id(w.omero("projects", program+" "+name))); got != want {
				t.Errorf("%s: the project differs:\n%s\n%s", program, got, want)
			}
		}
	}
	w.noMarksLeft()
}

// TestHostileFolderByCP copies a pack with links in it.
func TestHostileFolderByCP(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	folder := filepath.Join(t.TempDir(), "folder")
	w.run("cp", "-r", w.omero("projects", "Kidney"), folder)
	want := describe(w.sandbox.Store(), "Project", w.id(w.omero("projects", "Kidney")))
	if err := os.Symlink("/etc/passwd", filepath.Join(folder, "Confocal", "link.tif")); err != nil {
		t.Fatal(err)
	}
	// The link is refused and the rest is loaded.
	target := w.omero("projects", "With a link")
	out, code := w.try("cp", "-r", folder, target)
	if code == 0 || !strings.Contains(out, "cannot create symbolic link") || strings.Count(out, "\n") != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if text, ok, err := Why(filepath.Join(target, "Confocal", "link.tif")); err != nil || !ok || !strings.Contains(text, "symbolic links") {
		t.Errorf("why: %q, %v", text, err)
	}
	eventually(t, "the project is there", func() bool { return attr(target, "user.omero.id") != "" })
	if got := describe(w.sandbox.Store(), "Project", w.id(target)); got != want {
		t.Errorf("the project differs:\n%s\n%s", got, want)
	}
	// A link in the place of a file that the pack needs: nothing is made of it.
	image := filepath.Join(folder, "Controls", "control.ome.tiff")
	if err := os.Rename(image, image+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", image); err != nil {
		t.Fatal(err)
	}
	filesets, projects := w.sandbox.Store().Count("Fileset"), w.sandbox.Store().Count("Project")
	target = w.omero("projects", "With a link for a file")
	if out, code := w.try("cp", "-r", folder, target); code == 0 {
		t.Errorf("exit code 0\n%s", out)
	}
	w.run("rm", "-r", target)
	eventually(t, "nothing is left", func() bool { return w.sandbox.Store().Count("Fileset") == filesets })
	if n := w.sandbox.Store().Count("Project"); n != projects {
		t.Errorf("made %d projects", n-projects)
	}
}

// files counts the original files; the folders of a repository stay when what
// was in them is removed.
func (w *world) files() int {
	n := 0
	w.sandbox.Store().Each("OriginalFile", func(r *store.Row) bool {
		if r.Text("mimetype") != "Directory" {
			n++
		}
		return true
	})
	return n
}

// TestTarsOfEveryKind copies the tar of a pack of each section back into it.
func TestTarsOfEveryKind(t *testing.T) {
	w := newWorld(t, sandbox.Config{BinaryAccess: everyPolicy})
	local := t.TempDir()
	for section, class := range map[string]string{"projects": "Project", "datasets": "Dataset", "screens": "Screen", "plates": "Plate", "images": "Image"} {
		t.Run(section, func(t *testing.T) {
			w.t = t
			names := strings.Split(strings.TrimSpace(w.run("bash", "-c", `cd "$1"; ls -d *.tar`, "bash", w.tars(section))), "\n")
			w.run("cp", w.tars(section, names[0]), local)
			known := map[int64]bool{}
			s := w.sandbox.Store()
			s.Each(class, func(r *store.Row) bool { known[r.ID] = true; return true })
			want := describe(s, class, w.id(w.tars(section, names[0])))
			w.run("cp", filepath.Join(local, names[0]), w.tars(section, "Again.tar"))
			made := 0
			s.Each(class, func(r *store.Row) bool {
				if !known[r.ID] {
					made++
					if got := describe(s, class, r.ID); got != want {
						t.Errorf("%s differs:\n%s\n%s", names[0], got, want)
					}
				}
				return true
			})
			if made == 0 {
				t.Errorf("nothing was made of %s", names[0])
			}
			w.noMarksLeft()
		})
	}
}

// TestArchivesOfOmeroCLITransfer loads a tar and a zip as that tool wrote them.
func TestArchivesOfOmeroCLITransfer(t *testing.T) {
	packs := foreignPacks(t)
	w := newWorld(t, sandbox.Config{})
	s := w.sandbox.Store()
	for _, c := range []struct{ from, to, folder, section string }{
		{"valid_single_image.tar", w.tars("images", "One.tar"), "One", "images"},
		{"valid_single_dataset.zip", w.tars("datasets", "Two.zip"), "Two", "datasets"},
	} {
		images := s.Count("Image")
		w.run("cp", filepath.Join(packs, c.from), c.to)
		made := s.Count("Image") - images
		unpack := `tar -C "$2" -xf "$1"`
		if strings.HasSuffix(c.from, ".zip") {
			unpack = `unzip -q "$1" -d "$2"`
		}
		local := t.TempDir()
		w.run("bash", "-c", unpack, "bash", filepath.Join(packs, c.from), local)
		images = s.Count("Image")
		w.run("cp", "-r", local, w.omero(c.section, "as a folder"))
		if asFolder := s.Count("Image") - images; made != asFolder || made == 0 {
			t.Errorf("%s: made %d images, its folder %d", c.from, made, asFolder)
		}
		if c.section == "datasets" {
			want := describe(s, "Dataset", w.id(w.omero("datasets", "as a folder")))
			if got := describe(s, "Dataset", w.id(w.omero("datasets", c.folder))); got != want {
				t.Errorf("the zip made\n%s\nthe folder\n%s", got, want)
			}
		}
	}
	w.noMarksLeft()
}

// TestSlowServerHoldsUpATar has a server that takes longer for a fileset than
// requests may: the program that writes the next one just waits.
func TestSlowServerHoldsUpATar(t *testing.T) {
	var slow, held atomic.Int64
	w := newWorld(t, sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		if strings.HasSuffix(op, ".importFileset") && slow.Add(-1) >= 0 {
			held.Add(1)
			time.Sleep(4 * time.Second)
		}
		return blitz.FaultNone
	}})
	local := filepath.Join(t.TempDir(), "Kidney.tar")
	w.run("cp", w.tars("projects", "Kidney.tar"), local)
	w.unmount()
	w.remount(func(c *Config) { c.RequestWait = time.Second })
	slow.Store(1)
	// Other programs would try an interrupted write once more, and hide it.
	w.run("perl", "-e", `open(I, "<", $ARGV[0]) and open(O, ">", $ARGV[1]) or die "$!";
		while (sysread(I, $b, 65536)) { $n = syswrite(O, $b); defined $n && $n == length $b or die "write: $!" }
		close(O) or die "close: $!"`, local, w.tars("projects", "Slowly.tar"))
	if held.Load() != 1 {
		t.Errorf("%d requests were held up, want 1", held.Load())
	}
	if attr(w.omero("projects", "Slowly"), "user.omero.id") == "" {
		t.Error("there is no project")
	}
}
