package fs

import (
	"context"
	"errors"
	"log/slog"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs/tree"
)

// mount is what all nodes of a mounted tree share.
type mount struct {
	opts     Options // immutable
	log      *slog.Logger
	errors   *ErrorLog
	entities *entities
	handles  *handles
}

func newMount(opts Options) *mount {
	return &mount{
		opts:     opts,
		log:      opts.Logger,
		errors:   NewErrorLog(),
		entities: newEntities(),
		handles:  newHandles(),
	}
}

// op is the name of a request in logs and in the error log.
type op string

const (
	opLookup   op = "look up"
	opStat     op = "stat"
	opSetAttr  op = "change attributes of"
	opAccess   op = "check access to"
	opStatfs   op = "ask for space at"
	opList     op = "list"
	opOpen     op = "open"
	opCreate   op = "create"
	opMkdir    op = "make folder"
	opRemove   op = "remove"
	opRmdir    op = "remove folder"
	opRename   op = "rename"
	opLink     op = "link"
	opRead     op = "read"
	opWrite    op = "write"
	opPatient  op = "write " // to a tree.Patient
	opClose    op = "close"
	opSync     op = "sync"
	opCopy     op = "copy to"
	opGetXattr op = "read attribute of"
	opSetXattr op = "set attribute of"
)

// limited says whether the mount's deadline holds for a request. The others
// wait for a store or a commit, whose views have limits of their own.
func (o op) limited() bool {
	switch o {
	case opClose, opSync, opRename, opCopy, opPatient:
		return false
	}
	return true
}

// begin makes the context of a request: caller, identity, deadline. bound is
// the caller that opened the handle the request came for, nil without one: it
// stands in where the kernel acts by itself (page write-back, RELEASE), which
// it does as nobody, with user 0, group 0 and no thread. The returned
// function must be called at the end of the request.
func (m *mount) begin(ctx context.Context, o op, bound *tree.Caller) (context.Context, context.CancelFunc) {
	ctx = tree.WithCaller(ctx, callerOf(ctx, bound))
	if m.opts.Who != nil {
		ctx = m.opts.Who(ctx)
	}
	end := context.CancelFunc(func() {})
	if o.seenThrough() {
		ctx, end = tree.Outlive(ctx, tree.InterruptGrace)
	}
	if m.opts.Deadline > 0 && o.limited() {
		limited, cancel := context.WithTimeout(ctx, m.opts.Deadline)
		return limited, func() { cancel(); end() }
	}
	return ctx, end
}

// seenThrough says whether a request is a change that a server makes with one
// answer.
func (o op) seenThrough() bool {
	switch o {
	case opMkdir, opRemove, opRmdir, opSetXattr:
		return true
	}
	return false
}

func callerOf(ctx context.Context, bound *tree.Caller) tree.Caller {
	c, ok := fuse.FromContext(ctx)
	if !ok || c.Pid == 0 && c.Uid == 0 && c.Gid == 0 {
		if bound != nil {
			return *bound
		}
		if !ok {
			return tree.Caller{}
		}
	}
	return tree.Caller{UID: c.Uid, GID: c.Gid, TID: c.Pid}
}

// fail ends a request with err: it keeps the reason for the caller and
// returns the errno. Errors that nobody classified are ours to fix and are
// logged. path is relative to the mount's root.
func (m *mount) fail(ctx context.Context, o op, path string, err error) syscall.Errno {
	if err == nil {
		return 0
	}
	errno, known := Errno(ctx, err)
	caller, _ := tree.CallerFrom(ctx)
	if !known {
		m.log.Error("unclassified", "op", string(o), "path", path, "uid", caller.UID, "err", err)
	} else {
		m.log.Debug("failed", "op", string(o), "path", path, "uid", caller.UID, "errno", errno.Error(), "err", err)
	}
	if worthKeeping(o, errno, err) {
		m.errors.add(caller.UID, path, string(o), errno, err)
	}
	return errno
}

// worthKeeping tells failures from the questions that programs ask all day
// and expect a no to.
func worthKeeping(o op, errno syscall.Errno, err error) bool {
	switch errno {
	case syscall.ENODATA, syscall.EOPNOTSUPP, syscall.EINTR:
		return false
	case syscall.ENOENT:
		return o != opLookup && o != opStat && o != opAccess
	}
	if o == opAccess {
		// A plain no needs no record, one that a view gives reasons for does.
		var told *tree.Error
		return errors.As(err, &told)
	}
	return true
}
