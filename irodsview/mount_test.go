package irodsview_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"omerods/internal/irods"
)

func TestProgramsCopyIn(t *testing.T) {
	for _, tt := range []struct{ name, program, command string }{
		{"cp -r", "cp", "cp -r %s out"},
		{"cp -a", "cp", "cp -a %s out"},
		{"rsync -a", "rsync", "rsync -a %s/ out/"},
		{"rsync --inplace", "rsync", "rsync -a --inplace %s/ out/"},
		{"rsync --delay-updates", "rsync", "rsync -a --delay-updates %s/ out/"},
		{"tar", "tar", "mkdir out && tar -C %s -cf - . | tar -C out -xf -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			need(t, tt.program)
			w := mount(t)
			src := sample(t)
			w.run(fmt.Sprintf(tt.command, src))
			compare(t, local(t, filepath.Join(w.dir, "out")), local(t, src))
			w.settle()
			compare(t, w.objects(home+"/out"), local(t, src))
			if tt.name == "cp -r" || tt.program == "tar" && os.Getuid() != 0 {
				return
			}
			need(t, "rsync")
			if out := w.run(fmt.Sprintf("rsync -ain %s/ out/", src)); out != "" {
				t.Errorf("rsync sees differences:\n%s", out)
			}
			// The catalogue has the times too, in seconds.
			e, err := w.client.Stat(t.Context(), home+"/out/one byte")
			if err != nil || e.Modified.Unix() != 1_500_001_000 {
				t.Errorf("modified: got %v, %v", e.Modified, err)
			}
			if e, err = w.client.Stat(t.Context(), home+"/out/sub"); err != nil || e.Modified.Unix() != 1_400_000_000 {
				t.Errorf("folder modified: got %v, %v", e.Modified, err)
			}
			compare(t, w.objects(home+"/out"), local(t, src))
		})
	}
}

func TestProgramsCopyOut(t *testing.T) {
	need(t, "rsync")
	w := mount(t)
	src := sample(t)
	w.run("cp -a " + src + " in")
	for _, command := range []string{"cp -r in/. %s", "cp -a in/. %s", "rsync -a in/ %s", "tar -C in -cf - . | tar -C %s -xf -"} {
		out := t.TempDir()
		w.run(fmt.Sprintf(command, out))
		compare(t, local(t, out), local(t, src))
	}
}

func TestShellWork(t *testing.T) {
	w := mount(t)
	for _, tt := range []struct{ command, want string }{
		{"echo a > f; cat f", "a\n"},
		{"echo b >> f; cat f; stat -c %s f", "a\nb\n4\n"},
		{"(echo c; echo d) >> f; wc -l < f", "4\n"},
		{"cp f g; echo -n > h; cp -f h g; cp -f f g; cat g | md5sum; md5sum < f | cmp - <(md5sum < g) && echo same", ""},
		{"mv g g2; cat g2 | head -1; ls", "a\nf\ng2\nh\n"},
		{"mv f g2; ls; tail -1 g2", "g2\nh\nd\n"},
		{"mkdir -p x/y; mv g2 x/y/; mv x z; cat z/y/g2 | tail -1", "d\n"},
		{"printf 0123456789 > n; printf XY | dd of=n bs=1 seek=4 conv=notrunc status=none; cat n", "0123XY6789"},
		{"dd if=/dev/zero of=n bs=1 seek=20 count=1 status=none; stat -c %s n; head -c 10 n | od -An -c | head -1 | tr -d ' '", ""},
		{"truncate -s 3 n; stat -c %s n; truncate -s 10 n; stat -c %s n", "3\n10\n"},
		{"printf abc > t; : > t; stat -c %s t; [ -e t ] && echo there", "0\nthere\n"},
		{"touch -d @1234567890 t; stat -c %Y t", "1234567890\n"},
		{"touch new; ls new; stat -c %s new", "new\n0\n"},
		{"chmod 600 t; chown $(id -u) t; stat -c %a t", "600\n"},
		{"rm -r x z t n new 2>/dev/null; ls; rmdir nothing 2>&1 | grep -o 'No such.*'", "h\nNo such file or directory\n"},
		{"mkdir d; touch d/f; rmdir d 2>&1 | grep -o 'not empty'; rm -r d; ls", "not empty\nh\n"},
		{"exec 5<>rw; echo hello >&5; cat rw; echo more >&5; exec 5>&-; cat rw", "hello\nhello\nmore\n"},
		{"mkdir a; mkdir a2; mv -T a2 a && ls -d a; rmdir a", "a\n"},
		{"sort -o rw rw; cat rw; sed -i s/more/less/ rw; cat rw", "hello\nmore\nhello\nless\n"},
	} {
		if got := w.run(tt.command); tt.want != "" && got != tt.want {
			t.Errorf("%s\ngot  %q\nwant %q", tt.command, got, tt.want)
		}
	}
}

func TestDdWithSeek(t *testing.T) {
	w := mount(t)
	w.run("dd if=/dev/urandom of=/tmp/omerods-dd-$$ bs=1M count=12 status=none; " +
		"for i in 7 2 11 0 5 1 3 4 6 10 9 8; do dd if=/tmp/omerods-dd-$$ of=f bs=1M skip=$i seek=$i count=1 conv=notrunc status=none || exit 1; done; " +
		"cmp f /tmp/omerods-dd-$$; r=$?; rm /tmp/omerods-dd-$$; exit $r")
}

func TestLargeFile(t *testing.T) {
	w := mount(t)
	data := make([]byte, 40<<20)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("cp " + src + " big && cmp big " + src + " && cp big copy && cmp copy " + src)
	if got := w.objects(home)["copy"]; got != string(data) {
		t.Error("the copy on the server differs")
	}
}

func TestManyFiles(t *testing.T) {
	w := mount(t)
	w.run("mkdir m; for i in $(seq 1200); do echo $i > m/$i || exit 1; done")
	if got := strings.TrimSpace(w.run("ls m | wc -l; ls -l m | tail -n +2 | wc -l; cat m/* | sort -n | uniq | wc -l; find m -type f -size +0 | wc -l")); got != "1200\n1200\n1200\n1200" {
		t.Errorf("got %q", got)
	}
	w.run("rm -r m")
	compare(t, w.objects(home), map[string]string{})
}

func TestKilledWriterLeavesNothing(t *testing.T) {
	w := mount(t)
	w.run("echo old > kept")
	much := func(name string) func() bool {
		return func() bool { return w.view.Writing(home)[home+"/"+name] > 1<<20 }
	}
	for _, tt := range []struct {
		command string
		begun   func() bool
	}{
		{"cat /dev/zero > half", much("half")},
		{"head -c 100 /dev/zero > whole; exec cat > whole", func() bool {
			n, writing := w.view.Writing(home)[home+"/whole"]
			e, err := w.client.Stat(t.Context(), home+"/whole")
			return err == nil && e.Size == 100 && writing && n == 0
		}},
		{"cat /dev/zero > kept", much("kept")},
	} {
		cmd := exec.Command("bash", "-c", `cd "$0" && eval "$1"`, w.dir, tt.command)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, tt.begun)
		// The shell may have a child that writes.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = stdin.Close()
		waitFor(t, func() bool { return !strings.Contains(w.run("ls -a"), "half") })
	}
	waitFor(t, func() bool { return len(w.objects(home)) == 2 })
	compare(t, w.objects(home), map[string]string{"kept": "old\n", "whole": string(make([]byte, 100))})
}

func TestExistingObjectKeepsIdentity(t *testing.T) {
	need(t, "rsync")
	w := mount(t)
	ctx := t.Context()
	w.run("echo one > f")
	before, err := w.client.Stat(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.ChangeAVUs(ctx, home+"/f", false, nil, []irods.AVU{{Name: "n", Value: "v"}}); err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(t.TempDir(), "f")
	for i, command := range []string{"cp %s f", "cat %s > f", "rsync -a %s f", "rsync -a --inplace %s f", "echo x >> f; cp %s f"} {
		text := fmt.Sprintf("content %d of another length %s\n", i, strings.Repeat("x", i*100))
		if err := os.WriteFile(src, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.run(fmt.Sprintf(command, src))
		e, err := w.client.Stat(ctx, home+"/f")
		if err != nil || e.ID != before.ID || e.Checksum == "" {
			t.Errorf("%s: got %+v, %v", command, e, err)
		}
		if avus, err := w.client.AVUs(ctx, home+"/f", false); err != nil || len(avus) != 1 {
			t.Errorf("%s: metadata %v, %v", command, avus, err)
		}
		compare(t, w.objects(home), map[string]string{"f": text})
	}
}

func TestXattrs(t *testing.T) {
	need(t, "getfattr")
	w := mount(t)
	w.run("echo x > f; setfattr -n user.irods.avu.colour -v blue f")
	if got := w.run("getfattr --only-values -n user.irods.avu.colour f"); got != "blue" {
		t.Errorf("got %q", got)
	}
	avus, err := w.client.AVUs(t.Context(), home+"/f", false)
	if err != nil || len(avus) != 1 || avus[0] != (irods.AVU{Name: "colour", Value: "blue"}) {
		t.Errorf("got %v, %v", avus, err)
	}
	both := `[{"value":"1","units":"mm"},{"value":"2"}]`
	w.run("setfattr -n user.irods.avu.size -v '" + both + "' f")
	if got := w.run("getfattr --only-values -n user.irods.avu.size f"); got != both {
		t.Errorf("got %q, want %q", got, both)
	}
	if got := w.run("getfattr --only-values -n user.irods.checksum f"); !strings.HasPrefix(got, "sha2:") {
		t.Errorf("checksum: got %q", got)
	}
	got := w.run("getfattr f; setfattr -x user.irods.avu.size f; getfattr f | grep -c size; true")
	for _, n := range []string{"avu.colour", "checksum", "id", "owner", "replicas", "resource"} {
		if !strings.Contains(got, "user.irods."+n) {
			t.Errorf("%s is not listed in %q", n, got)
		}
	}
	if !strings.HasSuffix(got, "0\n") {
		t.Errorf("after removal: %q", got)
	}
}

func TestDeniedAtTheEarliestCall(t *testing.T) {
	w := mount(t)
	ctx := t.Context()
	shown := homeOfBob + "/shown"
	if err := w.MakeCollection(ctx, shown, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.SetAccess(ctx, shown, "alice", "read"); err != nil {
		t.Fatal(err)
	}
	if err := w.PutObject(ctx, shown+"/f", "bob", strings.NewReader("bob's")); err != nil {
		t.Fatal(err)
	}
	if err := w.SetAccess(ctx, shown+"/f", "alice", "read"); err != nil {
		t.Fatal(err)
	}
	w.dir = filepath.Join(w.served.Mountpoint(), homeOfBob)
	if got := w.run("cat shown/f; ls shown; stat -c %a shown/f"); got != "bob'sf\n444\n" {
		t.Errorf("got %q", got)
	}
	for _, call := range []func() error{
		func() error { return os.Mkdir(w.dir+"/shown/d", 0o700) },
		func() error { _, err := os.Create(w.dir + "/shown/new"); return err },
		func() error { _, err := os.OpenFile(w.dir+"/shown/f", os.O_WRONLY, 0); return err },
		func() error { return os.Remove(w.dir + "/shown/f") },
		func() error { return os.Mkdir(w.dir+"/new", 0o700) },
	} {
		if err := call(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v, want permission denied", err)
		}
	}
}

// What others change shows within 5 s: the view's 4, which the test lets pass,
// and the kernel's one. No other time passes for the view.
func TestForeignChangesShow(t *testing.T) {
	const look = "cat new; cat changed; cat removed; ls; ls d"
	w := mount(t)
	ctx, other := t.Context(), w.newClient("alice")
	w.run("echo old > changed; echo x > removed; mkdir d; echo y > d/inside")
	w.later()
	w.try(look)
	w.freeze()
	f, err := other.OpenWrite(ctx, home+"/changed", true)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string) error {
		sum := sha256.Sum256([]byte("hello\n"))
		return other.Put(ctx, home+"/"+name, []byte("hello\n"), sum[:])
	}
	if err := errors.Join(f.WriteAt(ctx, []byte("changed by others\n"), 0), f.Close(ctx), put("new"), put("d/more"),
		other.Remove(ctx, home+"/removed", true), other.Rename(ctx, home+"/d/inside", home+"/d/moved", false, false)); err != nil {
		t.Fatal(err)
	}
	w.later()
	const want = "hello\nchanged by others\ncat: removed: No such file or directory\nchanged\nd\nnew\nmore\nmoved\n"
	var got string
	waitFor(t, func() bool { got, _ = w.try(look); return got == want })
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatfsDoesNotRefuse(t *testing.T) {
	w := mount(t)
	w.limitAlice(8 << 30)
	if out := w.run("stat -f -c '%S %b' ."); out != "4096 2097152\n" {
		t.Errorf("got %q", out)
	}
}
