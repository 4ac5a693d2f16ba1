package transfer

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// pfSignaled is PF_SIGNALED of the kernel's task flags: the task is dying of
// a signal. The kernel flushes its open files then just as for a good close.
const pfSignaled = 0x00000400

// killed says whether a thread is being killed by a signal. A thread that
// cannot be looked at counts as alive: the kernel holds the caller of a
// request until it is answered, so only a foreign pid namespace hides it.
func killed(tid uint32) bool {
	if tid == 0 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tid))
	if err != nil {
		return false
	}
	// The command's name, in parentheses, may hold anything.
	f := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	if len(f) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(f[6], 10, 64)
	return err == nil && flags&pfSignaled != 0
}

// process returns the process a thread belongs to, 0 when it is not visible.
func process(tid uint32) int {
	if tid == 0 {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "Tgid:"); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(v))
			return pid
		}
	}
	return 0
}

// Writers follows the processes that write one thing, so that their end can
// be noticed.
type Writers struct {
	ctx  context.Context
	wait sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	alive   map[int]bool
	unknown bool // somebody wrote whose process cannot be seen
	ended   func()
}

// NewWriters calls ended, from a goroutine of its own, each time the last
// known writer has ended. It follows nobody any more once ctx is done; Close
// waits for that.
func NewWriters(ctx context.Context, ended func()) *Writers {
	return &Writers{ctx: ctx, alive: map[int]bool{}, ended: ended}
}

// Saw notes that a thread has written.
func (w *Writers) Saw(tid uint32) {
	pid := process(tid)
	w.mu.Lock()
	defer w.mu.Unlock()
	if pid == 0 {
		w.unknown = true
		return
	}
	if w.alive[pid] || w.ctx.Err() != nil {
		return
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return // it has ended already
	}
	w.alive[pid] = true
	w.wait.Add(1)
	go w.follow(pid, fd)
}

// Alive says whether a writer is still there, or whether that is unknown.
func (w *Writers) Alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.alive) > 0 || w.unknown
}

func (w *Writers) follow(pid, fd int) {
	defer w.wait.Done()
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	stop := context.AfterFunc(w.ctx, func() { f.Close() })
	defer stop()
	// A pidfd becomes readable when the process ends; the runtime's poller
	// waits for that without holding a thread.
	if rc, err := f.SyscallConn(); err == nil {
		_ = rc.Read(func(uintptr) bool {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, 0)
			return n > 0 || (err != nil && err != unix.EINTR)
		})
	}
	w.mu.Lock()
	delete(w.alive, pid)
	last := len(w.alive) == 0 && !w.unknown
	w.mu.Unlock()
	if last && w.ctx.Err() == nil {
		w.ended()
	}
}

// Close waits until nobody is followed any more; the context must be done.
func (w *Writers) Close() { w.wait.Wait() }
