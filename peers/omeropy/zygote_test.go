//go:build peer

package omeropy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// zygote is a Python process with omero-py loaded, which forks to run each
// program. Programs that it runs behave as if started alone, and a second
// sooner.
type zygote struct {
	mu  sync.Mutex // guards the fields below; held while a program runs
	cmd *exec.Cmd  // nil when it does not run
	in  io.WriteCloser
	out *bufio.Reader
}

var programs zygote

type job struct {
	Args []string          `json:"args"`
	Env  map[string]string `json:"env"`
	Cwd  string            `json:"cwd"`
}

// run runs a program: "omero" or the path of a Python program, and its
// arguments.
func (z *zygote) run(j job) (result, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.cmd == nil {
		if err := z.start(); err != nil {
			return result{}, fmt.Errorf("start Python: %w", err)
		}
	}
	pid := z.cmd.Process.Pid
	hangs := time.AfterFunc(programLimit, func() { syscall.Kill(-pid, syscall.SIGKILL) })
	line, err := json.Marshal(j)
	if err == nil {
		_, err = z.in.Write(append(line, '\n'))
	}
	if err == nil {
		line, err = z.out.ReadBytes('\n')
	}
	if !hangs.Stop() && err != nil {
		err = fmt.Errorf("hangs: %w", err)
	}
	var answer struct {
		Stdout, Stderr string
		Code           int
	}
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err != nil {
		z.end()
		return result{}, err
	}
	return result{stdout: answer.Stdout, stderr: answer.Stderr, code: answer.Code}, nil
}

func (z *zygote) start() error {
	path, err := filepath.Abs("zygote.py")
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(environment, "bin", "python"), path)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore", "TMPDIR=" + os.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	z.cmd, z.in, z.out = cmd, in, bufio.NewReader(out)
	return nil
}

// end ends the process and what it runs.
func (z *zygote) end() {
	if z.cmd == nil {
		return
	}
	syscall.Kill(-z.cmd.Process.Pid, syscall.SIGKILL)
	z.cmd.Wait() // killed
	z.cmd = nil
}

// close ends the process when all tests are over.
func (z *zygote) close() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.end()
}
