package fs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"omerods/fs/tree"
)

// ErrorAttr is the extended attribute with the text of the last failure at a
// path, or, for a folder, below it, of the user who asks. It is never listed,
// so that no program copies it.
const ErrorAttr = "user.omerods.error"

// Bounds of an [ErrorLog].
const (
	maxFailures = 200 // of each user
	maxUsers    = 256
)

// Failure is one request that failed.
type Failure struct {
	Time   time.Time
	UID    uint32
	Path   string // relative to the mount's root, "" is the root
	Op     string // what was tried, as in "create"
	Errno  syscall.Errno
	Reason string
	Advice string // may be empty
	Count  int    // how often it came in a row
}

// String tells the failure in up to two lines.
func (f Failure) String() string {
	name := f.Path
	if name == "" {
		name = "the root"
	}
	s := fmt.Sprintf("%s: %s %s: %s (%s)", f.Time.Format(time.DateTime), f.Op, name, f.Reason, f.Errno.Error())
	if f.Count > 1 {
		s += fmt.Sprintf(", %d times", f.Count)
	}
	if f.Advice != "" {
		s += "\n" + f.Advice
	}
	return s
}

// ErrorLog keeps the latest failures of each user. Users never see each
// other's. It holds at most 200 failures for each of 256 users.
type ErrorLog struct {
	now func() time.Time

	mu    sync.Mutex // guards the field below
	users map[uint32][]Failure
}

// NewErrorLog returns an empty log.
func NewErrorLog() *ErrorLog {
	return &ErrorLog{now: time.Now, users: make(map[uint32][]Failure)}
}

// Record adds a failure that no request reports, for example one of a
// transfer that goes on after its last close. Its path is relative to the
// mount's root.
func (l *ErrorLog) Record(uid uint32, path, op string, err error) {
	if err == nil {
		return
	}
	errno, _ := Errno(context.Background(), err)
	l.add(uid, path, op, errno, err)
}

func (l *ErrorLog) add(uid uint32, name, op string, errno syscall.Errno, err error) {
	f := Failure{UID: uid, Path: cleanPath(name), Op: op, Errno: errno, Reason: err.Error(), Count: 1}
	var told *tree.Error
	if errors.As(err, &told) {
		f.Advice = told.Advice
	}
	f.Time = l.now()

	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.users[uid]
	if n := len(list); n > 0 {
		last := &list[n-1]
		if last.Path == f.Path && last.Op == f.Op && last.Reason == f.Reason && last.Errno == f.Errno {
			last.Count++
			last.Time = f.Time
			last.Advice = f.Advice
			return
		}
	}
	if list == nil && len(l.users) >= maxUsers {
		l.dropOldestUser()
	}
	if len(list) >= maxFailures {
		list = slices.Delete(list, 0, len(list)-maxFailures+1)
	}
	l.users[uid] = append(list, f)
}

// dropOldestUser forgets the user whose last failure is the oldest. It needs
// the lock.
func (l *ErrorLog) dropOldestUser() {
	oldest := slices.MinFunc(slices.Collect(maps.Keys(l.users)), func(a, b uint32) int {
		return lastTime(l.users[a]).Compare(lastTime(l.users[b]))
	})
	delete(l.users, oldest)
}

func lastTime(list []Failure) time.Time {
	if len(list) == 0 {
		return time.Time{}
	}
	return list[len(list)-1].Time
}

// Last returns the newest failure of a user at a path or below it.
func (l *ErrorLog) Last(uid uint32, path string) (Failure, bool) {
	path = cleanPath(path)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range slices.Backward(l.users[uid]) {
		if f.Path == path || path == "" || strings.HasPrefix(f.Path, path+"/") {
			return f, true
		}
	}
	return Failure{}, false
}

// All returns the failures of a user, newest first.
func (l *ErrorLog) All(uid uint32) []Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.users[uid])
	slices.Reverse(list)
	return list
}

// cleanPath makes all ways to write a path below the root the same.
func cleanPath(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }
