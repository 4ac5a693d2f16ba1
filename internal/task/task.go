// Package task looks at the Linux tasks that requests come from: whether one
// is being killed, and to which process it belongs. The kernel flushes the
// files of a dying program exactly as for a good close, so this is the only
// way to tell them apart.
package task

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// pfSignaled is PF_SIGNALED of the kernel's include/linux/sched.h: the task is
// dying of a signal.
const pfSignaled = 0x400

// Killed tells whether a task is being ended by a signal. A task that cannot
// be looked at counts as alive: the kernel holds the caller of a request until
// it is answered, so only a foreign pid namespace hides it.
func Killed(tid uint32) bool {
	if tid == 0 {
		return false
	}
	// The name, in parentheses, may hold anything; the flags are the seventh
	// field after it.
	stat := read(fmt.Sprintf("/proc/%d/stat", tid))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err == nil && flags&pfSignaled != 0
}

// Dying tells whether a waiting task has been sent a signal that ends it. The
// kernel turns each such signal into SIGKILL.
func Dying(tid uint32) bool {
	const sigKill = 1 << 8
	for _, key := range []string{"SigPnd", "ShdPnd"} {
		mask, err := strconv.ParseUint(status(tid, key), 16, 64)
		if err == nil && mask&sigKill != 0 {
			return true
		}
	}
	return false
}

// Process returns the process a task belongs to, 0 when that cannot be seen.
func Process(tid uint32) int {
	pid, err := strconv.Atoi(status(tid, "Tgid"))
	if err != nil {
		return 0
	}
	return pid
}

// status returns a field of the task's status file, "" when there is none.
func status(tid uint32, key string) string {
	if tid == 0 {
		return ""
	}
	for line := range strings.Lines(string(read(fmt.Sprintf("/proc/%d/status", tid)))) {
		if k, value, _ := strings.Cut(line, ":"); k == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// patience is how long the kernel may take to tell about a task.
const patience = 200 * time.Millisecond

// read reads a file that tells about a task, nil when it cannot be read at
// once. A task that closes descriptors because it executes another program
// holds what the kernel needs for the answer until its request is answered;
// such a task is not dying. The reader then ends with that request.
func read(name string) []byte {
	text := make(chan []byte, 1)
	go func() {
		data, err := os.ReadFile(name)
		if err != nil {
			data = nil
		}
		text <- data
	}()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case data := <-text:
		return data
	case <-limit.C:
		return nil
	}
}
