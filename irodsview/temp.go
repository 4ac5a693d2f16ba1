package irodsview

import (
	"context"
	"errors"
	"os"
	"path"
	"regexp"
	"strings"
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
	lock, err := os.OpenFile(v.temps.lockFile(instance), os.O_RDWR|syscall.O_CLOEXEC, 0)
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
		case unknown, elsewhere:
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
