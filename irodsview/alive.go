package irodsview

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"omerods/fs/tree"
)

// pfSignaled is PF_SIGNALED of the kernel's include/linux/sched.h: the task is
// dying of a signal. Its descriptors are closed then like any others.
const pfSignaled = 0x400

// cutOff tells whether the task that makes the request is being killed.
func cutOff(ctx context.Context) bool {
	caller, ok := tree.CallerFrom(ctx)
	if !ok || caller.TID == 0 {
		return false
	}
	// The name, in parentheses, may hold anything; the flags are the seventh
	// field after it.
	stat := readProc(fmt.Sprintf("/proc/%d/stat", caller.TID))
	if stat == nil {
		return false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err == nil && flags&pfSignaled != 0
}

// procTimeout is how long the kernel may take to tell about a task.
const procTimeout = 200 * time.Millisecond

// readProc reads a file that tells about the task which waits for the
// request, nil when it cannot be read at once. A task that closes descriptors
// because it executes another program holds what the kernel needs for the
// answer until it has got ours; such a task is not dying.
func readProc(name string) []byte {
	text := make(chan []byte, 1)
	go func() {
		data, err := os.ReadFile(name)
		if err != nil {
			data = nil
		}
		text <- data
	}()
	limit := time.NewTimer(procTimeout)
	defer limit.Stop()
	select {
	case data := <-text:
		return data
	case <-limit.C:
		return nil
	}
}

// dying tells whether the task that waits for the request has been sent a
// signal that ends it. The kernel turns each such signal into SIGKILL.
func dying(tid uint32) bool {
	const sigKill = 1 << 8
	for line := range strings.Lines(string(readProc(fmt.Sprintf("/proc/%d/status", tid)))) {
		key, value, _ := strings.Cut(line, ":")
		if key == "SigPnd" || key == "ShdPnd" {
			mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			if err == nil && mask&sigKill != 0 {
				return true
			}
		}
	}
	return false
}

// aliveTick is how often an interrupted caller is looked at.
const aliveTick = 100 * time.Millisecond

// whileAlive returns a context that goes on when the caller is interrupted by
// a signal it handles, and ends with [tree.ErrCutOff] when it is being killed.
// A limit other than zero ends it too. The returned function frees it.
func whileAlive(ctx context.Context, limit time.Duration) (context.Context, func()) {
	caller, _ := tree.CallerFrom(ctx)
	out, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var stopLimit context.CancelFunc = func() {}
	if limit > 0 {
		out, stopLimit = context.WithTimeout(out, limit)
	}
	done := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(aliveTick)
		defer tick.Stop()
		for caller.TID != 0 {
			if dying(caller.TID) {
				cancel(tree.ErrCutOff)
				return
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return out, func() {
		close(done)
		<-watching
		stopLimit()
		cancel(nil)
	}
}
