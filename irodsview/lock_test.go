package irodsview

import (
	"log/slog"
	"os"
	"slices"
	"testing"
)

// Who holds a lock is known of this machine only: in a folder that several
// share, the others' locks may not be seen.
func TestLockFilesOfOtherMachines(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	me, other := newTempNames(dir, "ada", log), newTempNames(dir, "ada", log)
	check := func(what string, want state, listed bool) {
		t.Helper()
		if got := me.state(other.instance); got != want {
			t.Errorf("%s: state %d, want %d", what, got, want)
		}
		if got := slices.Contains(me.dead(), other.instance); got != listed {
			t.Errorf("%s: listed as dead is %v", what, got)
		}
	}
	check("it runs", alive, false)
	other.close(false)
	check("it was killed", dead, true)
	for what, c := range map[string]struct {
		text lockText
		want state
	}{
		"a container of this machine":   {lockText{"ada", "elsewhere", thisBoot()}, dead},
		"before this machine restarted": {lockText{"ada", thisHost(), "another boot"}, dead},
		"another machine":               {lockText{"ada", "elsewhere", "another boot"}, elsewhere},
		"nobody knows":                  {lockText{account: "ada"}, elsewhere},
		"another account":               {lockText{"grace", thisHost(), thisBoot()}, dead},
	} {
		if err := os.WriteFile(me.lockFile(other.instance), []byte(c.text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		check(what, c.want, c.want == dead && c.text.account == "ada")
	}
	me.close(true)
	if _, err := os.Stat(me.lockFile(me.instance)); !os.IsNotExist(err) {
		t.Errorf("its lock file is left: %v", err)
	}
}
