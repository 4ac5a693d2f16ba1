package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Server is a mounted tree.
type Server struct {
	mount      *mount
	fuse       *fuse.Server
	mountpoint string
	device     string // "major:minor", empty if unknown

	done    chan struct{} // closed when the last request was answered
	aborted atomic.Bool   // the connection was cut by us
}

// serve answers requests until the kernel lets go of the mount, then frees
// what the kernel did not: a RELEASE may be dropped on the way out.
func (s *Server) serve() {
	defer close(s.done)
	s.fuse.Serve()
	s.mount.handles.releaseAll()
	s.mount.log.Info("unmounted", "mountpoint", s.mountpoint)
}

func (s *Server) waitReady(ctx context.Context) error {
	ready := make(chan error, 1)
	go func() { ready <- s.fuse.WaitMount() }()
	var err error
	select {
	case err = <-ready:
		if err == nil {
			return nil
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	if derr := unmount(context.WithoutCancel(ctx), s.mountpoint, true); derr != nil {
		err = errors.Join(err, derr)
	}
	return fmt.Errorf("mount %s: %w", s.mountpoint, err)
}

// Mountpoint returns the absolute path of the mount point.
func (s *Server) Mountpoint() string { return s.mountpoint }

// Errors returns the failures of the mount's requests.
func (s *Server) Errors() *ErrorLog { return s.mount.errors }

// OpenHandles returns how many file handles the kernel holds. It lags behind
// close(2), which does not wait for RELEASE.
func (s *Server) OpenHandles() int { return s.mount.handles.count() }

// Wait returns when the mount is gone and all its handles are released.
func (s *Server) Wait() { <-s.done }

// Done is closed when [Server.Wait] would return.
func (s *Server) Done() <-chan struct{} { return s.done }

// BusyError says that a mount point cannot be unmounted because programs use
// it.
type BusyError struct{ Mountpoint string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("%s is busy: leave it and close the files that are open in it"+
		" (fuser -vm %s lists the programs), or detach it", e.Mountpoint, e.Mountpoint)
}

// Unmount unmounts and waits for the end of all requests. While a program
// has a file or its working directory in the mount it returns a [*BusyError]
// and the mount goes on.
func (s *Server) Unmount(ctx context.Context) error { return s.end(ctx, false) }

// Detach takes the mount out of the file tree at once: nobody new gets in,
// programs inside go on. It does not wait for them; see [Server.Wait].
func (s *Server) Detach(ctx context.Context) error { return s.end(ctx, true) }

func (s *Server) end(ctx context.Context, lazy bool) error {
	if err := s.leave(ctx, lazy); err != nil || lazy {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("unmounted %s, requests still running: %w", s.mountpoint, ctx.Err())
	}
}

// leave takes the mount from its mount point.
func (s *Server) leave(ctx context.Context, lazy bool) error {
	// A file closed a moment ago may still count as open.
	const tries = 5
	delay := 10 * time.Millisecond
	var err error
	for range tries {
		if !s.there() {
			return nil // somebody else has unmounted it
		}
		var busy *BusyError
		if err = unmount(ctx, s.mountpoint, lazy); err == nil || !errors.As(err, &busy) {
			return err
		}
		select {
		case <-s.done:
			return nil
		case <-ctx.Done():
			return err
		case <-time.After(delay):
		}
		delay *= 2
	}
	return err
}

// there says whether the mount is at its mount point, on top: what others
// mounted is not ours to unmount.
func (s *Server) there() bool {
	select {
	case <-s.done:
		// The device's number may have been given to another mount, unless it is
		// our own dead one that still holds it.
		if !s.aborted.Load() {
			return false
		}
	default:
	}
	e, ok := mountAt(s.mountpoint)
	return ok && e.device == s.device
}

// Abort cuts the connection to the kernel: every request, running or new,
// fails with ENOTCONN and the contexts of running ones are done. It is the way
// out when a handler hangs. The dead mount may stay at the mount point; see
// [Server.Detach].
func (s *Server) Abort() error {
	s.aborted.Store(true)
	err := abortConnection(s.device)
	if err == nil || os.Geteuid() != 0 {
		return err
	}
	// Without fusectl, a forced unmount does it, even if it fails as busy.
	if !s.there() {
		return err
	}
	if err := unix.Unmount(s.mountpoint, unix.MNT_FORCE|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("abort %s: %w", s.mountpoint, err)
	}
	return nil
}

func abortConnection(device string) error {
	_, minor, ok := strings.Cut(device, ":")
	if !ok {
		return errors.New("abort: the device of the mount is unknown")
	}
	// Anonymous devices have major 0, so that the connection's name, the whole
	// device number, is the minor number.
	path := filepath.Join("/sys/fs/fuse/connections", minor, "abort")
	if err := os.WriteFile(path, []byte("1"), 0); err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	return nil
}
