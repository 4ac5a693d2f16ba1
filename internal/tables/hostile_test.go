package tables

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// chunkTreeOf is where the tree of the chunks of the rows is: the largest of
// the file.
func chunkTreeOf(t *testing.T, data []byte) int {
	t.Helper()
	best, most := -1, 0
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte("TREE\x01\x00"))
		if i < 0 {
			break
		}
		at += i
		if n := int(le.Uint16(data[at+6:])); n > most {
			best, most = at, n
		}
	}
	if most < 2 {
		t.Fatal("the table has no rows in chunks")
	}
	return best
}

func number64(n int) []byte { return le.AppendUint64(nil, uint64(n)) }

// refused holds a table to an error of its form that costs little memory and
// leaves it as it is.
func refused(t *testing.T, data []byte, want string) {
	t.Helper()
	was := bytes.Clone(data)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Rewrite(memory(data), int64(len(data)), func(_ string, id int64) int64 { return id + 1 })
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error about %q", err, want)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
		t.Errorf("it took %d bytes", n)
	}
	if !bytes.Equal(data, was) {
		t.Error("the table was changed")
	}
}

// A tree whose nodes do not come closer to its leaves has as many levels as the
// file has room for, and each level holds on to its node.
func TestEndlessTree(t *testing.T) {
	data := []byte(unzip(t, "before.h5.gz"))
	from := len(data)
	data = bytes.Replace(data, number64(chunkTreeOf(t, data)), number64(from), 1)
	const nodes, width = 300, 64
	for i := range nodes {
		node := make([]byte, width)
		copy(node, "TREE\x01\x05\xff\xff")
		copy(node[24+24:], number64(from+(i+1)*width))
		data = append(data, node...)
	}
	data = append(data, make([]byte, 3<<20)...)
	refused(t, data, "tree")
}

// A header that goes on in itself is read a few times only.
func TestHeaderWithinItself(t *testing.T) {
	data := []byte(unzip(t, "before.h5.gz"))
	at := len(data)
	const messages, size = 130, 65528
	block := make([]byte, 0, messages*(8+size)+24)
	block = append(le.AppendUint16(block, messageContinued), 16, 0, 0, 0, 0, 0)
	block = append(block, number64(at+16)...)
	block = append(block, number64(messages*(8+size)+24)...)
	for range messages {
		block = append(block, 0, 0, size&255, size>>8, 0, 0, 0, 0)
		block = append(block, make([]byte, size)...)
	}
	header := append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, number64(len(block))...)
	data = append(append(data, header...), block...)
	root := 56 + 8
	if data[8] == 1 {
		root += 4
	}
	copy(data[root:], number64(at))
	refused(t, data, "bytes that are no rows")
}

// Chunks that are one place of the file would have their ids replaced again
// and again.
func TestOverlappingChunks(t *testing.T) {
	for _, shift := range []uint64{0, 8} {
		data := []byte(unzip(t, "before.h5.gz"))
		first := chunkTreeOf(t, data) + 24 + 24
		copy(data[first+32:], number64(int(le.Uint64(data[first:])+shift)))
		refused(t, data, "overlap")
	}
}
