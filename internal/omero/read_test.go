package omero_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
)

func TestReadingAFile(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	sets, err := c.Filesets(t.Context(), []int64{images[0].Fileset})
	check(t, err)
	file := sets[0].Entries[0].File
	f := c.OpenFile(file)
	whole := make([]byte, file.Size+10)
	n, err := f.ReadAt(t.Context(), whole, 0)
	if int64(n) != file.Size || err != io.EOF {
		t.Fatalf("got %d bytes, %v; want %d", n, err, file.Size)
	}
	whole = whole[:n]
	if sum := sha1.Sum(whole); hex.EncodeToString(sum[:]) != file.Hash {
		t.Errorf("got SHA-1 %x, want %s", sum, file.Hash)
	}
	for range 50 {
		off := rand.Int64N(file.Size)
		p := make([]byte, 1+rand.IntN(5000))
		n, err := f.ReadAt(t.Context(), p, off)
		if err != nil && err != io.EOF || !bytes.Equal(p[:n], whole[off:off+int64(n)]) || n < len(p) && off+int64(n) != file.Size {
			t.Fatalf("at %d: %d of %d bytes, %v", off, n, len(p), err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.OpenFile(file).ReadAt(cancelled, whole, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	check(t, f.Close())
	if _, err := f.ReadAt(t.Context(), whole, 0); err == nil {
		t.Error("read after close")
	}
	gone := c.OpenFile(omero.OriginalFile{ID: 1 << 40, Size: 5})
	if err := gone.Check(t.Context()); !errors.Is(err, omero.NotFound) && !errors.Is(err, omero.Denied) {
		t.Errorf("no such file: got %v", err)
	}
	check(t, gone.Close())
}

// A connection that breaks under a read is replaced, and nobody notices.
func TestConnectionLostWhileReading(t *testing.T) {
	var reads, queries, broken atomic.Int32
	breakConnections(t, func(op string) blitz.Fault {
		if op == "RawFileStore.read" && reads.Add(1) == 1 || op == "IQuery.projection" && queries.Add(1) == 3 {
			broken.Add(1)
			return blitz.FaultBefore
		}
		return blitz.FaultNone
	})
	c := common.login(t, "ada")
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	sets, err := c.Filesets(t.Context(), []int64{images[0].Fileset})
	check(t, err)
	f := c.OpenFile(sets[0].Entries[0].File)
	p := make([]byte, 100)
	if n, err := f.ReadAt(t.Context(), p, 0); n != 100 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	check(t, f.Close())
	if broken.Load() != 2 {
		t.Errorf("the connection broke %d times, want 2", broken.Load())
	}
}

// A change whose answer is lost is not made again.
func TestChangesAreNotRepeated(t *testing.T) {
	var saves atomic.Int32
	breakConnections(t, func(op string) blitz.Fault {
		if op != "IUpdate.saveAndReturnIds" {
			return blitz.FaultNone
		}
		switch saves.Add(1) {
		case 1:
			return blitz.FaultAfter
		case 3:
			return blitz.FaultBefore
		}
		return blitz.FaultNone
	})
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	count := func(name string) (n int) {
		list, err := c.Containers(t.Context(), omero.KindProject, c.Who().Group, c.Who().User)
		check(t, err)
		for _, p := range list {
			if p.Name == name {
				n++
			}
		}
		return n
	}
	before := count("again")
	for i, want := range []int{1, 2, 2} { // after the 1st it is there, the 2nd is answered, the 3rd never happened
		_, err := c.Create(ctx, omero.KindProject, "again", "", omero.Ref{})
		var e *omero.Error
		unsure := errors.As(err, &e) && e.Unsure && e.Class == omero.Offline
		if (i == 1) != (err == nil) || i != 1 && !unsure {
			t.Errorf("call %d: got %v", i+1, err)
		}
		if got := count("again") - before; got != want {
			t.Errorf("after call %d there are %d, want %d", i+1, got, want)
		}
	}
}

// Many readers at once of a file of more chunks than it keeps: each gets its
// own bytes although the memory of the chunks is used again and again.
func TestReadersShareTheMemory(t *testing.T) {
	c := common.login(t, "ada")
	content := make([]byte, 20<<20+12345)
	rand.NewChaCha8([32]byte{1}).Read(content)
	up, err := c.UploadFile(inLab(t, c), omero.FileSpec{Name: "large.bin", Path: "test/"}, bytes.NewReader(content))
	check(t, err)
	f := c.OpenFile(up)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			p := make([]byte, 3<<20)
			off := int64(n) << 20
			for range 15 {
				if n%2 == 0 { // the others read on
					off = r.Int64N(int64(len(content)))
				}
				q := p[:1+r.IntN(len(p))]
				k, err := f.ReadAt(t.Context(), q, off)
				if err != nil && err != io.EOF || !bytes.Equal(q[:k], content[off:off+int64(k)]) || k < len(q) && off+int64(k) != up.Size {
					t.Errorf("at %d: %d of %d bytes, %v, or other bytes", off, k, len(q), err)
					return
				}
				if off += int64(k); off >= up.Size {
					off = 0
				}
			}
		})
	}
	wg.Wait()
	check(t, f.Close())
}
