package omero_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
)

// line is a network between a client and a server that can fall silent.
type line struct {
	l      net.Listener
	silent atomic.Bool
	wg     sync.WaitGroup
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	n := &line{l: l}
	n.wg.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", strings.TrimPrefix(server, "tcp://"))
			if err != nil {
				a.Close()
				continue
			}
			n.wg.Go(func() { n.pipe(a, b) })
			n.wg.Go(func() { n.pipe(b, a) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		n.wg.Wait()
	})
	return n
}

// pipe passes bytes on, or swallows them while the line is silent.
func (n *line) pipe(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 1<<16)
	for {
		got, err := from.Read(buf)
		if err != nil {
			return
		}
		if n.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:got]); err != nil {
			return
		}
	}
}

// A server that falls silent, with its connection still open, does not hold
// anybody longer than it takes to notice; when it is back, so is the client.
func TestSilentServer(t *testing.T) {
	n := newLine(t, common.addr)
	c, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{"tcp://" + n.l.Addr().String()}, User: "ada", Password: "ada",
		KeepAlive: 300 * time.Millisecond, ConnectTimeout: 500 * time.Millisecond})
	check(t, err)
	n.silent.Store(true)
	start := time.Now()
	if _, err := c.Groups(t.Context(), false); !errors.Is(err, omero.Offline) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("noticed after %v", took)
	}
	n.silent.Store(false)
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := c.Groups(t.Context(), false)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("not back: %v", err)
		}
		time.Sleep(50 * time.Millisecond) // as a person would try again
	}
	check(t, c.Close())
	if _, err := c.Groups(t.Context(), false); !errors.Is(err, omero.Offline) {
		t.Errorf("after Close: %v", err)
	}
}

// What is idle is closed on the server, and opened again when it is read.
func TestIdleFilesAreClosed(t *testing.T) {
	var opened, closed atomic.Int32
	breakConnections(t, func(op string) blitz.Fault {
		switch op {
		case "RawFileStore.setFileId":
			opened.Add(1)
		case "RawFileStore.close":
			closed.Add(1)
		}
		return blitz.FaultNone
	})
	c := common.login(t, "ada")
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	sets, err := c.Filesets(t.Context(), []int64{images[0].Fileset})
	check(t, err)
	file := sets[0].Entries[0].File
	f := c.OpenFile(file)
	a, b := make([]byte, 100), make([]byte, 100)
	for range 3 { // at the end of the file, where nothing is read ahead
		if _, err := f.ReadAt(t.Context(), a, file.Size-100); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if b[0] != 0 && !bytes.Equal(a, b) {
			t.Error("the content changed")
		}
		copy(b, a)
		c.CloseIdle(t.Context())
	}
	check(t, f.Close())
	if opened.Load() != 3 || closed.Load() != 3 {
		t.Errorf("opened %d times, closed %d times; want 3 and 3", opened.Load(), closed.Load())
	}
}
