package irodsd

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childState = "IRODSD_TEST_STATE"

// TestMain runs as a server that can be killed when the variable is set.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childState); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveChild(dir string) error {
	s, err := New(Config{StateDir: dir, AdminPassword: adminPassword})
	if err != nil {
		return err
	}
	if err := s.AddUser(context.Background(), "alice", "rodsuser", alicePassword); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return s.Serve(l)
}

func TestKilledServerLeavesAReadableCatalogue(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childState+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	const whole = 30
	for i := range whole {
		r.sendRaw(pack("RODS_API_REQ", 606, dataObj(fmt.Sprintf("%s/%d", home, i), 0, "dataIncluded", ""), fmt.Append(nil, "data ", i)))
		if got := r.receive().info; got != 0 {
			t.Fatal(got)
		}
	}
	fd := r.open(home+"/open", 1|64)
	r.write(fd, "half")
	// Requests are on the way when the process dies.
	for i := range 200 {
		_, _ = r.Write(pack("RODS_API_REQ", 606, dataObj(fmt.Sprintf("%s/late%d", home, i), 0, "dataIncluded", ""), []byte("late")))
	}
	r.receive()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	s, err := New(Config{StateDir: dir, AdminPassword: adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	r = rawLogin(t, serve(t, s), "alice", alicePassword)
	for i := range whole {
		if m := r.call(608, dataObj(fmt.Sprintf("%s/%d", home, i), 0)); string(m.stream) != fmt.Sprint("data ", i) {
			t.Errorf("object %d: %+v", i, m)
		}
	}
	if got := r.state("open"); got != "2 0 " {
		t.Errorf("the open object: %q, want still intermediate", got)
	}
	if got := r.open(home+"/open", 0); got != -1803000 {
		t.Errorf("open: %d", got)
	}
	if got := r.call(615, dataObj(home+"/open", 0, "forceFlag", "")).info; got != -406000 {
		t.Errorf("unlink: %d", got)
	}
	if n, err := s.Repair(context.Background()); err != nil || n < 1 {
		t.Errorf("repair: %d %v", n, err)
	}
	if got := r.state("open"); got != "0 4 " {
		t.Errorf("repaired: %q", got)
	}
	if got := r.call(615, dataObj(home+"/open", 0, "forceFlag", "")).info; got != 0 {
		t.Errorf("unlink: %d", got)
	}
}
