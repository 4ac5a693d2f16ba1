package mount

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dataCalls are the rows about the content of files.
var dataCalls = map[string]func(*callTest){
	"read, pread, readv": func(c *callTest) {
		for _, path := range []string{c.file, c.live} {
			whole, err := os.ReadFile(path)
			if err != nil || int64(len(whole)) != c.stat(path).Size() {
				c.t.Fatalf("%s has %d bytes, its size is %d: %v", path, len(whole), c.stat(path).Size(), err)
			}
			f, buf := c.open(path, unix.O_RDONLY), make([]byte, 4)
			if n, err := f.ReadAt(buf, 3); err != nil || !bytes.Equal(buf[:n], whole[3:7]) {
				c.t.Errorf("pread: got %q, %v", buf[:n], err)
			}
			two := [][]byte{make([]byte, 2), make([]byte, 3)}
			if n, err := unix.Readv(int(f.Fd()), two); err != nil || n != 5 || !bytes.Equal(append(two[0], two[1]...), whole[:5]) {
				c.t.Errorf("readv: got %d, %q, %v", n, two, err)
			}
			if n, err := unix.Pread(int(f.Fd()), buf, int64(len(whole))+100); err != nil || n != 0 {
				c.t.Errorf("read behind the end: got %d, %v", n, err)
			}
		}
		f := c.open(filepath.Join(c.dir, "new"), unix.O_CREAT|unix.O_WRONLY)
		_, err := unix.Read(int(f.Fd()), make([]byte, 1))
		c.irods("read what is open for writing only", err, unix.EBADF)
	},
	"write, pwrite, writev": func(c *callTest) {
		f := c.open(c.file, unix.O_RDWR)
		_, err := f.WriteAt([]byte("AB"), 8)
		c.irods("pwrite", err, 0)
		_, err = unix.Writev(int(f.Fd()), [][]byte{[]byte("a"), []byte("bc")})
		c.irods("writev", err, 0)
		_, err = f.WriteAt([]byte("end"), 15)
		c.irods("write behind the end", err, 0)
		c.content(c.file, "abc34567AB\x00\x00\x00\x00\x00end")
		c.irods("close", f.Close(), 0)
		c.content(c.file, "abc34567AB\x00\x00\x00\x00\x00end")
		_, err = unix.Write(int(c.open(c.file, unix.O_RDONLY).Fd()), []byte("x"))
		c.irods("write to what is open for reading only", err, unix.EBADF)
		_, err = unix.Write(int(c.open(c.live, unix.O_RDONLY).Fd()), []byte("x"))
		c.omero("write to what is open for reading only", err, unix.EBADF)
	},
	"lseek, SEEK_HOLE, SEEK_DATA": func(c *callTest) {
		sparse := c.open(filepath.Join(c.dir, "sparse"), unix.O_CREAT|unix.O_WRONLY)
		_, err := sparse.WriteAt([]byte("x"), 1<<20)
		c.irods("write", err, 0)
		c.irods("close", sparse.Close(), 0)
		for _, path := range []string{c.file, sparse.Name(), c.live} {
			fd, size := int(c.open(path, unix.O_RDONLY).Fd()), c.stat(path).Size()
			for _, tt := range []struct {
				off, want int64
				whence    int
			}{{5, 5, unix.SEEK_SET}, {0, size, unix.SEEK_END}, {5, 5, unix.SEEK_DATA}, {5, size, unix.SEEK_HOLE}} {
				if got, err := unix.Seek(fd, tt.off, tt.whence); err != nil || got != tt.want {
					c.t.Errorf("%s: seek %d %d: got %d, %v, want %d", path, tt.off, tt.whence, got, err, tt.want)
				}
			}
		}
		c.both("seek data behind the end", unix.ENXIO, func(_, file string) error {
			_, err := unix.Seek(int(c.open(file, unix.O_RDONLY).Fd()), 1<<40, unix.SEEK_DATA)
			return err
		})
	},
	"truncate, ftruncate": func(c *callTest) {
		c.irods("truncate", again(func() error { return unix.Truncate(c.file, 4) }), 0)
		c.content(c.file, "0123")
		f := c.open(c.file, unix.O_RDWR)
		c.irods("ftruncate", again(func() error { return unix.Ftruncate(int(f.Fd()), 6) }), 0)
		c.irods("close", f.Close(), 0)
		c.content(c.file, "0123\x00\x00")
		c.irods("truncate what may only be read", again(func() error { return unix.Truncate(c.shown, 0) }), unix.EACCES)
		c.irods("truncate a folder", again(func() error { return unix.Truncate(c.dir, 0) }), unix.EISDIR)
		c.omero("truncate", again(func() error { return unix.Truncate(c.live, 4) }), unix.EPERM)
	},
	"fallocate, posix_fallocate": func(c *callTest) {
		fd := int(c.open(c.file, unix.O_RDWR).Fd())
		for _, mode := range []uint32{0, unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_COLLAPSE_RANGE} {
			c.irods("fallocate", again(func() error { return unix.Fallocate(fd, mode, 0, 4096) }), unix.EOPNOTSUPP)
		}
		c.content(c.file, "0123456789")
		c.omero("fallocate", again(func() error { return unix.Fallocate(int(c.open(c.live, unix.O_RDONLY).Fd()), 0, 0, 4096) }), unix.EBADF)
	},
	"fsync, fdatasync, syncfs": func(c *callTest) {
		f := c.open(filepath.Join(c.dir, "new"), unix.O_CREAT|unix.O_RDWR)
		_, err := f.WriteString("content")
		c.irods("write", err, 0)
		c.irods("fsync", again(func() error { return unix.Fsync(int(f.Fd())) }), 0)
		c.irods("fdatasync", again(func() error { return unix.Fdatasync(int(f.Fd())) }), 0)
		c.irods("syncfs", again(func() error { return unix.Syncfs(int(f.Fd())) }), 0)
		if _, err := c.w.irodsClient().Stat(c.t.Context(), c.logical("new")); err == nil {
			c.t.Error("it has its name before its close")
		}
		c.irods("close", f.Close(), 0)
		c.both("fsync", 0, func(_, file string) error { return unix.Fsync(int(c.open(file, unix.O_RDONLY).Fd())) })
		c.both("fsync of a folder", 0, func(dir, _ string) error { return unix.Fsync(int(c.open(dir, unix.O_RDONLY).Fd())) })
	},
	"mmap MAP_PRIVATE": func(c *callTest) {
		c.both("map", 0, func(_, file string) error {
			f := c.open(file, unix.O_RDONLY)
			mem, err := unix.Mmap(int(f.Fd()), 0, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
			if err != nil {
				return err
			}
			before := make([]byte, 4)
			if _, err := f.ReadAt(before, 0); err != nil || !bytes.Equal(mem, before) {
				c.t.Errorf("mapped %q, read %q, %v", mem, before, err)
			}
			mem[0]++
			return unix.Munmap(mem)
		})
		c.content(c.file, "0123456789")
	},
	"mmap MAP_SHARED": func(c *callTest) {
		f := c.open(c.file, unix.O_RDWR)
		mem, err := unix.Mmap(int(f.Fd()), 0, 10, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		c.irods("map", err, 0)
		copy(mem[2:], "MAP")
		c.irods("msync", again(func() error { return unix.Msync(mem, unix.MS_SYNC) }), 0)
		c.irods("munmap", unix.Munmap(mem), 0)
		c.irods("close", f.Close(), 0)
		c.content(c.file, "01MAP56789")
		live := int(c.open(c.live, unix.O_RDONLY).Fd())
		mem, err = unix.Mmap(live, 0, 4, unix.PROT_READ, unix.MAP_SHARED)
		c.omero("map for reading", err, 0)
		c.omero("munmap", unix.Munmap(mem), 0)
		_, err = unix.Mmap(live, 0, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		c.omero("map for writing", err, unix.EACCES)
	},
	"sendfile, splice, vmsplice": func(c *callTest) {
		for _, path := range []string{c.file, c.live} {
			want, err := os.ReadFile(path)
			if err != nil {
				c.t.Fatal(err)
			}
			in, out := c.open(path, unix.O_RDONLY), c.open(filepath.Join(c.dir, "sent"), unix.O_CREAT|unix.O_RDWR|unix.O_TRUNC)
			var off int64
			for off < int64(len(want)) {
				n, err := unix.Sendfile(int(out.Fd()), int(in.Fd()), &off, len(want))
				c.irods("sendfile", err, 0)
				if n == 0 || err != nil {
					break
				}
			}
			c.irods("close", out.Close(), 0)
			if got, err := os.ReadFile(out.Name()); err != nil || !bytes.Equal(got, want) {
				c.t.Errorf("sendfile of %s: got %d bytes, %v", path, len(got), err)
			}
			r, w, err := os.Pipe()
			if err != nil {
				c.t.Fatal(err)
			}
			n, err := unix.Splice(int(in.Fd()), nil, int(w.Fd()), nil, 10, 0)
			c.irods("splice out", err, 0)
			_ = w.Close()
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[:n]) {
				c.t.Errorf("splice of %s: got %q, %v", path, got, err)
			}
			_ = r.Close()
		}
		r, w, err := os.Pipe()
		if err != nil {
			c.t.Fatal(err)
		}
		_, _ = w.WriteString("piped")
		_ = w.Close()
		f := c.open(filepath.Join(c.dir, "spliced"), unix.O_CREAT|unix.O_WRONLY)
		_, err = unix.Splice(int(r.Fd()), nil, int(f.Fd()), nil, 5, 0)
		c.irods("splice in", err, 0)
		c.irods("close", f.Close(), 0)
		c.content(f.Name(), "piped")
	},
	"copy_file_range": func(c *callTest) {
		for _, path := range []string{c.file, c.live} {
			want, err := os.ReadFile(path)
			if err != nil {
				c.t.Fatal(err)
			}
			in, out := c.open(path, unix.O_RDONLY), c.open(filepath.Join(c.dir, "copy"), unix.O_CREAT|unix.O_WRONLY|unix.O_TRUNC)
			for {
				n, err := unix.CopyFileRange(int(in.Fd()), nil, int(out.Fd()), nil, 1<<30, 0)
				c.irods("copy_file_range", err, 0)
				if n == 0 || err != nil {
					break
				}
			}
			c.irods("close", out.Close(), 0)
			if got, err := os.ReadFile(out.Name()); err != nil || !bytes.Equal(got, want) {
				c.t.Errorf("copy of %s: got %d bytes, %v", path, len(got), err)
			}
		}
		in, out := c.open(c.file, unix.O_RDONLY), c.open(c.file, unix.O_RDWR)
		from, to := int64(0), int64(5)
		_, err := unix.CopyFileRange(int(in.Fd()), &from, int(out.Fd()), &to, 5, 0)
		c.irods("copy a file into itself", err, 0)
		c.irods("close", out.Close(), 0)
		c.content(c.file, "0123401234")
		local, err := os.Create(filepath.Join(c.t.TempDir(), "local"))
		if err != nil {
			c.t.Fatal(err)
		}
		defer func() { _ = local.Close() }()
		c.both("copy to another filesystem", unix.EXDEV, func(_, file string) error {
			_, err := unix.CopyFileRange(int(c.open(file, unix.O_RDONLY).Fd()), nil, int(local.Fd()), nil, 4, 0)
			return err
		})
	},
	"quota and room": func(c *callTest) {
		const writeObject, noSpaceOnDevice, noFreeSpace, quotaExceeded = 676, -27028, -311000, -110000
		for code, want := range map[int]syscall.Errno{noSpaceOnDevice: unix.ENOSPC, noFreeSpace: unix.ENOSPC, quotaExceeded: unix.EDQUOT} {
			f := c.open(filepath.Join(c.dir, "big"), unix.O_CREAT|unix.O_WRONLY)
			if !c.deny(writeObject, statusCode(code)) {
				c.partial = true
				break
			}
			var err error
			for range 64 {
				if _, err = unix.Write(int(f.Fd()), []byte(strings.Repeat("x", 1<<20))); err != nil {
					break
				}
			}
			c.irods("write", err, want)
			c.irods("close", unix.Close(dupOf(c, f)), want)
			if _, err := os.Stat(f.Name()); err == nil {
				c.t.Error("half a file is left")
			}
			_ = f.Close()
		}
	},
}
