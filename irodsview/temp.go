package irodsview

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
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

	"omerods/fs/tree"
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
	account  string
	lock     *os.File // nil when there is no folder for it
	count    atomic.Uint64
}

// newTempNames takes the lock of a new instance, whose file names the account:
// another account's later mount must not think that nothing is left of it.
func newTempNames(dir, account string, log *slog.Logger) *tempNames {
	var id [6]byte
	_, _ = rand.Read(id[:])
	t := &tempNames{instance: hex.EncodeToString(id[:]), dir: dir, account: account}
	if dir == "" {
		return t
	}
	// It gets its name when it is locked: without the lock it would look dead.
	final := t.lockFile(t.instance)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		t.lock, err = os.OpenFile(final+".new", os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	}
	if err == nil {
		err = syscall.Flock(int(t.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		_, err = t.lock.WriteString(account)
	}
	if err == nil {
		err = os.Rename(final+".new", final)
	}
	if err != nil {
		log.Warn("leftovers of a crash will stay for a day", "err", err)
		if t.lock != nil {
			_ = os.Remove(t.lock.Name())
			_ = t.lock.Close()
			t.lock = nil
		}
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
		_ = os.Remove(t.lockFile(t.instance))
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

var lockPattern = regexp.MustCompile(`^irods-([0-9a-f]{12})\.lock$`)

// dead returns the instances of the same account that were killed and of which
// something may be left.
func (t *tempNames) dead() []string {
	files, err := os.ReadDir(t.dir)
	if t.dir == "" || err != nil {
		return nil
	}
	var out []string
	for _, f := range files {
		m := lockPattern.FindStringSubmatch(f.Name())
		if m == nil || t.state(m[1]) != dead {
			continue
		}
		// One that was killed before it could write its account has done nothing.
		if account, err := os.ReadFile(t.lockFile(m[1])); err == nil && (len(account) == 0 || string(account) == t.account) {
			out = append(out, m[1])
		}
	}
	return out
}

// Instance names this view among all that have written to the zone, "" when
// another one could not tell whether this one lives.
func (v *View) Instance() string {
	if v.temps.lock == nil {
		return ""
	}
	return v.temps.instance
}

// Dead says whether another view, of this machine and state folder, is known
// to have been killed.
func (v *View) Dead(instance string) bool {
	return instance != "" && v.temps.state(instance) == dead
}

// Recover removes what killed mounts of the same account have left in their
// temporary objects, and has others look after what else there is: saves is
// called with the instance of each. An instance of which nothing is left is
// forgotten; the others stay for the next time. It returns how many temporary
// objects it removed.
func (v *View) Recover(ctx context.Context, c *irods.Client, saves func(ctx context.Context, instance string) error) (int, error) {
	ended := v.temps.dead()
	n, err := v.Cleanup(ctx, c)
	if err != nil {
		return n, err
	}
	var failed error
	for _, instance := range ended {
		failed = errors.Join(failed, v.recover(ctx, instance, saves))
	}
	return n, failed
}

func (v *View) recover(ctx context.Context, instance string, saves func(ctx context.Context, instance string) error) error {
	// Two mounts that start at once do not both do it.
	lock, err := os.Open(v.temps.lockFile(instance))
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	defer func() { _ = lock.Close() }()
	if err := saves(ctx, instance); err != nil {
		return err
	}
	return os.Remove(lock.Name())
}

// staleAfter is the age at which a temporary object of an instance that
// nothing is known about is taken for a leftover.
const staleAfter = 24 * time.Hour

// Cleanup finishes the changes of files in which mounts of this client's user
// were killed, removes the temporary objects that they left behind, and
// returns how many.
func (v *View) Cleanup(ctx context.Context, c *irods.Client) (int, error) {
	needed := v.overwrites.recover(ctx, c)
	// The pattern's % and _ match more than our names do.
	found, err := c.Find(ctx, ".omerods-%")
	if err != nil {
		return 0, fail(err)
	}
	removed := 0
	var first error
	for _, e := range found {
		m := tempPattern.FindStringSubmatch(path.Base(e.Path))
		if m == nil || needed[e.Path] {
			continue
		}
		switch v.temps.state(m[1]) {
		case alive:
			continue
		case unknown:
			if v.cfg.Clock().Sub(e.Modified) < staleAfter {
				continue
			}
		}
		if err := c.Remove(ctx, e.Path, true); err != nil {
			if first == nil {
				first = fail(err)
			}
			// The server may not have noticed yet that the mount is gone.
			v.leftovers.add(leftover{client: c, dir: v.nodes.at(path.Dir(e.Path), tree.KindDir), name: path.Base(e.Path)})
			continue
		}
		removed++
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
