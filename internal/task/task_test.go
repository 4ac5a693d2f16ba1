package task

import (
	"os"
	"os/exec"
	"testing"
)

func TestLivingTask(t *testing.T) {
	pid := os.Getpid()
	if Killed(uint32(pid)) || Dying(uint32(pid)) {
		t.Error("this process counts as being killed")
	}
	if got := Process(uint32(pid)); got != pid {
		t.Errorf("process: got %d, want %d", got, pid)
	}
}

func TestKilledTask(t *testing.T) {
	c := exec.Command("sleep", "100")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pid := uint32(c.Process.Pid)
	if Killed(pid) {
		t.Error("a running task counts as killed")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Nobody has waited for it, so it is still there to be looked at.
	for i := 0; !Killed(pid) && i < 1_000_000; i++ {
	}
	if !Killed(pid) {
		t.Error("a killed task counts as living")
	}
	_ = c.Wait()
	if Process(pid) != 0 {
		t.Error("a task that is gone has a process")
	}
}

func TestNoTask(t *testing.T) {
	if Killed(0) || Dying(0) || Process(0) != 0 {
		t.Error("an unknown task is something")
	}
}
