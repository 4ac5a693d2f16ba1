package transfer

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

func TestWritersNoticeTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 4)
	w := NewWriters(ctx, func() { ended <- struct{}{} })
	defer w.Close()
	defer cancel()

	a, b := exec.Command("sleep", "100"), exec.Command("sleep", "100")
	for _, c := range []*exec.Cmd{a, b} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer c.Process.Kill()
		w.Saw(uint32(c.Process.Pid))
		w.Saw(uint32(c.Process.Pid))
	}
	if !w.Alive() {
		t.Fatal("two writers run, got none alive")
	}
	a.Process.Kill()
	a.Wait()
	select {
	case <-ended:
		t.Fatal("the end was told while one writer is alive")
	case <-time.After(100 * time.Millisecond):
	}
	b.Process.Kill()
	b.Wait()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the end was never told")
	}
	if w.Alive() {
		t.Error("both have ended, got alive")
	}
}

func TestWritersStopWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := NewWriters(ctx, func() { t.Error("the end was told though the writer lives") })
	c := exec.Command("sleep", "100")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	w.Saw(uint32(c.Process.Pid))
	cancel()
	done := make(chan struct{})
	go func() { w.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for a writer although the context is done")
	}
}

func TestWriterUnseenCountsAsAlive(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := NewWriters(ctx, func() {})
	w.Saw(0)
	if !w.Alive() {
		t.Error("a writer that cannot be seen: got ended, want alive")
	}
}

// A writer may have ended before it is followed; its end counts all the same.
func TestWriterThatHasEnded(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}, 1)
	w := NewWriters(t.Context(), func() { ended <- struct{}{} })
	w.Saw(uint32(cmd.Process.Pid))
	<-ended
	if w.Alive() {
		t.Error("a writer that has ended counts as alive")
	}
	w.Close()
}
