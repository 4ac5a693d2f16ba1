package mount

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// otherCalls are the rows about locks, notices, programs and the rest.
var otherCalls = map[string]func(*callTest){
	"flock": func(c *callTest) {
		c.both("lock what another one has locked", unix.EAGAIN, func(_, file string) error {
			a, b := int(c.open(file, unix.O_RDONLY).Fd()), int(c.open(file, unix.O_RDONLY).Fd())
			if err := unix.Flock(a, unix.LOCK_EX); err != nil {
				return err
			}
			err := unix.Flock(b, unix.LOCK_SH|unix.LOCK_NB)
			if uerr := unix.Flock(a, unix.LOCK_UN); uerr != nil {
				return uerr
			}
			if again := unix.Flock(b, unix.LOCK_SH|unix.LOCK_NB); again != nil {
				c.t.Errorf("%s stays locked: %v", file, again)
			}
			if uerr := unix.Flock(b, unix.LOCK_UN); uerr != nil {
				return uerr
			}
			return err
		})
		out, err := c.shell(`exec 9<"$1/file"; flock 9; flock -n "$1/file" true || echo locked`, c.dir)
		if err != nil || out != "locked\n" {
			c.t.Errorf("between processes: %q, %v", out, err)
		}
	},
	"fcntl F_SETLK, F_OFD_SETLK, lockf": func(c *callTest) {
		lock := func(f *os.File, kind int16) error {
			return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Len: 5})
		}
		a, b := c.open(c.file, unix.O_RDWR), c.open(c.file, unix.O_RDWR)
		c.irods("lock", lock(a, unix.F_WRLCK), 0)
		c.irods("lock what another one has locked", lock(b, unix.F_RDLCK), unix.EAGAIN)
		c.irods("unlock", lock(a, unix.F_UNLCK), 0)
		c.irods("lock again", lock(b, unix.F_RDLCK), 0)
		live := c.open(c.live, unix.O_RDONLY)
		c.omero("read lock", lock(live, unix.F_RDLCK), 0)
		c.omero("write lock", lock(live, unix.F_WRLCK), unix.EBADF)
	},
	"fcntl F_SETLEASE": func(c *callTest) {
		c.both("read lease", 0, func(_, file string) error {
			fd := c.open(file, unix.O_RDONLY).Fd()
			if _, err := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK); err != nil {
				return err
			}
			_, err := unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
			return err
		})
	},
	"inotify": func(c *callTest) {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			c.t.Fatal(err)
		}
		notices := os.NewFile(uintptr(fd), "inotify")
		defer func() { _ = notices.Close() }()
		c.both("watch", 0, func(dir, _ string) error {
			_, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_CLOSE_WRITE|unix.IN_DELETE)
			return err
		})
		c.write(filepath.Join(c.dir, "new"), "x")
		c.irods("remove", os.Remove(filepath.Join(c.dir, "new")), 0)
		buf, seen := make([]byte, 4096), uint32(0)
		if err := notices.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			c.t.Fatal(err)
		}
		for seen&unix.IN_DELETE == 0 {
			n, err := notices.Read(buf)
			if err != nil {
				c.t.Fatalf("seen %x: %v", seen, err)
			}
			for off := 0; off+unix.SizeofInotifyEvent <= n; {
				mask := uint32(buf[off+4]) | uint32(buf[off+5])<<8 | uint32(buf[off+6])<<16 | uint32(buf[off+7])<<24
				seen |= mask
				off += unix.SizeofInotifyEvent + int(buf[off+12])
			}
		}
		if seen&(unix.IN_CREATE|unix.IN_CLOSE_WRITE) != unix.IN_CREATE|unix.IN_CLOSE_WRITE {
			c.t.Errorf("seen %x", seen)
		}
		// Another client of iRODS says nothing to this machine's kernel.
		ctx := c.t.Context()
		if err := c.w.at.PutObject(ctx, c.logical("foreign"), c.w.at.user, strings.NewReader("x")); err != nil {
			c.t.Fatal(err)
		}
		eventually(c.t, "the foreign file shows", func() bool { _, err := os.Stat(filepath.Join(c.dir, "foreign")); return err == nil })
		if n, err := unix.Read(fd, buf); err != unix.EAGAIN {
			c.t.Errorf("a notice of what others did: %q, %v", buf[:max(n, 0)], err)
		}
	},
	"ioctl": func(c *callTest) {
		c.both("FS_IOC_GETFLAGS", unix.ENOTTY, func(_, file string) error {
			_, err := unix.IoctlGetInt(int(c.open(file, unix.O_RDONLY).Fd()), unix.FS_IOC_GETFLAGS)
			return err
		})
		to := c.open(filepath.Join(c.dir, "clone"), unix.O_CREAT|unix.O_WRONLY)
		c.both("FICLONE", unix.EOPNOTSUPP, func(_, file string) error {
			return unix.IoctlFileClone(int(to.Fd()), int(c.open(file, unix.O_RDONLY).Fd()))
		})
	},
	"execve": func(c *callTest) {
		script := filepath.Join(c.dir, "script")
		c.write(script, "#!/bin/sh\necho ran\n")
		c.irods("run without the x bit", again(func() error { return unix.Access(script, unix.X_OK) }), unix.EACCES)
		c.irods("chmod", os.Chmod(script, 0o755), 0)
		if out, err := c.shell(`"$1"`, script); err != nil || out != "ran\n" {
			c.t.Errorf("got %q, %v", out, err)
		}
		if out, err := c.shell(`cp /bin/true "$1/true" && chmod +x "$1/true" && "$1/true"`, c.dir); err != nil {
			c.t.Errorf("a program: %s, %v", out, err)
		}
		c.omero("run", again(func() error { return unix.Access(c.live, unix.X_OK) }), unix.EACCES)
	},
	"name_to_handle_at, open_by_handle_at": func(c *callTest) {
		c.both("a handle", 0, func(dir, _ string) error {
			h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, dir, 0)
			if err == nil && h.Size() == 0 {
				c.t.Error("an empty handle")
			}
			return err
		})
	},
}
