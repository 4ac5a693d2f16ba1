package irodsview_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"omerods/internal/irods"
)

// more are the rarer steps of the model: programs, times, attributes, changes
// by others, another mount.
func (m *model) more(name, other string) {
	switch n := m.r.IntN(100); {
	case n < 20:
		data := m.data()
		m.both(fmt.Sprintf("append %s %d", name, len(data)), func(d string) (string, error) {
			f, err := os.OpenFile(filepath.Join(d, name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
			if err != nil {
				return "", err
			}
			_, err = f.Write(data)
			return "", errors.Join(err, f.Close())
		})
	case n < 35:
		m.times(name)
	case n < 50:
		m.attribute(name)
	case n < 60:
		m.program(other, "cp", "-f", "--", name, other)
	case n < 70:
		m.program(other, "mv", "-fT", "--", name, other)
	case n < 80:
		m.program(other, "rsync", "-a", "--", "./"+name, "./"+other)
	case n < 88:
		m.program(other, "rsync", "-a", "--inplace", "--", "./"+name, "./"+other)
	case n < 94:
		m.foreign(name)
	default:
		m.log = append(m.log, "remount")
		m.closeAll()
		m.w.remount()
		m.a = m.w.dir
		compare(m.t, local(m.t, m.a), local(m.t, m.b))
	}
}

// program runs a program on two names in both folders. Its standard output
// and what it says of paths do not count, its exit code does.
func (m *model) program(target, name string, args ...string) {
	m.forget(target)
	m.forget(args[len(args)-2])
	m.both(name+" "+strings.Join(args, " "), func(d string) (string, error) {
		// By a shell: see world.try.
		cmd := exec.Command("bash", append([]string{"-c", `cd "$0" && exec "$@"`, d, name}, args...)...)
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return fmt.Sprint("exit code ", exit.ExitCode()), nil
		}
		return "", err
	})
}

func (m *model) times(name string) {
	when := time.Unix(1_000_000_000+int64(m.r.IntN(1e9)), int64(m.r.IntN(1e9)))
	m.both(fmt.Sprintf("set time of %s to %s", name, when), func(d string) (string, error) {
		p := filepath.Join(d, name)
		if err := os.Chtimes(p, when, when); err != nil {
			return "", err
		}
		i, err := os.Stat(p)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(i.ModTime().UnixNano()), nil
	})
}

// attribute sets, reads, lists and removes an attribute. It may be lost when
// a file takes another one's place, where a plain folder does otherwise.
func (m *model) attribute(name string) {
	value := []byte(fmt.Sprintf("value %d ü", m.r.IntN(1000)))
	const attr = "user.irods.avu.model"
	flags := []int{0, unix.XATTR_CREATE}[m.r.IntN(2)]
	m.both("attribute of "+name, func(d string) (string, error) {
		p := filepath.Join(d, name)
		if err := unix.Setxattr(p, attr, value, flags); err != nil {
			return "", err
		}
		buf := make([]byte, 4096)
		n, err := unix.Getxattr(p, attr, buf)
		if err != nil {
			return "", err
		}
		got := string(buf[:n])
		if n, err = unix.Listxattr(p, buf); err != nil {
			return "", err
		}
		listed := slices.Contains(strings.Split(string(buf[:n]), "\x00"), attr)
		err = unix.Removexattr(p, attr)
		_, gone := unix.Getxattr(p, attr, buf)
		return fmt.Sprint(got, listed, gone), err
	})
}

// foreign changes something as another program at another machine would; the
// mount has to show it when its caches have expired. TestForeignChangesShow
// holds when that is.
func (m *model) foreign(name string) {
	m.closeAll()                                             // what is open then is not defined
	waitFor(m.t, func() bool { return !m.w.view.Working() }) // an emptied file is stored by its RELEASE
	ctx, p, plain := m.t.Context(), home+"/"+name, filepath.Join(m.b, name)
	e, err := m.other.Stat(ctx, p)
	switch {
	case errors.Is(err, irods.ErrNotFound):
		if _, err := os.Lstat(plain); err == nil {
			return // it exists in the mount only, under a program's temporary name
		}
		if up, err := m.other.Stat(ctx, filepath.Dir(p)); err != nil || !up.IsCollection {
			return
		}
		m.log = append(m.log, "foreign put "+name)
		data := m.data()
		sum := sha256.Sum256(data)
		err = errors.Join(m.other.Put(ctx, p, data, sum[:]), os.WriteFile(plain, data, 0o644))
	case err != nil:
	case e.IsCollection:
		return
	default:
		m.log = append(m.log, "foreign remove "+name)
		err = errors.Join(m.other.Remove(ctx, p, true), os.Remove(plain))
	}
	if err != nil {
		m.t.Errorf("foreign change of %s: %v", name, err)
		return
	}
	look := func(d string) string {
		p := filepath.Join(d, name)
		data, err := os.ReadFile(p)
		_, serr := os.Lstat(p)
		entries, lerr := os.ReadDir(filepath.Dir(p))
		listed := slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == filepath.Base(p) })
		return fmt.Sprintf("%x, %s, %s, %s, listed %v", sha256.Sum256(data), class(err), class(serr), class(lerr), listed)
	}
	m.w.later()
	waitFor(m.t, func() bool { return look(m.a) == look(m.b) })
	if m.t.Failed() {
		m.t.Errorf("foreign change of %s: got %s, want %s", name, look(m.a), look(m.b))
	}
}

// useMore are the rarer operations on open files.
func (m *model) useMore(p *pair, file map[string]*os.File, off int64) {
	switch m.r.IntN(5) {
	case 0:
		m.both("fsync "+p.name, func(d string) (string, error) { return "", file[d].Sync() })
	case 1:
		m.both("close a copy of "+p.name, func(d string) (string, error) {
			fd, err := unix.Dup(int(file[d].Fd()))
			if err != nil {
				return "", err
			}
			return "", unix.Close(fd)
		})
	case 2:
		m.both("size of open "+p.name, func(d string) (string, error) {
			i, err := file[d].Stat()
			if err != nil {
				return "", err
			}
			return fmt.Sprint(i.Size()), nil
		})
	case 3:
		m.mapped(p, file)
	case 4:
		q := m.open[m.r.IntN(len(m.open))]
		to, n := int64(m.r.IntN(6000)), 1+m.r.IntN(200_000)
		into := map[string]*os.File{m.a: q.a, m.b: q.b}
		if a, err := p.b.Stat(); err != nil {
			return
		} else if b, err := q.b.Stat(); err != nil || os.SameFile(a, b) {
			return
		}
		m.both(fmt.Sprintf("copy %d from %s at %d to %s at %d", n, p.name, off, q.name, to), func(d string) (string, error) {
			from, to := off, to
			n, err := unix.CopyFileRange(int(file[d].Fd()), &from, int(into[d].Fd()), &to, n, 0)
			return fmt.Sprint(n), err
		})
	}
}

// mapped writes to a file through a shared mapping, or reads it.
func (m *model) mapped(p *pair, file map[string]*os.File) {
	at, b := m.r.IntN(5000), byte(m.r.Uint32())
	write := m.r.IntN(2) == 0
	prot := unix.PROT_READ
	if write {
		prot |= unix.PROT_WRITE
	}
	m.both(fmt.Sprintf("map %s, write %v, %d at %d", p.name, write, b, at), func(d string) (string, error) {
		i, err := file[d].Stat()
		if err != nil || i.Size() == 0 {
			return "", err
		}
		mem, err := unix.Mmap(int(file[d].Fd()), 0, int(i.Size()), prot, unix.MAP_SHARED)
		if err != nil {
			return "", err
		}
		defer func() { _ = unix.Munmap(mem) }()
		// The kernel reads and writes the memory, in system calls: a thread that
		// waits for a page of a mount which its own process serves cannot be
		// stopped by the runtime, for which all others would wait.
		copied, err := os.Create(filepath.Join(m.t.TempDir(), "copied"))
		if err != nil {
			return "", err
		}
		defer func() { _ = copied.Close() }()
		if write {
			if _, err := copied.Write([]byte{b}); err != nil {
				return "", err
			}
			if _, err := copied.ReadAt(mem[at%len(mem):at%len(mem)+1], 0); err != nil {
				return "", err
			}
		}
		if _, err := copied.WriteAt(mem, 0); err != nil {
			return "", err
		}
		data, err := os.ReadFile(copied.Name())
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%x", sha256.Sum256(data)), unix.Msync(mem, unix.MS_SYNC)
	})
}
