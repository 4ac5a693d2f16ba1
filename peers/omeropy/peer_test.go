//go:build peer

// Package omeropy holds the sandbox's OMERO server to the clients that people
// use with a real one: omero-py with its command line and gateway, ezomero and
// omero-cli-transfer, all unmodified. It needs the environment that
// scripts/omero-py makes; "make peer-omero-py" runs it.
package omeropy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/store"
	"omerods/peers/protocol"
)

// programLimit ends a program that hangs; it is no measure of speed.
const programLimit = 5 * time.Minute

var (
	environment string           // the Python environment
	box         *sandbox.Sandbox // shared by all tests; each makes its own objects
	called      protocol.Calls   // by omero-py
)

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (code int, err error) {
	if environment = os.Getenv("OMERODS_OMERO_PY"); environment == "" {
		return 1, errors.New("OMERODS_OMERO_PY names no Python environment; run: make peer-omero-py")
	}
	if _, err := os.Stat(filepath.Join(environment, "bin", "omero")); err != nil {
		return 1, err
	}
	box, err = sandbox.Start(context.Background(), sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		called.Note(op)
		return blitz.FaultNone
	}})
	if err != nil {
		return 1, err
	}
	code = m.Run()
	if code == 0 && protocol.WholeRun() {
		err = documented()
	}
	programs.close()
	return code, errors.Join(err, box.Close())
}

// documented compares what omero-py has called with the table of operations.
func documented() error {
	const page = "../../docs/protocol.md"
	table, err := protocol.Read(page)
	if err != nil {
		return err
	}
	if err := table.Column(protocol.OMEROPy, called.Seen); err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return nil
}

// account is a user of the sandbox by name.
func account(t *testing.T, name string) sandbox.User {
	t.Helper()
	for _, u := range box.Users() {
		if u.Name == name {
			return u
		}
	}
	t.Fatalf("the sandbox has no user %s", name)
	return sandbox.User{}
}

// person is somebody at a computer of their own: a home folder, with the
// sessions of "omero login" in it.
type person struct {
	t    *testing.T
	user sandbox.User
	home string
	port string
	vars []string // more variables, or other values
}

func newPerson(t *testing.T, name string) *person {
	t.Helper()
	u, err := url.Parse(box.OMEROAddress())
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, user: account(t, name), home: t.TempDir(), port: u.Port()}
}

// environ has the password in a variable, where omero-py looks for it.
func (p *person) environ() []string {
	return append([]string{
		"PATH=" + filepath.Join(environment, "bin") + ":/usr/bin:/bin", "HOME=" + p.home, "OMERO_USERDIR=" + filepath.Join(p.home, "omero"),
		"OMERO_TMPDIR=" + filepath.Join(p.home, "tmp"), "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore",
		"OMERO_HOST=localhost", "OMERO_PORT=" + p.port, "OMERO_USER=" + p.user.Name, "OMERO_PASSWORD=" + p.user.Password,
	}, p.vars...)
}

// result is what a program left.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a program of the environment in the person's home. Everything that
// it starts ends with it.
func (p *person) run(name string, args ...string) result {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	defer cancel()
	if name == "omero" && os.Geteuid() == 0 {
		name, args = "python", append([]string{"-c", asRoot}, args...)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(environment, "bin", name), args...)
	cmd.Dir, cmd.Env = p.home, p.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		p.t.Fatalf("%s %q hangs\n%s%s", name, args, &stdout, &stderr)
	case err != nil && cmd.ProcessState == nil:
		p.t.Fatalf("%s: %v", name, err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// asRoot is what the program omero does after it has refused to be run by root,
// as whom the tests run in a container.
const asRoot = `import logging, sys
import omero.cli
sys.argv[0] = "omero"
logging.basicConfig(level=logging.WARN)
sys.exit(omero.cli.argv())`

// must runs a program that has to succeed and returns what it printed.
func (p *person) must(name string, args ...string) string {
	p.t.Helper()
	r := p.run(name, args...)
	if r.code != 0 {
		p.t.Fatalf("%s %q: exit code %d\n%s%s", name, args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// fork runs "omero" or one of the Python programs in this folder by the process
// that has omero-py loaded.
func (p *person) fork(args ...string) result {
	p.t.Helper()
	env := make(map[string]string)
	for _, e := range p.environ() {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	if args[0] != "omero" {
		path, err := filepath.Abs(args[0])
		if err != nil {
			p.t.Fatal(err)
		}
		args = append([]string{path}, args[1:]...)
	}
	r, err := programs.run(job{Args: args, Env: env, Cwd: p.home})
	if err != nil {
		p.t.Fatalf("%q: %v", args, err)
	}
	return r
}

// omero runs the command line of omero-py, which has to succeed.
func (p *person) omero(args ...string) string {
	p.t.Helper()
	r := p.tryOMERO(args...)
	if r.code != 0 {
		p.t.Fatalf("omero %q: exit code %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// tryOMERO runs the command line of omero-py, which may fail.
func (p *person) tryOMERO(args ...string) result {
	p.t.Helper()
	return p.fork(append([]string{"omero"}, args...)...)
}

// script runs one of the Python programs in this folder and decodes the JSON
// that it prints into out.
func (p *person) script(out any, name string, args ...string) {
	p.t.Helper()
	r := p.fork(append([]string{name}, args...)...)
	if r.code != 0 {
		p.t.Fatalf("%s %q: exit code %d\n%s%s", name, args, r.code, r.stdout, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), out); err != nil {
		p.t.Fatalf("%s: %v\n%s%s", name, err, r.stdout, r.stderr)
	}
}

// object is the oldest object of a class with a name, as the server stores it.
// Those of the sample study are older than what tests make.
func object(t *testing.T, class, name string) *store.Row {
	t.Helper()
	found := box.Store().Find(class, func(r *store.Row) bool { return r.Text("name") == name })
	if found == nil {
		t.Fatalf("the server has no %s %q", class, name)
	}
	return found
}
