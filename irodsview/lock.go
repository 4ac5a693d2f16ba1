package irodsview

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
)

// tempNames gives names to temporary objects. While the instance lives it
// holds a lock on a file of its own name. The file says whose it is and on
// which machine: in a folder that several share, the locks of the others may
// not be seen.
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
		_, err = t.lock.WriteString(lockText{account, thisHost(), thisBoot()}.String())
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

// close gives up the lock. Without settled its file stays, as that of one that
// was killed, so that a later mount looks after what is left.
func (t *tempNames) close(settled bool) {
	if t.lock == nil {
		return
	}
	if settled {
		_ = os.Remove(t.lockFile(t.instance))
	}
	_ = t.lock.Close()
}

// lockText is what a lock file says.
type lockText struct{ account, host, boot string }

func (l lockText) String() string { return l.account + "\n" + l.host + "\n" + l.boot + "\n" }

// readLock reads a lock file.
func readLock(name string) (lockText, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return lockText{}, err
	}
	lines := append(strings.Split(string(b), "\n"), "", "", "")
	return lockText{lines[0], lines[1], lines[2]}, nil
}

// here tells whether the lock is one that this machine would see: of the
// kernel that runs, or of this machine before it was started again.
func (l lockText) here() bool {
	return l.boot != "" && l.boot == thisBoot() || l.host != "" && l.host == thisHost()
}

// thisBoot names the running kernel, which containers share.
func thisBoot() string { return firstLine("/proc/sys/kernel/random/boot_id") }

// thisHost names the machine.
func thisHost() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return ""
	}
	return host + " " + firstLine("/etc/machine-id")
}

func firstLine(name string) string {
	b, _ := os.ReadFile(name) // what cannot be read is unknown
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// state of an instance as far as this machine can tell.
type state int

const (
	unknown   state = iota // of another state folder, or long gone
	elsewhere              // of another machine that uses this state folder
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
	// A lock that NFS keeps for all its machines wants to write.
	f, err := os.OpenFile(t.lockFile(instance), os.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return unknown
	}
	defer func() { _ = f.Close() }()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return alive
	}
	if text, err := readLock(f.Name()); err != nil || !text.here() {
		return elsewhere
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
		if text, err := readLock(t.lockFile(m[1])); err == nil && text.account == t.account {
			out = append(out, m[1])
		}
	}
	return out
}
