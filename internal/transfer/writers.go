package transfer

import (
	"context"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"omerods/internal/task"
)

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
	pid := task.Process(tid)
	gone := tid != 0 && errors.Is(unix.Kill(int(tid), 0), unix.ESRCH)
	w.mu.Lock()
	defer w.mu.Unlock()
	if pid == 0 && !gone {
		w.unknown = true
		return
	}
	if w.alive[pid] || w.ctx.Err() != nil {
		return
	}
	fd := -1
	if !gone {
		var err error
		if fd, err = unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK); err != nil {
			gone = true
		}
	}
	if gone {
		// It has ended before it could be followed.
		if len(w.alive) == 0 && !w.unknown {
			w.wait.Go(w.ended)
		}
		return
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

// Knows says whether the process of a thread is one of the living writers.
func (w *Writers) Knows(tid uint32) bool {
	pid := task.Process(tid)
	w.mu.Lock()
	defer w.mu.Unlock()
	return pid != 0 && w.alive[pid]
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
