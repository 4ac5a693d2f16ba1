package mount

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"omerods/internal/sandbox"
)

// nameCalls are the rows about names and folders.
var nameCalls = map[string]func(*callTest){
	"names": func(c *callTest) {
		for _, name := range []string{
			"it's", `quo"te`, `back\slash`, "per%cent", "under_score", "semi;colon", "<&>", "`tick`", "$HOME", "a*?[b]", "{x}", "-dash", " lead", "trail ", "..dots", "dot.",
			"new\nline", "tab\there", "ünïcode", "u\u0308 decomposed", "ü composed", "日本語", "😀", "a=b,c|d", "Upper", "upper", strings.Repeat("n", 255), strings.Repeat("ü", 127),
		} {
			p := filepath.Join(c.dir, name)
			c.irods("make "+name, again(func() error { return tryOpen(p, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY) }), 0)
			c.write(p, name)
			c.content(p, name)
			entries, err := os.ReadDir(c.dir)
			if err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name }) {
				c.t.Errorf("%q is not listed, %v", name, err)
			}
			if e, err := c.w.irodsClient().Stat(c.t.Context(), c.w.logical(filepath.Base(c.dir), name)); err != nil || e.Size != int64(len(name)) {
				c.t.Errorf("%q on the server: %+v, %v", name, e, err)
			}
			c.irods("rename "+name, os.Rename(p, p[:len(p)-len(name)]+"other"), 0)
			c.irods("rename back", os.Rename(filepath.Join(c.dir, "other"), p), 0)
			c.irods("remove "+name, os.Remove(p), 0)
			c.irods("make folder "+name, os.Mkdir(p, 0o755), 0)
			c.irods("make in "+name, again(func() error { return tryOpen(filepath.Join(p, "f"), unix.O_CREAT|unix.O_WRONLY) }), 0)
			c.irods("remove folder "+name, os.RemoveAll(p), 0)
		}
		for _, name := range []string{"bell\a", "escape\x1b", "carriage\r", "not utf-8 \xff", "\uffff"} {
			for _, call := range []func() error{
				func() error { return tryOpen(filepath.Join(c.dir, name), unix.O_CREAT|unix.O_WRONLY) },
				func() error { return os.Mkdir(filepath.Join(c.dir, name), 0o755) },
				func() error { return os.Rename(c.file, filepath.Join(c.dir, name)) },
			} {
				c.irods("make "+name, call(), unix.EINVAL)
			}
			why, ok, err := Why(filepath.Join(c.dir, name))
			if utf8.ValidString(name) && (err != nil || !ok || !strings.Contains(why, "iRODS cannot transport")) {
				c.t.Errorf("why %q: %q, %v, %v", name, why, ok, err)
			}
			c.irods("open "+name, again(func() error { return tryOpen(filepath.Join(c.dir, name), unix.O_RDONLY) }), unix.ENOENT)
		}
		c.irods("make a name of 256 bytes", again(func() error {
			return tryOpen(filepath.Join(c.dir, strings.Repeat("n", 256)), unix.O_CREAT|unix.O_WRONLY)
		}), unix.ENAMETOOLONG)
		// Paths as long as the protocol holds, counted in iRODS.
		deep := c.dir
		left := 1087 - len(c.logical("")) - 10
		for ; left > 210; left -= 201 {
			deep = filepath.Join(deep, strings.Repeat("d", 200))
			c.irods("make a deep folder", os.Mkdir(deep, 0o755), 0)
		}
		longest := filepath.Join(deep, strings.Repeat("f", left))
		for {
			err := os.WriteFile(longest+"f", []byte("deep"), 0o644)
			if errors.Is(err, unix.ENAMETOOLONG) {
				c.irods("make a longer path", err, unix.ENAMETOOLONG)
				break
			}
			longest += "f"
			c.irods("make a long path", err, 0)
			if err != nil {
				break
			}
		}
		c.content(longest, "deep")
		if n := len(strings.TrimPrefix(longest, filepath.Join(c.w.dir, "irods"))); n != 1087 && c.w.at.real == nil || n < 1000 { // a real server's storage has a path in front
			c.t.Errorf("the longest path has %d bytes", n)
		}
		c.omero("open a name of 256 bytes", again(func() error { return tryOpen(filepath.Join(c.liveDir, strings.Repeat("n", 256)), unix.O_RDONLY) }), unix.ENAMETOOLONG)
	},
	"rename": func(c *callTest) {
		to := filepath.Join(c.dir, "to")
		c.irods("rename", os.Rename(c.file, to), 0)
		c.content(to, "0123456789")
		c.write(c.file, "new")
		c.irods("rename over a file", os.Rename(c.file, to), 0)
		c.content(to, "new")
		sub, full := filepath.Join(c.dir, "sub"), filepath.Join(c.dir, "full")
		c.irods("make folders", os.MkdirAll(filepath.Join(full, "in"), 0o755), 0)
		c.irods("make folders", os.Mkdir(sub, 0o755), 0)
		c.irods("rename a folder over a full one", again(func() error { return unix.Rename(sub, full) }), unix.ENOTEMPTY)
		c.irods("rename a folder over a file", again(func() error { return unix.Rename(sub, to) }), unix.ENOTDIR)
		c.irods("rename a file over a folder", again(func() error { return unix.Rename(to, sub) }), unix.EISDIR)
		c.irods("rename into itself", again(func() error { return unix.Rename(full, filepath.Join(full, "in", "x")) }), unix.EINVAL)
		c.irods("rename a folder over an empty one", again(func() error { return unix.Rename(full, sub) }), 0)
		c.irods("rename what may only be read", os.Rename(c.shown, filepath.Join(c.dir, "theirs")), unix.EACCES)
		c.irods("rename into omero/", os.Rename(to, filepath.Join(c.liveDir, "x")), unix.EPERM)
		c.omero("rename into irods/", os.Rename(c.live, filepath.Join(c.dir, "x")), unix.EPERM)
		c.omero("rename", os.Rename(c.live, c.live+"x"), unix.EPERM)
	},
	"renameat2 RENAME_NOREPLACE": func(c *callTest) {
		to := filepath.Join(c.dir, "to")
		c.irods("rename", again(func() error { return noReplace(c.file, to) }), 0)
		c.write(c.file, "new")
		c.irods("rename over a file", again(func() error { return noReplace(c.file, to) }), unix.EEXIST)
		c.content(to, "0123456789")
		c.omero("rename", again(func() error { return noReplace(c.live, c.live+"x") }), unix.EPERM)
	},
	"renameat2 RENAME_EXCHANGE, RENAME_WHITEOUT": func(c *callTest) {
		for _, flag := range []uint{unix.RENAME_EXCHANGE, unix.RENAME_WHITEOUT} {
			other := filepath.Join(c.dir, "other")
			if flag == unix.RENAME_EXCHANGE {
				c.write(other, "other")
			} else {
				c.irods("remove", os.Remove(other), 0)
			}
			c.irods("rename", again(func() error { return unix.Renameat2(unix.AT_FDCWD, c.file, unix.AT_FDCWD, other, flag) }), unix.EINVAL)
		}
		c.omero("rename", again(func() error {
			return unix.Renameat2(unix.AT_FDCWD, c.live, unix.AT_FDCWD, filepath.Join(c.liveDir, "transfer.xml"), unix.RENAME_EXCHANGE)
		}), unix.EINVAL)
	},
	"link": func(c *callTest) {
		c.both("link", unix.EPERM, func(dir, file string) error { return os.Link(file, filepath.Join(dir, "link")) })
	},
	"symlink, readlink": func(c *callTest) {
		c.both("symlink", unix.EPERM, func(dir, _ string) error { return os.Symlink("file", filepath.Join(dir, "link")) })
		c.both("readlink", unix.EINVAL, func(_, file string) error { _, err := os.Readlink(file); return err })
	},
	"mknod, mkfifo, bind of a Unix socket": func(c *callTest) {
		c.both("mkfifo", unix.EPERM, func(dir, _ string) error { return unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644) })
		c.both("mknod of a device", unix.EPERM, func(dir, _ string) error {
			return unix.Mknod(filepath.Join(dir, "null"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3)))
		})
		c.both("mknod of a file", unix.EPERM, func(dir, _ string) error { return unix.Mknod(filepath.Join(dir, "plain"), unix.S_IFREG|0o644, 0) })
		c.both("bind", unix.EPERM, func(dir, _ string) error {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(fd) }()
			// By the folder's descriptor: the address has room for 107 bytes.
			d := c.open(dir, unix.O_RDONLY)
			return unix.Bind(fd, &unix.SockaddrUnix{Name: procPath(d) + "/socket"})
		})
	},
	"mkdir": func(c *callTest) {
		c.irods("mkdir", os.Mkdir(filepath.Join(c.dir, "sub"), 0o755), 0)
		if e, err := c.w.irodsClient().Stat(c.t.Context(), c.logical("sub")); err != nil || !e.IsCollection {
			c.t.Errorf("on the server: %+v, %v", e, err)
		}
		c.both("mkdir of what is there", unix.EEXIST, func(dir, _ string) error { return os.Mkdir(dir, 0o755) })
		c.irods("mkdir in what is not there", os.Mkdir(filepath.Join(c.dir, "none", "sub"), 0o755), unix.ENOENT)
		c.irods("mkdir where one may not", os.Mkdir(filepath.Join(filepath.Dir(c.shown), "sub"), 0o755), unix.EACCES)
		c.omero("mkdir", os.Mkdir(filepath.Join(c.liveDir, "sub"), 0o755), unix.EPERM)
	},
	"rmdir": func(c *callTest) {
		sub := filepath.Join(c.dir, "sub")
		c.irods("mkdir", os.Mkdir(sub, 0o755), 0)
		c.irods("rmdir of a full folder", again(func() error { return unix.Rmdir(c.dir) }), unix.ENOTEMPTY)
		c.both("rmdir of a file", unix.ENOTDIR, func(_, file string) error { return unix.Rmdir(file) })
		c.irods("rmdir", again(func() error { return unix.Rmdir(sub) }), 0)
		if _, err := os.Stat(sub); !os.IsNotExist(err) {
			c.t.Errorf("it is still there: %v", err)
		}
		c.irods("rmdir of what may only be read", again(func() error { return unix.Rmdir(filepath.Dir(c.shown)) }), unix.EACCES)
		c.omero("rmdir", again(func() error { return unix.Rmdir(c.liveDir) }), unix.EPERM)
	},
	"unlink": func(c *callTest) {
		c.both("unlink of a folder", unix.EISDIR, func(dir, _ string) error { return unix.Unlink(dir) })
		c.irods("unlink of what may only be read", again(func() error { return unix.Unlink(c.shown) }), unix.EACCES)
		c.irods("unlink", again(func() error { return unix.Unlink(c.file) }), 0)
		c.irods("unlink again", again(func() error { return unix.Unlink(c.file) }), unix.ENOENT)
		trash := filepath.Join(c.w.dir, "irods", c.w.trash(c.w.logical(filepath.Base(c.dir))))
		c.content(filepath.Join(trash, "file"), "0123456789")
		// Where the trash has a file of the folder's name, too.
		c.irods("mkdir", os.Mkdir(c.file, 0o755), 0)
		c.write(filepath.Join(c.file, "in"), "in")
		c.irods("unlink below a name that is in the trash", again(func() error { return unix.Unlink(filepath.Join(c.file, "in")) }), 0)
		if found, err := filepath.Glob(filepath.Join(c.w.dir, "irods", sandbox.Zone, "trash/home", c.w.at.user, "in.*")); err != nil || len(found) != 1 && c.w.at.real == nil {
			c.t.Errorf("in the trash: %v, %v", found, err)
		}
		c.omero("unlink", again(func() error { return unix.Unlink(c.live) }), unix.EPERM)
	},
	"unlink of an open file": func(c *callTest) {
		reader := c.open(c.file, unix.O_RDONLY)
		if _, err := reader.ReadAt(make([]byte, 3), 0); err != nil {
			c.t.Fatal(err)
		}
		writer := c.open(filepath.Join(c.dir, "new"), unix.O_CREAT|unix.O_RDWR)
		_, err := writer.WriteString("one")
		c.irods("write", err, 0)
		for _, name := range []string{c.file, writer.Name()} {
			c.irods("unlink", again(func() error { return unix.Unlink(name) }), 0)
			if _, err := os.Stat(name); !os.IsNotExist(err) {
				c.t.Errorf("%s is still there: %v", name, err)
			}
		}
		if got, err := readAll(reader); err != nil || got != "0123456789" {
			c.t.Errorf("a reader gets %q, %v", got, err)
		}
		_, err = writer.WriteString("two")
		c.irods("write on", err, 0)
		buf := make([]byte, 6)
		if _, err := writer.ReadAt(buf, 0); err != nil || string(buf) != "onetwo" {
			c.t.Errorf("a writer reads %q, %v", buf, err)
		}
		c.irods("close", writer.Close(), 0)
		if i, err := reader.Stat(); err != nil || i.Size() != 10 || linksOf(i) != 0 {
			c.t.Errorf("fstat: %+v, %v", i, err)
		}
		c.write(c.file, "another")
		c.content(c.file, "another")
	},
	"opendir, readdir, getdents, seekdir, rewinddir": func(c *callTest) {
		for _, name := range []string{"b", "a", "c"} {
			c.write(filepath.Join(c.dir, name), name)
		}
		want := []string{"a", "b", "c", "file"}
		f := c.open(c.dir, unix.O_RDONLY)
		names, err := f.Readdirnames(-1)
		if slices.Sort(names); err != nil || !slices.Equal(names, want) {
			c.t.Errorf("got %q, %v", names, err)
		}
		c.write(filepath.Join(c.dir, "d"), "d")
		if _, err := f.Seek(0, 0); err != nil {
			c.t.Errorf("rewinddir: %v", err)
		}
		if names, err = f.Readdirnames(-1); err != nil || len(names) != 5 {
			c.t.Errorf("rewound: %q, %v", names, err)
		}
		c.irods("opendir of nothing", again(func() error { return tryOpen(filepath.Join(c.dir, "none"), unix.O_DIRECTORY) }), unix.ENOENT)
		entries, err := os.ReadDir(c.liveDir)
		if err != nil || len(entries) < 4 {
			c.t.Errorf("omero/: %v, %v", entries, err)
		}
		c.omero("opendir of a file", again(func() error { return tryOpen(c.live, unix.O_DIRECTORY) }), unix.ENOTDIR)
	},
	"chdir, fchdir, getcwd": func(c *callTest) {
		for _, dir := range []string{c.dir, c.liveDir} {
			if out, err := c.shell(`cd "$1" && [ "$(pwd -P)" = "$1" ] && ls >/dev/null && cd ..`, dir); err != nil {
				c.t.Errorf("%s: %v %s", dir, err, out)
			}
		}
		c.both("chdir to a file", unix.ENOTDIR, func(_, file string) error {
			// In another process: the folder is the whole process's.
			if out, err := c.shell(`cd "$1"`, file); err == nil || !strings.Contains(out, "Not a directory") {
				return err
			}
			return unix.ENOTDIR
		})
		out, err := c.shell(`mkdir "$1/gone" && cd "$1/gone" && rmdir "$1/gone" && { touch new; ls; cd "$1"; ls; }`, c.dir)
		if err != nil || !strings.Contains(out, "No such file or directory") || !strings.HasSuffix(out, "file\n") {
			c.t.Errorf("in a removed folder: %q, %v", out, err)
		}
		c.irods("make a file in a removed folder", removedFolder(c), unix.ENOENT)
	},
}

func noReplace(from, to string) error {
	return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
}

func removedFolder(c *callTest) error {
	dir := filepath.Join(c.dir, "removed")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	d := c.open(dir, unix.O_RDONLY)
	if err := os.Remove(dir); err != nil {
		return err
	}
	_, err := unix.Openat(int(d.Fd()), "new", unix.O_CREAT|unix.O_WRONLY, 0o644)
	return err
}
