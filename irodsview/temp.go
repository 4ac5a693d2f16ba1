package irodsview

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"omerods/internal/irods"
)

// tempPattern are the names of our temporary objects: the instance that made
// them and a number.
var tempPattern = regexp.MustCompile(`^\.omerods-([0-9a-f]{12})-([0-9a-f]+)$`)

// hidden tells names that no listing shows.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".omerods-") && tempPattern.MatchString(name)
}

// tempNames gives names to temporary objects. While the instance lives it
// holds a lock on a file of its own name.
type tempNames struct {
	instance string
	dir      string
	lock     *os.File // nil when there is no folder for it
	count    atomic.Uint64
}

func newTempNames(dir string, log *slog.Logger) *tempNames {
	var id [6]byte
	_, _ = rand.Read(id[:])
	t := &tempNames{instance: hex.EncodeToString(id[:]), dir: dir}
	if dir == "" {
		return t
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		t.lock, err = os.OpenFile(t.lockFile(t.instance), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	}
	if err == nil {
		err = syscall.Flock(int(t.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		log.Warn("leftovers of a crash will stay for a day", "err", err)
	}
	return t
}

func (t *tempNames) lockFile(instance string) string {
	return filepath.Join(t.dir, "irods-"+instance+".lock")
}

func (t *tempNames) next() string {
	return fmt.Sprintf(".omerods-%s-%x", t.instance, t.count.Add(1))
}

func (t *tempNames) close() {
	if t.lock != nil {
		_ = os.Remove(t.lock.Name())
		_ = t.lock.Close()
	}
}

// state of an instance as far as this machine can tell.
type state int

const (
	unknown state = iota // of another machine, or long gone
	alive
	dead
)

func (t *tempNames) state(instance string) state {
	if instance == t.instance {
		return alive
	}
	if t.dir == "" {
		return unknown
	}
	f, err := os.Open(t.lockFile(instance))
	if err != nil {
		return unknown
	}
	defer func() { _ = f.Close() }()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return alive
	}
	return dead
}

// staleAfter is the age at which a temporary object of an instance that
// nothing is known about is taken for a leftover.
const staleAfter = 24 * time.Hour

// Cleanup removes the temporary objects that killed mounts of this client's
// user left behind, and returns how many.
func (v *View) Cleanup(ctx context.Context, c *irods.Client) (int, error) {
	// The pattern's % and _ match more than our names do.
	found, err := c.Find(ctx, ".omerods-%")
	if err != nil {
		return 0, fail(err)
	}
	removed := 0
	gone := map[string]bool{}
	var first error
	for _, e := range found {
		m := tempPattern.FindStringSubmatch(path.Base(e.Path))
		if m == nil {
			continue
		}
		switch v.temps.state(m[1]) {
		case alive:
			continue
		case unknown:
			if v.cfg.Clock().Sub(e.Modified) < staleAfter {
				continue
			}
		case dead:
			gone[m[1]] = true
		}
		if err := c.Remove(ctx, e.Path, true); err != nil {
			if first == nil {
				first = fail(err)
			}
			delete(gone, m[1])
			continue
		}
		removed++
	}
	for instance := range gone {
		_ = os.Remove(v.temps.lockFile(instance))
	}
	return removed, first
}

// Names under which programs write a file before they rename it.
var (
	rsyncPattern = regexp.MustCompile(`^\..+\.[0-9A-Za-z]{6}$`)
	glibPattern  = regexp.MustCompile(`^\.goutputstream-[0-9A-Za-z]{6}$`)
)

// delayedFolder is where rsync --delay-updates collects files.
const delayedFolder = ".~tmp~"

// aliasName tells names that a program gives to a file which it will rename.
// exists says whether another name exists in the same folder.
func aliasName(name string, exists func(name string) bool) bool {
	if rsyncPattern.MatchString(name) || glibPattern.MatchString(name) {
		return true
	}
	// KIO writes NAME.part when it replaces NAME; other files of that name
	// are what they are.
	whole, ok := strings.CutSuffix(name, ".part")
	return ok && whole != "" && exists(whole)
}
