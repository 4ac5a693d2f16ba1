package tables

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"testing"
)

// memory is a file in memory that cannot grow.
type memory []byte

func (m memory) ReadAt(p []byte, at int64) (int, error) { return bytes.NewReader(m).ReadAt(p, at) }

func (m memory) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > int64(len(m)) {
		return 0, io.ErrShortWrite
	}
	return copy(m[at:], p), nil
}

func unzip(t testing.TB, name string) memory {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The table was made with omero-py's own code on PyTables 3.11: 600 rows with a
// column of each class, in chunks. PyTables then added a million to all ids;
// the same change made here gives the same bytes.
func TestRewriteIsWhatPyTablesDoes(t *testing.T) {
	got, want := unzip(t, "before.h5.gz"), unzip(t, "after.h5.gz")
	seen := map[string]int{}
	err := Rewrite(got, int64(len(got)), func(class string, id int64) int64 {
		seen[class]++
		return id + 1_000_000
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the bytes differ from those of PyTables")
	}
	// One of seven wells is -1, one is 0; each mask names an image.
	for class, n := range map[string]int{"ImageColumn": 1200, "RoiColumn": 600, "DatasetColumn": 600, "PlateColumn": 600, "FileColumn": 600, "WellColumn": 428} {
		if seen[class] != n {
			t.Errorf("%s: got %d ids, want %d", class, seen[class], n)
		}
	}
	if len(seen) != 6 {
		t.Errorf("got %v", seen)
	}
}

// A table of which nothing changes is not written.
func TestRewriteOfNothing(t *testing.T) {
	data := unzip(t, "before.h5.gz")
	err := Rewrite(readOnly{data}, int64(len(data)), func(_ string, id int64) int64 { return id })
	if err != nil {
		t.Fatal(err)
	}
}

type readOnly struct{ memory }

func (readOnly) WriteAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestWhatIsNoTable(t *testing.T) {
	whole := unzip(t, "before.h5.gz")
	for _, n := range []int{0, 1, 8, 95, 96, 2048} {
		data := bytes.Clone(whole[:n])
		if err := Rewrite(memory(data), int64(n), func(_ string, id int64) int64 { return id }); !errors.Is(err, ErrFormat) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
	if err := Rewrite(readOnly{whole}, int64(len(whole)), func(_ string, id int64) int64 { return id + 1 }); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a file that cannot be written: got %v", err)
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add([]byte(unzip(f, "before.h5.gz"))[:4096], uint16(3000), []byte{1, 2, 3})
	whole := unzip(f, "before.h5.gz")
	f.Fuzz(func(t *testing.T, head []byte, at uint16, patch []byte) {
		data := memory(bytes.Clone(whole))
		copy(data, head)
		copy(data[min(int(at), len(data)):], patch)
		err := Rewrite(data, int64(len(data)), func(_ string, id int64) int64 { return id ^ 1 })
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("got %v", err)
		}
	})
}
