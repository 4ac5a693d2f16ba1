package mount

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Mounts lists the omerods mounts of this machine.
func Mounts() ([]string, error) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if w := strings.Fields(lines.Text()); len(w) > 2 && w[2] == "fuse.omerods" {
			out = append(out, unescape(w[1]))
		}
	}
	return out, lines.Err()
}

// unescape undoes the octal escapes of /proc/self/mounts.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Unmount takes the mount at a point away and waits until its program has
// ended.
func Unmount(ctx context.Context, point string, lazy bool, wait time.Duration) error {
	point, err := filepath.Abs(point)
	if err != nil {
		return err
	}
	pidfd := -1
	if s, err := ReadStatus(point); err == nil && s.PID > 0 {
		if fd, err := unix.PidfdOpen(s.PID, 0); err == nil {
			pidfd = fd
			defer unix.Close(fd)
		}
	}
	args := []string{"-u"}
	if lazy {
		args = append(args, "-z")
	}
	out, err := exec.CommandContext(ctx, "fusermount3", append(args, "--", point)...).CombinedOutput()
	if err != nil {
		text := strings.TrimSpace(string(out))
		if strings.Contains(text, "busy") {
			return fmt.Errorf("%s is in use; close what uses it (fuser -m %s shows it), or unmount with --lazy", point, point)
		}
		return fmt.Errorf("%s: %s (%w)", point, text, err)
	}
	if pidfd < 0 {
		return nil
	}
	for end := time.Now().Add(wait); time.Now().Before(end) && ctx.Err() == nil; {
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 200); n > 0 || (err != nil && err != unix.EINTR) {
			return nil
		}
	}
	return fmt.Errorf("%s is unmounted; its program is still finishing transfers", point)
}
