package mount

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/check"
	"omerods/internal/sandbox"
)

// The tar of a pack is a save whatever program brings it.
func TestSaveOfATarByEveryProgram(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	src := w.tars("projects", "Kidney.tar")
	kidney := w.id(w.omero("projects", "Kidney"))
	programs := map[string]string{
		"cp": `cp "$1" "$2"`, "cp -a": `cp -a "$1" "$2"`, "cp --reflink=never": `cp --reflink=never "$1" "$2"`,
		"rsync -a": `rsync -a "$1" "$2"`, "rsync --inplace": `rsync -a --inplace "$1" "$2"`,
		"gio": `gio copy "$1" "$2"`, "dd": `dd status=none bs=7k if="$1" of="$2"`, "cat": `cat "$1" > "$2"`,
		"python": `python3 -c 'import shutil,sys; shutil.copy2(*sys.argv[1:])' "$1" "$2"`,
		"tar":    `tar -C "$3" -cf "$2" .`, "another name, then mv": `cp "$1" "$2.tmp" && mv "$2.tmp" "$2"`,
		"curl": `curl -s -o "$2" "file://$1"`,
	}
	for name, script := range programs {
		dst := w.home(strings.NewReplacer(" ", "_", "-", "", ",", "").Replace(name) + ".tar")
		w.run("bash", "-e", "-c", script, "bash", src, dst, w.omero("projects", "Kidney"))
		if got := attr(dst, "user.irods.avu.omerods::state"); got != "finished" {
			t.Errorf("%s: state %q, want finished at once", name, got)
		}
		if got := attr(dst, "user.irods.avu.omerods::name"); got != "Kidney" {
			t.Errorf("%s: name %q", name, got)
		}
		if got := attr(dst, "user.irods.avu.omerods::writer"); got != "" {
			t.Errorf("%s: still held by %s", name, got)
		}
		if name != "tar" {
			w.run("cmp", src, dst)
		}
		if r, err := check.Pack(t.Context(), dst, check.Options{}); err != nil || r.Verdict != check.Sound {
			t.Errorf("%s: check says %+v, %v", name, r, err)
		}
		if out, code := w.try("bash", "-c", `cat "$1" > "$2"`, "bash", src, dst); code == 0 || !strings.Contains(out, "File exists") {
			t.Errorf("%s: written again: %d %s", name, code, out)
		}
		if keeps := strings.HasPrefix(name, "rsync") || name == "cp -a"; keeps { // the time, by which rsync goes
			if out, code := w.try("rsync", "-a", src, dst); code != 0 {
				t.Errorf("%s: rsync again: %d %s", name, code, out)
			}
		}
	}
	notes := w.saveRecords("Project", kidney)
	if len(notes) != len(programs) {
		t.Errorf("%d annotations for %d targets", len(notes), len(programs))
	}
	st, err := ReadStatus(w.dir)
	if err != nil || len(st.Transfers) != len(programs) || st.Transfers[0].State != "finished" {
		t.Errorf("status: %v, %d transfers", err, len(st.Transfers))
	}
	w.run("mv", w.home("cp.tar"), w.home("moved.tar"))
	w.run("rm", w.home("moved.tar"))
}

// A tar that is not what its transfer.xml says is refused or marked.
func TestSaveOfAWrongTar(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	src, local := w.tars("projects", "Kidney.tar"), filepath.Join(t.TempDir(), "local.tar")
	w.run("cp", src, local)
	whole, err := os.ReadFile(local)
	if err != nil {
		t.Fatal(err)
	}
	dst := w.home("Kidney.tar")
	damaged := append([]byte{}, whole...)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(local, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := w.try("cp", local, dst)
	if code == 0 || !strings.Contains(out, "Input/output error") {
		t.Errorf("damaged: cp exits with %d: %s", code, out)
	}
	if _, err := os.Stat(dst); err == nil {
		t.Error("damaged: it is there")
	}
	if why, ok, err := Why(dst); !ok || err != nil || !strings.Contains(why, "SHA-1") || !strings.Contains(why, "failed") {
		t.Errorf("why: %v %s", err, why)
	}
	if notes := w.saveRecords("Project", w.id(w.omero("projects", "Kidney"))); len(notes) != 1 || pair(notes[0], "state") != "failed" {
		t.Errorf("annotations: %v", notes)
	}
	if err := os.WriteFile(local, whole[:len(whole)/3], 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("cp", local, dst)
	if got := attr(dst, "user.irods.avu.omerods::state"); got != "partial" {
		t.Errorf("cut off: %q, want partial", got)
	}
	if why, _, _ := Why(dst); !strings.Contains(why, "partial") || !strings.Contains(why, "missing") {
		t.Errorf("why: %s", why)
	}
	w.run("cp", src, dst)
	if got := attr(dst, "user.irods.avu.omerods::state"); got != "finished" {
		t.Errorf("copied again: %q, want finished", got)
	}
	w.run("cmp", src, dst)
	if notes := w.saveRecords("Project", w.id(w.omero("projects", "Kidney"))); len(notes) != 1 || pair(notes[0], "state") != "finished" {
		t.Errorf("annotations: %v", notes)
	}
}
