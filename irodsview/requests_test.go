package irodsview_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omerods/fs/fstest"
	"omerods/internal/relay"
)

// manySmall makes a local folder of n small files.
func manySmall(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		data := fmt.Sprintf("%0*d", 10_000+i, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file %03d", i)), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asked runs a command and returns what the server was asked meanwhile.
func (w *world) asked(command string) relay.Counts {
	w.t.Helper()
	w.relay.Take()
	w.run(command)
	return w.relay.Take()
}

// costs fails the test if a command asks for more than limit.
func (w *world) costs(limit int, command string) {
	w.t.Helper()
	if c := w.asked(command); c.Requests > limit {
		w.t.Errorf("%s: %d requests, want at most %d: %v", command, c.Requests, limit, c.ByAPI)
	}
}

// some is what looking around costs beside the files themselves.
const some = 15

func TestReadingSmallFilesCostsOneRequestEach(t *testing.T) {
	const n = 40
	w := mount(t)
	w.freeze()
	src := manySmall(t, n)
	w.run("cp -r '" + src + "' in")
	for _, program := range []string{"cp -r in", "rsync -a in/"} {
		need(t, strings.Fields(program)[0])
		out := filepath.Join(t.TempDir(), "out")
		w.later()
		w.costs(n+some, program+" '"+out+"'")
		compare(t, local(t, out), local(t, src))
	}
	w.later()
	w.costs(n+some, "tar -cf - in | tar -tf - >/dev/null")
}

// TestWritingSmallFilesCostsTwoRequestsEach: one with the bytes, one to give
// them their name; where a program sets a time there is a third, which takes
// no round trip of its own.
func TestWritingSmallFilesCostsTwoRequestsEach(t *testing.T) {
	const n = 40
	w := mount(t)
	w.freeze()
	src := manySmall(t, n)
	for name, each := range map[string]struct {
		requests int
		command  string
	}{
		"cp -r":    {2, "cp -r '%s' to"},
		"cp -a":    {3, "cp -a '%s' to"},
		"rsync -a": {3, "rsync -a '%s/' to"},
		"rsync -r": {2, "rsync -r '%s/' to"},
		"tar":      {3, "mkdir to; tar -C '%s' -cf - . | tar -C to -xf -"},
	} {
		need(t, strings.Fields(name)[0])
		w.costs(each.requests*n+some, fmt.Sprintf(each.command, src))
		compare(t, w.objects(home+"/to"), local(t, src))
		w.run("rm -r to")
		w.later()
	}
	// The folder's listing has become old on the way.
	w.run("mkdir slow")
	for range 3 {
		w.later()
		w.costs(3*n/2+some, fmt.Sprintf("ls '%s' | shuf -n %d | xargs -I{} cp '%s/{}' slow/; rm slow/*", src, n/2, src))
	}
}

// TestParallelWritersAskNoMore: an answer is of use although somebody of the
// same mount has changed the folder while it was on its way.
func TestParallelWritersAskNoMore(t *testing.T) {
	const n, writers = 80, 4
	w := mount(t)
	w.freeze()
	src := manySmall(t, n)
	w.run("mkdir to")
	w.relay.SetRoundTrip(5 * time.Millisecond)
	w.relay.OnRequest(func(n int64, _ int) relay.Verdict {
		if n%25 == 0 {
			w.later() // so that the folder is asked for again and again
		}
		return relay.Pass
	})
	w.costs(2*n+8*some, fmt.Sprintf("ls '%[1]s' | xargs -d '\\n' -P %[2]d -n %[3]d sh -c 'for f in \"$@\"; do cp \"%[1]s/$f\" to/; done' sh", src, writers, n/writers))
	w.relay.SetRoundTrip(0)
	compare(t, w.objects(home+"/to"), local(t, src))
}

// TestLookingAtWhatWasWrittenIsFree: what the mount has written itself it need
// not ask for, and what it does ask for it asks for once.
func TestLookingAtWhatWasWrittenIsFree(t *testing.T) {
	const n = 40
	w := mount(t)
	w.freeze()
	src := manySmall(t, n)
	need(t, "rsync")
	w.run("rsync -a '" + src + "/' in")
	w.costs(some, "rsync -a '"+src+"/' in; stat in/* >/dev/null")
	w.run("cp -r '" + src + "' plain")
	w.costs(2*some, "for f in plain/*; do stat \"$f\"; done >/dev/null")
}

// TestListingTellsRightsInFewRequests lists what others have shared, with a
// mount that has asked nothing before, its login included.
func TestListingTellsRightsInFewRequests(t *testing.T) {
	const n = 60
	w := newWorld(t, onSandbox)
	w.freeze()
	ctx := t.Context()
	for _, err := range []error{
		w.AddGroup(ctx, "lab"), w.AddToGroup(ctx, "lab", "alice"), w.AddToGroup(ctx, "lab", "bob"),
		w.MakeCollection(ctx, "/tempZone/home/public/shared", "bob"),
		w.SetAccess(ctx, "/tempZone/home/public/shared", "lab", "read"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]fs.FileMode{}
	for i := range n {
		who, level, mode := "lab", "read", fs.FileMode(0o444)
		switch i % 3 {
		case 1:
			level, mode = "write", 0o644
		case 2:
			who, level, mode = "alice", "own", 0o644
		}
		name := fmt.Sprintf("object %02d", i)
		p := "/tempZone/home/public/shared/" + name
		if err := w.PutObject(ctx, p, "bob", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if err := w.SetAccess(ctx, p, who, level); err != nil {
			t.Fatal(err)
		}
		want[name] = mode
	}
	w.dir = filepath.Join(fstest.Mount(t, w.view.Root()), "tempZone/home/public/shared")
	w.relay.Take()
	if err := w.client.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	out := w.run("ls -l >/dev/null; stat -c '%a %n' *")
	if c := w.relay.Take(); c.Requests > 10 || c.Connections > 1 {
		t.Errorf("got %d requests on %d connections, want at most 10 on one: %v", c.Requests, c.Connections, c.ByAPI)
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		mode, name, _ := strings.Cut(line, " ")
		if fmt.Sprintf("%o", want[name]) != mode {
			t.Errorf("%s: got mode %s, want %o", name, mode, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	w.costs(2*n+8*some, "ls -l")
	w.later()
	w.costs(10, "ls -l")
}

// TestDeepFoldersCostNoMore: the folders on the way are asked about together
// when what is known of them has become old.
func TestDeepFoldersCostNoMore(t *testing.T) {
	w := mount(t)
	w.freeze()
	w.run("mkdir -p a/b/c/d/e/f && echo x > a/b/c/d/e/f/file && cat a/b/c/d/e/f/file")
	// First they are found in the listings of those above them, which are old
	// by then, one by one; from then on together.
	for _, limit := range []int{3 * some, 2 * some, 6, 6} {
		w.later()
		time.Sleep(1100 * time.Millisecond) // the kernel's second
		w.costs(limit, "stat a/b/c/d/e/f >/dev/null")
	}
}

// TestLongFoldersAreAskedAboutInParts has more folders, with longer names,
// than fit into one condition of iRODS.
func TestLongFoldersAreAskedAboutInParts(t *testing.T) {
	w := mount(t)
	w.freeze()
	long := strings.Repeat("d", 200)
	deep := strings.Join([]string{long, long, long}, "/")
	w.run("mkdir -p " + deep + "/1 " + deep + "/2 " + deep + "/3 short")
	for range 3 {
		w.run("stat " + deep + "/1 " + deep + "/2 " + deep + "/3 short >/dev/null")
		w.later()
		time.Sleep(1100 * time.Millisecond) // the kernel's second
	}
}
