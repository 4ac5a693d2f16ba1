package fs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// prepare makes sure that something can be mounted at mountpoint: a folder
// that is no FUSE mount already. A mount whose server has died is cleared.
func prepare(ctx context.Context, mountpoint string, log *slog.Logger) error {
	if e, ok := mountAt(mountpoint); ok && strings.HasPrefix(e.fstype, "fuse") {
		if !dead(ctx, mountpoint) {
			return fmt.Errorf("%s is mounted already (%s, from %s): unmount it first", mountpoint, e.fstype, e.source)
		}
		log.Warn("clearing a mount whose server has died", "mountpoint", mountpoint)
		if err := unmount(ctx, mountpoint, true); err != nil {
			return fmt.Errorf("a dead mount is in the way and cannot be cleared,"+
				" try fusermount3 -uz %s: %w", mountpoint, err)
		}
	}
	info, err := os.Stat(mountpoint)
	if err != nil {
		return fmt.Errorf("mount point: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("mount point %s is not a folder", mountpoint)
	}
	return nil
}

// aliveTimeout is how long a living server may take to say that it lives.
const aliveTimeout = 5 * time.Second

// dead reports whether the server of a mount has ended. It asks for the free
// space, which the kernel has no cache for. A server that hangs is not dead;
// the question to it is left to end with it.
func dead(ctx context.Context, mountpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveTimeout)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		var st unix.Statfs_t
		answer <- unix.Statfs(mountpoint, &st)
	}()
	select {
	case err := <-answer:
		return errors.Is(err, syscall.ENOTCONN) || errors.Is(err, syscall.ECONNABORTED)
	case <-ctx.Done():
		return false
	}
}

// mountError adds to a failed mount what can be done about it.
func mountError(mountpoint string, opts Options, err error) error {
	hint := ""
	switch {
	case !exists("/dev/fuse"):
		hint = ": /dev/fuse is missing, load the kernel module (modprobe fuse) or give the container the device"
	case os.Geteuid() != 0 && !hasFusermount():
		hint = ": fusermount3 is missing, install the package fuse3"
	case os.Geteuid() != 0 && opts.AllowOther:
		hint = ": other users are let in only if /etc/fuse.conf has the line user_allow_other"
	}
	return fmt.Errorf("mount %s%s: %w", mountpoint, hint, err)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func hasFusermount() bool {
	_, err := exec.LookPath("fusermount3")
	return err == nil
}

// unmount unmounts the mount point, directly where the process may and with
// fusermount3 otherwise. Lazy detaches it even if it is in use.
func unmount(ctx context.Context, mountpoint string, lazy bool) error {
	if os.Geteuid() == 0 {
		flags := unix.UMOUNT_NOFOLLOW
		if lazy {
			flags |= unix.MNT_DETACH
		}
		err := unix.Unmount(mountpoint, flags)
		if errors.Is(err, unix.EBUSY) {
			return &BusyError{Mountpoint: mountpoint}
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("unmount %s: %w", mountpoint, err)
		}
	}
	args := []string{"-u", mountpoint}
	if lazy {
		args = []string{"-u", "-z", mountpoint}
	}
	cmd := exec.CommandContext(ctx, "fusermount3", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(stderr.String())
		if strings.Contains(text, "busy") {
			return &BusyError{Mountpoint: mountpoint}
		}
		return fmt.Errorf("unmount %s: %s: %w", mountpoint, text, err)
	}
	return nil
}

// mountEntry is one line of /proc/self/mountinfo.
type mountEntry struct {
	device, path, fstype, source string
}

// resolve returns the absolute path of a mount point without links, as the
// kernel's table has it. It does not look into the folder itself, which may be
// a dead mount.
func resolve(mountpoint string) (string, error) {
	const maxLinks = 40
	for range maxLinks {
		abs, err := filepath.Abs(mountpoint)
		if err != nil {
			return "", err
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
		if err != nil {
			return "", err
		}
		mountpoint = filepath.Join(dir, filepath.Base(abs))
		target, err := os.Readlink(mountpoint)
		if err != nil {
			return mountpoint, nil // no link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		mountpoint = target
	}
	return "", syscall.ELOOP
}

// mountAt returns the topmost mount at exactly this resolved path. It asks
// the kernel's table and not the filesystem: a process that asks its own
// mount waits for itself.
func mountAt(mountpoint string) (mountEntry, bool) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mountEntry{}, false
	}
	var found mountEntry
	ok := false
	for line := range strings.Lines(string(data)) {
		if e, valid := parseMountinfo(line); valid && e.path == mountpoint {
			found, ok = e, true
		}
	}
	return found, ok
}

// parseMountinfo reads one line as proc_pid_mountinfo(5) describes it.
func parseMountinfo(line string) (mountEntry, bool) {
	left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
	if !ok {
		return mountEntry{}, false
	}
	l, r := strings.Fields(left), strings.Fields(right)
	if len(l) < 5 || len(r) < 2 {
		return mountEntry{}, false
	}
	return mountEntry{
		device: l[2],
		path:   unescapeOctal(l[4]),
		fstype: r[0],
		source: unescapeOctal(r[1]),
	}, true
}

// unescapeOctal undoes the kernel's \ooo for blanks and backslashes.
func unescapeOctal(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func deviceOf(mountpoint string) string {
	e, _ := mountAt(mountpoint)
	return e.device
}

// setReadAhead raises the readahead of the mount's device, where the process
// may: FUSE itself can only lower the kernel's 128 KiB.
func setReadAhead(device string, kib int) {
	if device == "" || kib <= 0 || os.Geteuid() != 0 {
		return
	}
	path := filepath.Join("/sys/class/bdi", device, "read_ahead_kb")
	// A container often has no right to write there; reading is then slower
	// and nothing else.
	_ = os.WriteFile(path, []byte(strconv.Itoa(kib)), 0)
}
