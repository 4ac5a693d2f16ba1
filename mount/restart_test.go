package mount

import (
	"fmt"
	"path/filepath"
	"testing"

	"omerods/internal/sandbox"
)

// An iRODS server that is restarted while nobody asks anything costs no program
// an error: not one that reads, and not one that makes, writes, renames and
// removes, with TLS and without.
func TestRestartBelowAMount(t *testing.T) {
	for name, plain := range map[string]bool{"TLS": false, "plain": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Config{Relays: true, IRODSPlain: plain, Empty: true})
			relay := w.sandbox.IRODSRelay()
			ended := 0
			for i, end := range []func() int{relay.Cut, relay.Reset, relay.Cut} {
				dir := w.home(fmt.Sprintf("d%d", i))
				steps := [][]string{
					{"mkdir", dir}, {"cp", "/etc/hostname", filepath.Join(dir, "a")}, {"mv", filepath.Join(dir, "a"), filepath.Join(dir, "b")},
					{"ls", "-l", dir}, {"cat", filepath.Join(dir, "b")}, {"touch", "-d", "2020-01-01", filepath.Join(dir, "b")}, {"rm", filepath.Join(dir, "b")}, {"rmdir", dir},
				}
				for _, s := range steps {
					ended += end()
					w.run(s[0], s[1:]...)
				}
			}
			if ended < 15 { // a listing may need none
				t.Errorf("only %d connections were ended", ended)
			}
		})
	}
}
