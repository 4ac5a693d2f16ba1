package mount

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/irodsd"
)

// A mount that is killed while a large file goes over several connections
// leaves no lock, and a temporary object that the next mount removes.
func TestKilledMountDuringLargeFile(t *testing.T) {
	const write, replicaClose = 676, 20004
	slow := func(api int, _ int64) irodsd.Fault {
		if api == write || api == replicaClose {
			return irodsd.Fault{Delay: 50 * time.Millisecond}
		}
		return irodsd.Fault{}
	}
	w := newDoomed(t, sandbox.Config{Empty: true, IRODSPlain: true, IRODSFault: slow})
	data := make([]byte, 41<<20+3)
	_, _ = rand.NewChaCha8([32]byte{4}).Read(data)
	want := sha256.Sum256(data)
	src := filepath.Join(t.TempDir(), "src")
	if err := os.WriteFile(src, data, 0o600); err != nil {
		t.Fatal(err)
	}
	u := w.sandbox.Users()[0]
	c, err := irods.New(irods.Config{Host: "127.0.0.1", Port: w.sandbox.IRODSPort(), User: u.Name, Zone: sandbox.Zone, Password: u.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	points := []int64{9, 15, 22, 30, 34, 38}
	if os.Getenv("OMERODS_SOAK") != "" {
		points = nil
		for n := int64(1); n < 60; n++ {
			points = append(points, n)
		}
	}
	for _, n := range points {
		name := fmt.Sprintf("large %d", n)
		code, _ := w.killedAt(n, "cp", src, w.home(name))
		eventually(t, fmt.Sprintf("no temporary object is left of a kill at request %d", n), func() bool {
			left, err := c.Find(t.Context(), ".omerods-%")
			return err == nil && len(left) == 0
		})
		entry, err := c.Stat(t.Context(), w.logical(name))
		if code == 0 && err != nil {
			t.Errorf("killed at request %d: cp said it worked: %v", n, err)
		}
		if err == nil && (entry.Size != int64(len(data)) || !entry.Good()) {
			t.Errorf("killed at request %d: %d bytes", n, entry.Size)
		}
		w.run("cp", src, w.home(name))
		sum, err := c.Checksum(t.Context(), w.logical(name), false)
		if err != nil || string(irods.SHA256(sum)) != string(want[:]) {
			t.Errorf("after a kill at request %d: checksum %q, %v", n, sum, err)
		}
	}
}
