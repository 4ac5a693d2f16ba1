package mount

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"omerods/internal/irods"
	"omerods/internal/sandbox"
)

// What other mounts of iRODS get wrong; each through programs that people use.

// noTemporaries checks that no object of ours is left below the test's place.
func noTemporaries(w *world, c *irods.Client) {
	w.t.Helper()
	left, err := c.Find(w.t.Context(), ".omerods-%")
	for _, e := range left {
		if strings.HasPrefix(e.Path, w.at.home+"/") {
			w.t.Errorf("left: %s", e.Path)
		}
	}
	if err != nil {
		w.t.Error(err)
	}
}

// script runs a shell script with paths as its arguments.
func (w *world) script(text string, paths ...string) (string, int) {
	w.t.Helper()
	return w.try("bash", append([]string{"-c", text, "sh"}, paths...)...)
}

func TestOutageEmptiesNoBackup(t *testing.T) {
	w := newWorld(t, sandbox.Config{Relays: true, IRODSPlain: true})
	backup := t.TempDir()
	if out, code := w.script(`mkdir -p "$1/data/sub" && echo one >"$1/data/a" && echo two >"$1/data/sub/b" && rsync -a --delete "$1/data/" "$2/"`, w.home(), backup); code != 0 {
		t.Fatal(out)
	}
	relay := w.sandbox.IRODSRelay()
	relay.Refuse(true)
	relay.Cut()
	root := filepath.Join(w.dir, "irods")
	for _, dir := range []string{w.home("data"), w.home(), root, filepath.Join(root, sandbox.Zone)} {
		// What was known stays for some seconds; it is never less than that.
		eventually(t, "the outage shows at "+dir, func() bool {
			out, code := w.script(`ls "$1"`, dir)
			if code == 0 && strings.TrimSpace(out) == "" {
				t.Fatalf("ls %s: nothing, and no error", dir)
			}
			return code != 0 && strings.Contains(out, "timed out")
		})
	}
	out, code := w.script(`rsync -a --delete "$1/data/" "$2/"`, w.home(), backup)
	if code == 0 {
		t.Errorf("rsync during an outage: %s", out)
	}
	if out, code := w.script(`cd "$1" && cat a sub/b`, backup); code != 0 || out != "one\ntwo\n" {
		t.Errorf("the backup: %q", out)
	}
	relay.Refuse(false)
	for _, dir := range []string{root, w.home("data")} {
		eventually(t, "it is back at "+dir, func() bool {
			out, code := w.script(`ls "$1"`, dir)
			return code == 0 && strings.TrimSpace(out) != ""
		})
	}
	if out, code := w.script(`rsync -a --delete "$1/data/" "$2/" && cat "$2/a"`, w.home(), backup); code != 0 || out != "one\n" {
		t.Errorf("after the outage: %q", out)
	}
}

func TestDeniedIsPermissionDenied(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	shown := w.showOther()
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`cp "$1" "$2"`, `cp "$1" "$(dirname "$2")/new"`, `rsync -a "$1" "$(dirname "$2")/"`, `rsync -a --inplace "$1" "$2"`, `echo >>"$2"`,
		`rm -f "$2"`, `mv "$2" "$2.moved"`, `mkdir "$(dirname "$2")/new"`, `truncate -s 0 "$2"`, `dd if="$1" of="$2"`, `tar -C "$(dirname "$1")" -cf - src | tar -C "$(dirname "$2")" -xf -`,
	} {
		if out, code := w.script(text, src, shown); code == 0 || !strings.Contains(out, "Permission denied") {
			t.Errorf("%s: exit code %d, %q", text, code, out)
		}
	}
	if got, err := os.ReadFile(shown); err != nil || string(got) != "theirs" {
		t.Errorf("it holds %q, %v", got, err)
	}
}

func TestRsyncWorksInEveryMode(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	c := w.irodsClient()
	for i, mode := range []string{"-a", "-a --inplace", "-a --partial", "-a --append", "-a --append-verify", "-a --delay-updates", "-a --whole-file", "-a --no-whole-file", "-a --checksum", "-a --partial-dir=.part"} {
		src := t.TempDir()
		files := map[string][]byte{"small": []byte("small"), "empty": nil, "sub/large": bytes.Repeat([]byte("0123456789abcdef"), 5<<16+1)}
		put := func() {
			for name, data := range files {
				p := filepath.Join(src, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, data, 0o640), os.Chtimes(p, time.Unix(1_600_000_000, 0), time.Unix(1_600_000_000, 0))); err != nil {
					t.Fatal(err)
				}
			}
		}
		dst := w.home(fmt.Sprintf("rsync %d", i))
		check := func(what string) {
			t.Helper()
			if out, code := w.script(`rsync `+mode+` "$1/" "$2/"`, src, dst); code != 0 {
				t.Errorf("rsync %s %s: exit code %d\n%s", mode, what, code, out)
			}
			if out, code := w.script(`rsync -ain "$1/" "$2/" && diff -r "$1" "$2"`, src, dst); code != 0 || out != "" {
				t.Errorf("rsync %s %s: differs:\n%s", mode, what, out)
			}
			for name, data := range files {
				e, err := c.Stat(t.Context(), w.logical(filepath.Base(dst), name))
				if err != nil || e.Checksum == "" || e.Size != int64(len(data)) || e.Modified.Unix() < 1_600_000_000 || e.Modified.Unix() > 1_600_000_001 {
					t.Errorf("rsync %s %s: %s: %+v, %v", mode, what, name, e, err)
				}
			}
		}
		put()
		check("for the first time")
		files["small"] = append(files["small"], " and longer"...)
		files["sub/large"] = append(files["sub/large"], "and more"...)
		put()
		if err := os.Chtimes(filepath.Join(src, "sub/large"), time.Unix(1_600_000_001, 0), time.Unix(1_600_000_001, 0)); err != nil {
			t.Fatal(err)
		}
		check("again")
	}
	noTemporaries(w, c)
}

func TestOneAfterTheOther(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, bytes.Repeat([]byte("0123456789"), 700_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct{ text, want string }{
		{`echo one >a; echo three >b; cp a f; cp -f b f; cat f`, "three\n"},
		{`echo one >a; cp a f; mv f g; cat g; ls`, "one\na\ng\n"},
		{`cp "$1" f; mv f g; cmp "$1" g; stat -c %s g`, "7000000\n"},
		{`echo one >f; echo two >>f; cat f; echo three >>f; cat f`, "one\ntwo\none\ntwo\nthree\n"},
		{`for i in $(seq 20); do echo $i >>f; done; cat f | wc -l; stat -c %s f`, "20\n51\n"},
		{`cp "$1" f; stat -c %s f; cp "$1" f; stat -c %s f; truncate -s 5 f; cat f`, "7000000\n7000000\n01234"},
		{`cp "$1" f; echo short >f; cat f; stat -c %s f`, "short\n6\n"},
		{`echo one >f; rm f; echo two >f; cat f; rm f; mkdir f; rmdir f; echo three >f; cat f`, "two\nthree\n"},
		{`mkdir d; echo x >d/f; mv d e; cat e/f; mkdir d; mv e/f d; cat d/f; rmdir e; ls`, "x\nx\nd\n"},
		{`touch -d @1234567890 f; stat -c %Y f; cp -p f g; stat -c %Y g; echo x >f; touch -r g f; stat -c %Y f; mv f h; stat -c %Y h`, "1234567890\n1234567890\n1234567890\n1234567890\n"},
		{`sed -e s/x/y/ >f <<<x; sed -i s/y/z/ f; cat f; ls`, "z\nf\n"},
		{`{ echo a; sleep 0; echo b; } >f; cat f; exec 3<>f; echo c >&3; exec 3>&-; cat f`, "a\nb\nc\nb\n"},
		{`dd if="$1" of=f bs=100k status=none; cmp "$1" f; dd if=/dev/zero of=f bs=1 count=3 seek=2 conv=notrunc status=none; head -c 6 f | tr '\0' .`, "01...5"},
		{`tar -C "$(dirname "$1")" -cf t.tar src; tar -xf t.tar; cmp "$1" src; tar -rf t.tar src; tar -tf t.tar`, "src\nsrc\n"},
		{`ln -s x l 2>/dev/null || echo no; ls`, "no\n"},
	} {
		dir := w.home(fmt.Sprintf("steps %d", i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, code := w.script(`cd "$2"; `+tt.text, src, dir); code != 0 || out != tt.want {
			t.Errorf("%s: exit code %d\ngot  %q\nwant %q", tt.text, code, out, tt.want)
		}
	}
}

// Times and checksums are in the catalogue: another mount sees them.
func TestTimesAndChecksumsOutliveTheMount(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	src := filepath.Join(t.TempDir(), "src")
	if err := errors.Join(os.WriteFile(src, []byte("content"), 0o600), os.Chtimes(src, time.Unix(1_300_000_000, 0), time.Unix(1_300_000_000, 0))); err != nil {
		t.Fatal(err)
	}
	copies := map[string]string{
		"cp": `cp -p "$1" "$2"`, "rsync": `rsync -t "$1" "$2"`, "touch": `cat "$1" >"$2"; touch -r "$1" "$2"`, "mv": `cp -p "$1" "$1.c" && mv "$1.c" "$2"`,
		"tar": `tar -C "$(dirname "$1")" -cf - src | tar -C "$(dirname "$2")" -xf - && mv "$(dirname "$2")/src" "$2"`, "gio": `gio copy -p "$1" "$2" >/dev/null`,
	}
	for name, text := range copies {
		if out, code := w.script(text, src, w.home(name)); code != 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
	w.unmount()
	w.remount()
	for name := range copies {
		i, err := os.Stat(w.home(name))
		if err != nil || i.ModTime().Unix() != 1_300_000_000 {
			t.Errorf("%s: %v, %v", name, i, err)
		}
		const want = "sha2:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M="
		if got := attr(w.home(name), "user.irods.checksum"); got != want {
			t.Errorf("%s: checksum %q, want %q", name, got, want)
		}
	}
}

// A mount point can be used again at once, many times over.
func TestMountAgainAtOnce(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	w.unmount()
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		t.Fatal(err)
	}
	w.direct(settings)
	bin := builtProgram(t)
	t.Cleanup(func() { _ = exec.Command("fusermount3", "-uz", w.dir).Run() })
	for i := range 5 {
		out, code := w.script(`"$1" mount --config "$2" "$3" && echo "$4" >"$5/f" && cat "$5/f" && "$1" unmount "$3" && ls -A "$3"`,
			bin, settings.Config, w.dir, fmt.Sprint(i), w.home())
		if code != 0 || out != fmt.Sprintln(i) {
			t.Fatalf("time %d: exit code %d, %s", i, code, out)
		}
	}
}

// Rights come from groups too, and modes and access(2) say what they are.
func TestRightsOfGroups(t *testing.T) {
	anyServer(t)
	w := newWorld(t, sandbox.Config{})
	ctx, s, owner, user := t.Context(), w.at, w.at.other, w.at.user
	coll := s.otherHome + "/team"
	// Groups stay: their names are of this test alone.
	team, readers := "team"+strings.ToLower(rand.Text()), "readers"+strings.ToLower(rand.Text())
	err := errors.Join(
		s.AddGroup(ctx, team), s.AddGroup(ctx, readers), s.AddToGroup(ctx, readers, user),
		s.MakeCollection(ctx, coll, owner), s.SetAccess(ctx, coll, team, "write"), s.SetAccess(ctx, coll, readers, "read"),
		s.PutObject(ctx, coll+"/f", owner, strings.NewReader("old")), s.SetAccess(ctx, coll+"/f", team, "write"), s.SetAccess(ctx, coll+"/f", readers, "read"),
		s.PutObject(ctx, coll+"/secret", owner, strings.NewReader("no")))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.dir, "irods", coll)
	modes := func() string {
		out, _ := w.script(`cd "$1" && stat -c %a . f; [ -w f ] && echo w; [ -r f ] && echo r; [ -w . ] && echo W; cat f; cat secret 2>&1 | grep -o "No such\|denied"`, dir)
		return out
	}
	eventually(t, "the right to read shows", func() bool { return strings.HasPrefix(modes(), "555\n444\nr\nold") })
	if got := modes(); !strings.HasSuffix(got, "oldNo such\n") && !strings.HasSuffix(got, "olddenied\n") {
		t.Errorf("what may not be read: %q", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("new"), 0o600); !errors.Is(err, unix.EACCES) {
		t.Errorf("write: %v", err)
	}
	if err := s.AddToGroup(ctx, team, user); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the right to write shows", func() bool { return strings.HasPrefix(modes(), "755\n644\nw\nr\nW\nold") })
	if out, code := w.script(`cd "$1" && echo new >f && cat f && echo made >g && mkdir d && rm g && rmdir d`, dir); code != 0 || out != "new\n" {
		t.Errorf("as one who may write: %d %q", code, out)
	}
	if out, code := w.script(`rm "$1/f"`, dir); code == 0 || !strings.Contains(out, "Permission denied") {
		t.Errorf("removing another one's file: %d %q", code, out)
	}
	// A mode that a program sets is no right.
	if out, code := w.script(`chmod 777 "$1/f" && rm "$1/f"`, dir); code == 0 {
		t.Errorf("chmod gave rights: %q", out)
	}
}
