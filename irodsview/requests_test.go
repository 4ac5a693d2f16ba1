package irodsview_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
