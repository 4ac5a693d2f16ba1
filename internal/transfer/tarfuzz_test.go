package transfer

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"path"
	"testing"
	"time"

	"omerods/fs/tree"
)

// FuzzStagedTar writes bytes of strangers as an archive: in order, and then in
// pieces in any order. It looks for what stops the program, for errors of no
// class, for anything that a failed load leaves behind, and for archives whose
// result depends on the order in which they are written.
func FuzzStagedTar(f *testing.F) {
	p := newTestPack(f)
	p.files["D2/c.tif"] = p.files["D2/c.tif"][:10] // does not agree with transfer.xml
	f.Add(tarOf(f, "./", p.names(false), p.files), uint64(1))
	p = newTestPack(f)
	f.Add(tarOf(f, "", p.names(true), p.files), uint64(2))
	f.Add(tarOf(f, "./", p.names(false), p.files), uint64(3))
	f.Add(zipOf(f, p.names(true), p.files), uint64(4))
	f.Add([]byte(paxSparse(f)), uint64(5))
	f.Add([]byte("PK\x03\x04"), uint64(6))
	dir := f.TempDir()
	spool, err := OpenSpool(path.Join(dir, "spool"), 4<<20)
	if err != nil {
		f.Fatal(err)
	}
	journal, err := OpenJournal(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { journal.Close() })
	load := func(t *testing.T, data []byte, seed uint64) (finished int, err error) {
		ls := NewLoads(LoadsConfig{Spool: spool, Journal: journal, Records: NewRecords(time.Now), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Now: time.Now, CommitWait: time.Minute})
		o, ctx := newFakeOMERO(), testContext()
		h := create(t, ls, o, "Kidney.tar")
		for _, at := range piecesOf(len(data), seed) {
			if _, err = h.WriteAt(ctx, data[at[0]:at[1]], int64(at[0])); err != nil {
				break
			}
		}
		if cerr := h.Flush(ctx); err == nil {
			err = cerr
		} else if cerr == nil {
			t.Error("a write fails and the close succeeds")
		}
		h.Release(ctx)
		ls.Close(ctx)
		if used := spool.Used(); used != 0 {
			t.Fatalf("the spool holds %d bytes", used)
		}
		if err != nil && len(o.filesets)+len(o.files)+len(o.finished) != 0 {
			t.Fatalf("%v left %d filesets, %d files, %d loads", err, len(o.filesets), len(o.files), len(o.finished))
		}
		var told *tree.Error
		if err != nil && !errors.As(err, &told) {
			t.Fatalf("an error of no class: %v", err)
		}
		return len(o.finished), err
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) == 0 || len(data) > 1<<20 {
			return
		}
		one, err := load(t, data, 0)
		if one > 1 || (one == 1) != (err == nil) {
			t.Fatalf("%d loads with the error %v", one, err)
		}
		other, oerr := load(t, data, seed|1)
		if one != other || (err == nil) != (oerr == nil) {
			t.Fatalf("in order: %d loads, %v; in another order: %d loads, %v", one, err, other, oerr)
		}
	})
}

// piecesOf cuts n bytes into pieces in an order that depends on the seed; 0 is
// the order of the bytes.
func piecesOf(n int, seed uint64) [][2]int {
	rnd := rand.New(rand.NewPCG(seed, 7))
	var out [][2]int
	for at := 0; at < n; {
		end := min(at+1+rnd.IntN(8192), n)
		out = append(out, [2]int{at, end})
		at = end
	}
	if seed != 0 {
		rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}
