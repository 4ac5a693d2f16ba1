package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"omerods/internal/irods"
)

// attrCalls are the rows about attributes and rights.
var attrCalls = map[string]func(*callTest){
	"stat, lstat, fstat, statx": func(c *callTest) {
		c.both("statx", 0, func(_, file string) error {
			var x unix.Statx_t
			err := unix.Statx(unix.AT_FDCWD, file, 0, unix.STATX_BASIC_STATS, &x)
			if i := c.stat(file); err == nil && (x.Size != uint64(i.Size()) || x.Ino != inodeOf(i) || x.Nlink != 1 || x.Mode&unix.S_IFMT != unix.S_IFREG) {
				c.t.Errorf("%s: %+v, %+v", file, x, i)
			}
			f := c.open(file, unix.O_RDONLY)
			if i, ferr := f.Stat(); ferr != nil || i.Size() != int64(x.Size) {
				c.t.Errorf("fstat: %+v, %v", i, ferr)
			}
			return err
		})
		c.both("stat of nothing", unix.ENOENT, func(dir, _ string) error { _, err := os.Stat(filepath.Join(dir, "none")); return err })
		f := c.open(c.file, unix.O_WRONLY|unix.O_TRUNC)
		_, err := f.WriteString("longer than before")
		c.irods("write", err, 0)
		if i := c.stat(c.file); i.Size() != 18 {
			c.t.Errorf("while it is written its size is %d", i.Size())
		}
	},
	"statfs, fstatfs": func(c *callTest) {
		ctx, s := c.t.Context(), c.w.at
		room := func() uint64 {
			var st unix.Statfs_t
			c.irods("statfs", again(func() error { return unix.Statfs(c.dir, &st) }), 0)
			if st.Bavail > st.Blocks || st.Namelen != 255 {
				c.t.Errorf("statfs: %+v", st)
			}
			return st.Bavail * uint64(st.Bsize)
		}
		if got := room(); got == 0 || s.real == nil && got != 1<<50 {
			c.t.Errorf("where nothing is stated: %d", got)
		}
		if s.real == nil {
			if err := c.w.sandbox.IRODS().SetFreeSpace(ctx, "demoResc", 5<<30); err != nil {
				c.t.Fatal(err)
			}
			eventually(c.t, "df shows the resource's free space", func() bool { return room() == 5<<30 })
		}
		if s.real == nil { // servers from 5.0 on have quotas of groups only
			if err := s.SetQuota(ctx, s.user, "", 3<<30); err != nil {
				c.t.Fatal(err)
			}
			eventually(c.t, "df shows the quota", func() bool { got := room(); return got > 2<<30 && got <= 3<<30 })
			if err := s.SetQuota(ctx, s.user, "", 0); err != nil {
				c.t.Fatal(err)
			}
		}
		var st unix.Statfs_t
		c.omero("statfs", again(func() error { return unix.Statfs(c.liveDir, &st) }), 0)
		if st.Blocks != 0 || st.Namelen != 255 {
			c.t.Errorf("statfs: %+v", st)
		}
	},
	"access, faccessat, euidaccess": func(c *callTest) {
		for _, mode := range []uint32{unix.F_OK, unix.R_OK, unix.W_OK} {
			c.irods("access", again(func() error { return unix.Access(c.file, mode) }), 0)
		}
		c.irods("access to a folder", again(func() error { return unix.Access(c.dir, unix.R_OK|unix.W_OK|unix.X_OK) }), 0)
		c.irods("read access to what may only be read", again(func() error { return unix.Access(c.shown, unix.R_OK) }), 0)
		c.irods("write access to what may only be read", again(func() error { return unix.Access(c.shown, unix.W_OK) }), unix.EACCES)
		c.irods("write access to a folder that may only be read", again(func() error { return unix.Access(filepath.Dir(c.shown), unix.W_OK) }), unix.EACCES)
		c.irods("execute", again(func() error { return unix.Access(c.shown, unix.X_OK) }), unix.EACCES)
		c.omero("read", again(func() error { return unix.Access(c.live, unix.R_OK) }), 0)
		c.omero("execute", again(func() error { return unix.Access(c.live, unix.X_OK) }), unix.EACCES)
		c.both("access to nothing", unix.ENOENT, func(dir, _ string) error { return unix.Access(filepath.Join(dir, "none"), unix.F_OK) })
	},
	"chmod, fchmod": func(c *callTest) {
		c.irods("chmod", os.Chmod(c.file, 0o640), 0)
		c.irods("fchmod", c.open(c.file, unix.O_RDONLY).Chmod(0o604), 0)
		if m := c.stat(c.file).Mode().Perm(); m != 0o604 {
			c.t.Errorf("mode %v", m)
		}
		c.irods("chmod with set-id bits", again(func() error { return unix.Chmod(c.file, 0o6755) }), 0)
		if m := c.stat(c.file).Mode(); m != 0o755 {
			c.t.Errorf("mode %v", m)
		}
		if got := c.stat(c.shown).Mode(); got != 0o444 {
			c.t.Errorf("the mode of what may only be read is %v", got)
		}
		c.omero("chmod", os.Chmod(c.live, 0o644), unix.EPERM)
	},
	"chown, fchown, lchown": func(c *callTest) {
		if os.Getuid() != 0 {
			c.irods("chown to oneself", os.Chown(c.file, os.Getuid(), os.Getgid()), 0)
		} else {
			c.irods("chown", os.Chown(c.file, 12, 34), 0)
			if st := c.stat(c.file).Sys().(*syscall.Stat_t); st.Uid != 12 || st.Gid != 34 {
				c.t.Errorf("owner %d, group %d", st.Uid, st.Gid)
			}
		}
		c.omero("chown", os.Chown(c.live, 12, 34), unix.EPERM)
	},
	"utimensat, utimes, futimens": func(c *callTest) {
		when := time.Unix(1_234_567_890, 123_456_789)
		for _, path := range []string{c.file, c.dir} {
			c.irods("set times", os.Chtimes(path, when.Add(time.Hour), when), 0)
			if got := c.stat(path).ModTime(); !got.Equal(when) {
				c.t.Errorf("%s: got %v, want %v", path, got, when)
			}
			e, err := c.w.irodsClient().Stat(c.t.Context(), c.w.logical(strings.TrimPrefix(path, c.w.home()+"/")))
			if err != nil || e.Modified.Unix() != when.Unix() {
				c.t.Errorf("the catalogue has %v, %v", e.Modified, err)
			}
		}
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		c.irods("set to now", again(func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, c.file, now, 0) }), 0)
		if age := time.Since(c.stat(c.file).ModTime()); age < -2*time.Second || age > time.Minute {
			c.t.Errorf("now is %v ago", age)
		}
		c.omero("set times", os.Chtimes(c.live, when, when), unix.EPERM)
	},
	"umask": func(c *callTest) {
		out, err := c.shell(`umask 077; echo x >"$1/new"; mkdir "$1/sub"; stat -c %a "$1/new" "$1/sub"`, c.dir)
		if err != nil || out != "600\n700\n" {
			c.t.Errorf("got %q, %v", out, err)
		}
	},
	"getxattr": func(c *callTest) {
		buf := make([]byte, 1000)
		c.irods("setxattr", again(func() error { return unix.Setxattr(c.file, "user.irods.avu.a", []byte("value"), 0) }), 0)
		n, err := unix.Getxattr(c.file, "user.irods.avu.a", buf)
		c.irods("getxattr", err, 0)
		if string(buf[:max(n, 0)]) != "value" {
			c.t.Errorf("got %q", buf[:n])
		}
		if n, err := unix.Getxattr(c.file, "user.irods.avu.a", nil); err != nil || n != 5 {
			c.t.Errorf("the size is %d, %v", n, err)
		}
		_, err = unix.Getxattr(c.file, "user.irods.avu.a", buf[:2])
		c.irods("getxattr into too little", err, unix.ERANGE)
		_, err = unix.Getxattr(c.live, "user.omero.id", nil)
		c.omero("getxattr", err, 0)
		_, err = unix.Getxattr(c.live, "user.omero.kind", buf[:1])
		c.omero("getxattr into too little", err, unix.ERANGE)
		c.both("getxattr of nothing", unix.ENODATA, func(_, file string) error { _, err := unix.Getxattr(file, "user.none", buf); return err })
		c.both("getxattr of another namespace", unix.EOPNOTSUPP, func(_, file string) error {
			_, err := unix.Getxattr(file, "security.capability", buf)
			return err
		})
	},
	"setxattr, XATTR_CREATE, XATTR_REPLACE": func(c *callTest) {
		const a = "user.irods.avu.a"
		for _, path := range []string{c.file, c.dir} {
			c.irods("replace nothing", again(func() error { return unix.Setxattr(path, a, []byte("1"), unix.XATTR_REPLACE) }), unix.ENODATA)
			c.irods("create", again(func() error { return unix.Setxattr(path, a, []byte("1"), unix.XATTR_CREATE) }), 0)
			c.irods("create what is there", again(func() error { return unix.Setxattr(path, a, []byte("2"), unix.XATTR_CREATE) }), unix.EEXIST)
			c.irods("replace", again(func() error { return unix.Setxattr(path, a, []byte("3"), unix.XATTR_REPLACE) }), 0)
			c.irods("set", again(func() error { return unix.Setxattr(path, a, []byte(`[{"value":"4","units":"mm"},{"value":"5"}]`), 0) }), 0)
			avus, err := c.w.irodsClient().AVUs(c.t.Context(), c.w.logical(strings.TrimPrefix(path, c.w.home()+"/")), path == c.dir)
			want := []irods.AVU{{Name: "a", Value: "4", Units: "mm"}, {Name: "a", Value: "5"}}
			if err != nil || len(avus) != 2 || !slices.Contains(avus, want[0]) || !slices.Contains(avus, want[1]) {
				c.t.Errorf("on the server: %v, %v", avus, err)
			}
		}
		c.irods("an empty value", again(func() error { return unix.Setxattr(c.file, a, nil, 0) }), unix.EINVAL)
		c.irods("bytes that are no text", again(func() error { return unix.Setxattr(c.file, a, []byte("\xff\x00"), 0) }), unix.EINVAL)
		c.irods("a value of 2,700 bytes", again(func() error { return unix.Setxattr(c.file, a, []byte(strings.Repeat("v", 2700)), 0) }), 0)
		c.irods("a value of 2,701 bytes", again(func() error { return unix.Setxattr(c.file, a, []byte(strings.Repeat("v", 2701)), 0) }), unix.ERANGE)
		c.irods("what may only be read", again(func() error { return unix.Setxattr(c.shown, a, []byte("x"), 0) }), unix.EACCES)
		for _, name := range []string{"user.irods.id", "user.other", "security.x", "trusted.x"} {
			c.irods("another name", again(func() error { return unix.Setxattr(c.file, name, []byte("x"), 0) }), unix.EOPNOTSUPP)
		}
		c.omero("setxattr", again(func() error { return unix.Setxattr(c.live, "user.omero.kind", []byte("x"), 0) }), unix.EOPNOTSUPP)
	},
	"listxattr": func(c *callTest) {
		c.irods("setxattr", again(func() error { return unix.Setxattr(c.file, "user.irods.avu.a", []byte("1"), 0) }), 0)
		for path, want := range map[string][]string{
			c.file: {"user.irods.avu.a", "user.irods.checksum", "user.irods.id", "user.irods.owner", "user.irods.path", "user.irods.replicas", "user.irods.resource"},
			c.dir:  {"user.irods.id", "user.irods.owner", "user.irods.path"},
			c.live: {"user.omero.fileset", "user.omero.group", "user.omero.hash", "user.omero.id", "user.omero.kind", "user.omero.owner"},
		} {
			buf := make([]byte, 4096)
			n, err := unix.Listxattr(path, buf)
			if err != nil {
				c.t.Errorf("%s: %v", path, err)
				continue
			}
			got := strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00")
			if slices.Sort(got); !slices.Equal(got, want) {
				c.t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		c.both("too little room", unix.ERANGE, func(_, file string) error { _, err := unix.Listxattr(file, make([]byte, 3)); return err })
	},
	"removexattr": func(c *callTest) {
		const a = "user.irods.avu.a"
		c.irods("setxattr", again(func() error { return unix.Setxattr(c.file, a, []byte("1"), 0) }), 0)
		c.irods("remove", again(func() error { return unix.Removexattr(c.file, a) }), 0)
		c.irods("remove again", again(func() error { return unix.Removexattr(c.file, a) }), unix.ENODATA)
		c.irods("remove a fact", again(func() error { return unix.Removexattr(c.file, "user.irods.id") }), unix.EOPNOTSUPP)
		c.omero("remove", again(func() error { return unix.Removexattr(c.live, "user.omero.id") }), unix.EOPNOTSUPP)
	},
	"POSIX ACLs": func(c *callTest) {
		// Version 2 and one entry for each of owner, group and others.
		acl := []byte{2, 0, 0, 0}
		for i, tag := range []byte{1, 4, 32} {
			acl = append(acl, tag, 0, []byte{6, 4, 4}[i], 0, 255, 255, 255, 255)
		}
		for _, name := range []string{"system.posix_acl_access", "system.posix_acl_default"} {
			c.both("set", unix.EOPNOTSUPP, func(dir, _ string) error { return unix.Setxattr(dir, name, acl, 0) })
			c.both("get", unix.EOPNOTSUPP, func(dir, _ string) error { _, err := unix.Getxattr(dir, name, acl); return err })
		}
	},
}

func inodeOf(i os.FileInfo) uint64 { return i.Sys().(*syscall.Stat_t).Ino }
func linksOf(i os.FileInfo) uint64 { return uint64(i.Sys().(*syscall.Stat_t).Nlink) }

// procPath names an open file in few bytes.
func procPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
