package tables

import (
	"cmp"
	"slices"
)

// dataset is a list of elements of one kind.
type dataset struct {
	kind   *datatype
	chunks []chunk
}

// chunk are elements that follow each other in the file.
type chunk struct {
	at   int64
	rows int64
}

// dataset reads where the elements of a list are.
func (r *reader) dataset(header uint64) (*dataset, error) {
	if header == 0 {
		return nil, format("a part is missing")
	}
	messages, err := r.messages(header)
	if err != nil {
		return nil, err
	}
	d := &dataset{}
	rows := int64(-1)
	var layout []byte
	for _, m := range messages {
		switch m.kind {
		case messageSpace:
			if rows, err = length(m.data); err != nil {
				return nil, err
			}
		case messageType:
			if d.kind, _, err = parseType(m.data, 0); err != nil {
				return nil, err
			}
		case messageLayout:
			layout = m.data
		case messageFilters:
			if len(m.data) > 1 && m.data[1] > 0 {
				return nil, format("it is compressed")
			}
		}
	}
	if d.kind == nil || d.kind.size <= 0 || rows < 0 || layout == nil {
		return nil, format("a list without its form")
	}
	return d, r.place(d, rows, layout)
}

// length is the number of elements of a list of one dimension.
func length(b []byte) (int64, error) {
	if len(b) < 4 {
		return 0, format("a list without its length")
	}
	at := 8
	if b[0] == 2 {
		at = 4
	}
	if b[1] != 1 || len(b) < at+8 {
		return 0, format("a list of %d dimensions", b[1])
	}
	n := le.Uint64(b[at:])
	if n > 1<<40 {
		return 0, format("%d rows", n)
	}
	return int64(n), nil
}

// place reads the layout.
func (r *reader) place(d *dataset, rows int64, b []byte) error {
	if len(b) < 2 || b[0] != 3 {
		return format("a layout of another version")
	}
	width := int64(d.kind.size)
	switch b[1] {
	case 1: // one piece
		if len(b) < 18 {
			return format("a layout cut off")
		}
		if at := le.Uint64(b[2:]); at != undefined && rows > 0 {
			if rows > (r.size-int64(min(at, uint64(r.size))))/width {
				return format("a list that is not whole")
			}
			d.chunks = []chunk{{int64(at), rows}}
		}
		return nil
	case 2:
		if len(b) < 19 || b[2] != 2 {
			return format("chunks of %d dimensions", int(b[2])-1)
		}
		tree, per := le.Uint64(b[3:]), int64(le.Uint32(b[11:]))
		if int64(le.Uint32(b[15:])) != width || per == 0 {
			return format("chunks of another width")
		}
		if tree == undefined {
			return nil
		}
		if err := r.chunkTree(d, tree, anyLevel, per, rows); err != nil {
			return err
		}
		return d.apart()
	}
	return format("a layout of class %d", b[1])
}

// chunkTree reads the tree of the chunks: keys of a size, a mask of filters and
// two offsets, with a child behind each.
func (r *reader) chunkTree(d *dataset, at uint64, level int, per, rows int64) error {
	const key = 4 + 4 + 2*8
	level, used, body, err := r.treeNode(at, 1, level, key)
	if err != nil {
		return err
	}
	for i := range used {
		e := body[i*(key+8):]
		child := le.Uint64(e[key:])
		if level > 0 {
			if err := r.chunkTree(d, child, level-1, per, rows); err != nil {
				return err
			}
			continue
		}
		first := le.Uint64(e[8:])
		if first >= uint64(rows) {
			continue // reserved, with no rows yet
		}
		c := chunk{at: int64(child), rows: min(per, rows-int64(first))}
		if child > uint64(r.size) || c.rows > (r.size-c.at)/int64(d.kind.size) {
			return format("a chunk outside of the file")
		}
		if len(d.chunks) >= mostChunks {
			return format("more than %d chunks", mostChunks)
		}
		d.chunks = append(d.chunks, c)
	}
	return nil
}

// apart says that no chunk has a byte of another: ids would be replaced twice,
// and a small file could stand for endless work.
func (d *dataset) apart() error {
	places := slices.SortedFunc(slices.Values(d.chunks), func(x, y chunk) int { return cmp.Compare(x.at, y.at) })
	for i := 1; i < len(places); i++ {
		if before := places[i-1]; places[i].at < before.at+before.rows*int64(d.kind.size) {
			return format("chunks that overlap")
		}
	}
	return nil
}
