//go:build peer

package ice_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// maxLife is after how long a program that a test started is killed.
const maxLife = 2 * time.Minute

// python is Debian's, which has the Ice package.
const python = "/usr/bin/python3"

// process is a program that a test started, in a process group of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string   // of standard output; closed at its end
	done  chan struct{} // closed when the program has ended and was waited for
	err   error         // how it ended; valid after done

	mu  sync.Mutex // guards the field below
	out strings.Builder
}

// start runs a program until the end of the test, or until that is killed. What
// it prints is shown when the test fails.
func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{lines: make(chan string, 1000), done: make(chan struct{})}
	p.cmd = exec.Command(name, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var reading sync.WaitGroup
	reading.Go(func() { p.read(r) })
	bound := time.AfterFunc(maxLife, func() { p.signal(syscall.SIGKILL) })
	go func() {
		defer close(p.done)
		defer bound.Stop()
		reading.Wait() // before Wait, so that the process id is still its own
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output())
		}
	})
	return p
}

// read takes what the program prints.
func (p *process) read(r io.ReadCloser) {
	defer r.Close()
	defer close(p.lines)
	for sc := bufio.NewScanner(r); sc.Scan(); {
		p.mu.Lock()
		if p.out.Len() < 1<<20 {
			fmt.Fprintln(&p.out, sc.Text())
		}
		p.mu.Unlock()
		select {
		case p.lines <- sc.Text():
		default: // nobody waits for it
		}
	}
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// signal sends a signal to the program and all that it started.
func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// terminate asks the program to end, again and again until it has: Ice's
// services ignore a signal that comes before they wait for one, which is a
// moment after they have said that they are ready.
func (p *process) terminate() {
	p.signal(syscall.SIGTERM)
	go func() {
		for {
			select {
			case <-p.done: // at the latest when the bound of its life is over
				return
			case <-time.After(time.Second):
				p.signal(syscall.SIGTERM)
			}
		}
	}()
}

// kill ends the program at once and waits for that.
func (p *process) kill() {
	select {
	case <-p.done:
	default:
		p.signal(syscall.SIGKILL)
		<-p.done
	}
}

// await waits for a line that begins with a word; false when the program ends
// without it.
func (p *process) await(word string) (string, bool) {
	for line := range p.lines {
		if strings.HasPrefix(line, word) {
			return line, true
		}
	}
	return "", false
}
