package mount

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openCalls are the rows about opening, closing and making files.
var openCalls = map[string]func(*callTest){
	"open O_RDONLY": func(c *callTest) {
		c.both("open", 0, func(_, file string) error { return tryOpen(file, unix.O_RDONLY) })
		c.both("open what is not there", unix.ENOENT, func(dir, _ string) error { return tryOpen(filepath.Join(dir, "none"), unix.O_RDONLY) })
		c.both("open something in a file", unix.ENOTDIR, func(_, file string) error { return tryOpen(file+"/x", unix.O_RDONLY) })
	},
	"open O_WRONLY, O_RDWR": func(c *callTest) {
		for _, flags := range []int{unix.O_WRONLY, unix.O_RDWR} {
			c.irods("open", again(func() error { return tryOpen(c.file, flags) }), 0)
			c.irods("open what may only be read", again(func() error { return tryOpen(c.shown, flags) }), unix.EACCES)
			c.omero("open", again(func() error { return tryOpen(c.live, flags) }), unix.EEXIST)
			c.both("open a folder", unix.EISDIR, func(dir, _ string) error { return tryOpen(dir, flags) })
		}
		c.content(c.file, "0123456789")
	},
	"open O_CREAT, creat": func(c *callTest) {
		c.irods("make", again(func() error { return tryOpen(filepath.Join(c.dir, "new"), unix.O_CREAT|unix.O_WRONLY) }), 0)
		c.content(filepath.Join(c.dir, "new"), "")
		c.irods("open what is there", again(func() error { return tryOpen(c.file, unix.O_CREAT|unix.O_RDWR) }), 0)
		c.content(c.file, "0123456789")
		c.irods("make where one may not", again(func() error { return tryOpen(filepath.Join(filepath.Dir(c.shown), "new"), unix.O_CREAT|unix.O_WRONLY) }), unix.EACCES)
		c.omero("make", again(func() error { return tryOpen(filepath.Join(c.liveDir, "new"), unix.O_CREAT|unix.O_WRONLY) }), unix.EPERM)
	},
	"open O_EXCL": func(c *callTest) {
		const flags = unix.O_CREAT | unix.O_EXCL | unix.O_WRONLY
		c.both("make what is there", unix.EEXIST, func(_, file string) error { return tryOpen(file, flags) })
		c.irods("make", again(func() error { return tryOpen(filepath.Join(c.dir, "new"), flags) }), 0)
	},
	"open O_TRUNC": func(c *callTest) {
		c.irods("open", again(func() error { return tryOpen(c.file, unix.O_WRONLY|unix.O_TRUNC) }), 0)
		eventually(c.t, "the file is empty", func() bool { return c.stat(c.file).Size() == 0 })
		c.omero("open", again(func() error { return tryOpen(c.live, unix.O_WRONLY|unix.O_TRUNC) }), unix.EEXIST)
	},
	"open O_APPEND": func(c *callTest) {
		a, b := c.open(c.file, unix.O_WRONLY|unix.O_APPEND), c.open(c.file, unix.O_WRONLY|unix.O_APPEND)
		for _, f := range []*os.File{a, b, a} {
			_, err := f.WriteString("x")
			c.irods("write", err, 0)
		}
		c.irods("close", a.Close(), 0)
		c.irods("close", b.Close(), 0)
		c.content(c.file, "0123456789xxx")
		c.omero("open", again(func() error { return tryOpen(c.live, unix.O_WRONLY|unix.O_APPEND) }), unix.EEXIST)
	},
	"open O_DIRECTORY, O_NOFOLLOW, O_PATH, O_CLOEXEC, O_NONBLOCK, O_NOATIME": func(c *callTest) {
		for _, flag := range []int{unix.O_NOFOLLOW, unix.O_PATH, unix.O_CLOEXEC, unix.O_NONBLOCK, unix.O_NOATIME} {
			c.both("open", 0, func(_, file string) error { return tryOpen(file, flag) })
		}
		c.both("open a file as a folder", unix.ENOTDIR, func(_, file string) error { return tryOpen(file, unix.O_DIRECTORY) })
		c.both("open a folder", 0, func(dir, _ string) error { return tryOpen(dir, unix.O_DIRECTORY) })
	},
	"open O_DIRECT": func(c *callTest) {
		f := c.open(c.file, unix.O_RDWR|unix.O_DIRECT)
		block := alignedBlock(4096)
		copy(block, strings.Repeat("y", 4096))
		_, err := f.WriteAt(block, 0)
		c.irods("write", err, 0)
		c.irods("close", f.Close(), 0)
		c.content(c.file, strings.Repeat("y", 4096))
		c.both("read", 0, func(_, file string) error {
			n, err := c.open(file, unix.O_RDONLY|unix.O_DIRECT).ReadAt(block, 0)
			if err == nil && n != 4096 {
				c.t.Errorf("read %d bytes of %s", n, file)
			}
			return err
		})
	},
	"open O_SYNC, O_DSYNC": func(c *callTest) {
		for i, flag := range []int{unix.O_SYNC, unix.O_DSYNC} {
			name := []string{"sync", "dsync"}[i]
			f := c.open(filepath.Join(c.dir, name), unix.O_CREAT|unix.O_WRONLY|flag)
			_, err := f.WriteString("safe")
			c.irods("write", err, 0)
			stored := 0
			found, err := c.w.irodsClient().Find(c.t.Context(), ".omerods-%")
			for _, e := range found {
				if strings.HasPrefix(e.Path, c.w.logical(filepath.Base(c.dir))) {
					stored++
				}
			}
			if err != nil || stored != 1 {
				c.t.Errorf("the server has %v, %v after a synchronous write", found, err)
			}
			c.irods("close", f.Close(), 0)
			c.content(filepath.Join(c.dir, name), "safe")
		}
		c.omero("open for reading", again(func() error { return tryOpen(c.live, unix.O_SYNC) }), 0)
	},
	"open O_TMPFILE": func(c *callTest) {
		c.both("open", unix.EOPNOTSUPP, func(dir, _ string) error { return tryOpen(dir, unix.O_TMPFILE|unix.O_RDWR) })
	},
	"close": func(c *callTest) {
		name := filepath.Join(c.dir, "new")
		f := c.open(name, unix.O_CREAT|unix.O_WRONLY)
		_, err := f.WriteString("content")
		c.irods("write", err, 0)
		if e, err := c.w.irodsClient().Stat(c.t.Context(), c.logical(name)); err == nil {
			c.t.Errorf("others see it before its close: %+v", e)
		}
		c.irods("close", f.Close(), 0)
		e, err := c.w.irodsClient().Stat(c.t.Context(), c.logical(name))
		if err != nil || e.Size != 7 || e.Checksum == "" {
			c.t.Errorf("after the close the server has %+v, %v", e, err)
		}
		const putObject, quotaExceeded, noPermission = 606, -110000, -818000
		for _, tt := range []struct {
			code int
			want syscall.Errno
		}{{quotaExceeded, unix.EDQUOT}, {noPermission, unix.EACCES}} {
			f := c.open(filepath.Join(c.dir, "refused"), unix.O_CREAT|unix.O_WRONLY)
			_, err := f.WriteString("content")
			c.irods("write", err, 0)
			if !c.deny(putObject, statusCode(tt.code)) {
				c.partial = true
				break
			}
			c.irods("close what the server refuses", unix.Close(dupOf(c, f)), tt.want)
			if _, err := os.Stat(filepath.Join(c.dir, "refused")); err == nil {
				c.t.Error("what was refused is there")
			}
		}
		c.omero("close", unix.Close(dupOf(c, c.open(c.live, unix.O_RDONLY))), 0)
	},
	"dup, dup2, fork": func(c *callTest) {
		f := c.open(filepath.Join(c.dir, "new"), unix.O_CREAT|unix.O_WRONLY)
		_, err := f.WriteString("one")
		c.irods("write", err, 0)
		c.irods("close of a copy", unix.Close(dupOf(c, f)), 0)
		c.content(f.Name(), "one")
		_, err = f.WriteString("two")
		c.irods("write on", err, 0)
		c.irods("close", f.Close(), 0)
		c.content(f.Name(), "onetwo")
		out, err := c.shell(`{ echo first; (echo second); echo third; } >"$1/forked" && cat "$1/forked"`, c.dir)
		if err != nil || out != "first\nsecond\nthird\n" {
			c.t.Errorf("got %q, %v", out, err)
		}
		c.omero("close of a copy", unix.Close(dupOf(c, c.open(c.live, unix.O_RDONLY))), 0)
	},
}

func dupOf(c *callTest, f *os.File) int {
	c.t.Helper()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	return fd
}

// alignedBlock is memory as O_DIRECT wants it.
func alignedBlock(n int) []byte {
	buf := make([]byte, 2*n)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(buf))) & uintptr(n-1))
	return buf[skip : skip+n : skip+n]
}
