package tables

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The forms are those of the HDF5 File Format Specification, version 3.0, as
// far as PyTables writes them.

const (
	mostBytes    = 16 << 20 // of one object header, heap or list of texts
	mostForm     = 64 << 20 // of all that tells where the rows are
	mostChunks   = 1 << 20
	mostNodes    = 1 << 16 // of all trees; one of PyTables' has up to 64 children
	mostMessages = 4096
	undefined    = ^uint64(0)
)

// le is the order of all numbers but those of the data.
var le = binary.LittleEndian

type reader struct {
	f    File
	size int64
	seen map[int64]bool // nodes of trees, so that none is read twice
	form int            // bytes read so far that are not rows
}

func format(text string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(text, args...))
}

// read fills p from a place that must be within the file.
func (r *reader) read(p []byte, at int64) error {
	if at < 0 || at > r.size-int64(len(p)) {
		return format("a place outside of the file")
	}
	if n, err := r.f.ReadAt(p, at); n != len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("read the table: %w", err)
	}
	return nil
}

func (r *reader) bytes(at uint64, n int) ([]byte, error) {
	if at >= uint64(r.size) || n < 0 || n > mostBytes {
		return nil, format("a place outside of the file")
	}
	if r.form += n; r.form > mostForm {
		return nil, format("more than %d bytes that are no rows", mostForm)
	}
	p := make([]byte, n)
	return p, r.read(p, int64(at))
}

// root returns the address of the root group's header.
func (r *reader) root() (uint64, error) {
	b, err := r.bytes(0, int(min(r.size, 96)))
	if err != nil {
		return 0, err
	}
	if len(b) < 96 || string(b[:8]) != "\x89HDF\r\n\x1a\n" {
		return 0, format("no HDF5")
	}
	switch version := b[8]; {
	case version <= 1:
		if b[13] != 8 || b[14] != 8 {
			return 0, format("addresses of %d bytes", b[13])
		}
		entry := 56 // of the root group: where its name is, where its header is
		if version == 1 {
			entry += 4
		}
		return le.Uint64(b[entry+8:]), nil
	case version <= 3:
		if b[9] != 8 || b[10] != 8 {
			return 0, format("addresses of %d bytes", b[9])
		}
		return le.Uint64(b[36:]), nil
	}
	return 0, format("superblock of version %d", b[8])
}

// node reads the beginning of a node of a tree or of names once.
func (r *reader) node(at uint64, n int) ([]byte, error) {
	if r.seen[int64(at)] {
		return nil, format("a tree that contains itself")
	}
	if len(r.seen) >= mostNodes {
		return nil, format("trees of more than %d nodes", mostNodes)
	}
	r.seen[int64(at)] = true
	return r.bytes(at, n)
}

// anyLevel is the level of a root, which may be any.
const anyLevel = -1

// treeNode reads a node of a tree of a type: its level, 0 for a leaf, and its
// keys and children. A child is one level below, so that a tree has an end.
func (r *reader) treeNode(at uint64, kind byte, level, key int) (its, used int, body []byte, err error) {
	head, err := r.node(at, 24)
	if err != nil {
		return 0, 0, nil, err
	}
	its, used = int(head[5]), int(le.Uint16(head[6:]))
	if string(head[:4]) != "TREE" || head[4] != kind || level != anyLevel && its != level {
		return 0, 0, nil, format("a tree of another kind")
	}
	body, err = r.bytes(at+24, used*(key+8)+key)
	return its, used, body, err
}

// links returns what a group has, by name.
func (r *reader) links(header uint64) (map[string]uint64, error) {
	if header == 0 {
		return nil, format("a part is missing")
	}
	messages, err := r.messages(header)
	if err != nil {
		return nil, err
	}
	links := make(map[string]uint64)
	for _, m := range messages {
		switch m.kind {
		case messageSymbolTable:
			if len(m.data) < 16 {
				return nil, format("a group cut off")
			}
			if err := r.symbols(le.Uint64(m.data), le.Uint64(m.data[8:]), links); err != nil {
				return nil, err
			}
		case messageLink:
			if err := hardLink(m.data, links); err != nil {
				return nil, err
			}
		}
	}
	return links, nil
}

// symbols reads the names of a group from its tree and heap.
func (r *reader) symbols(tree, heap uint64, links map[string]uint64) error {
	h, err := r.bytes(heap, 32)
	if err != nil {
		return err
	}
	if string(h[:4]) != "HEAP" || le.Uint64(h[8:]) > mostBytes {
		return format("a group without its names")
	}
	names, err := r.bytes(le.Uint64(h[24:]), int(le.Uint64(h[8:])))
	if err != nil {
		return err
	}
	return r.symbolTree(tree, anyLevel, names, links)
}

func (r *reader) symbolTree(at uint64, level int, names []byte, links map[string]uint64) error {
	level, used, body, err := r.treeNode(at, 0, level, 8)
	if err != nil {
		return err
	}
	for i := range used {
		child := le.Uint64(body[8+16*i:])
		if level > 0 {
			err = r.symbolTree(child, level-1, names, links)
		} else {
			err = r.symbolNode(child, names, links)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) symbolNode(at uint64, names []byte, links map[string]uint64) error {
	head, err := r.node(at, 8)
	if err != nil {
		return err
	}
	if string(head[:4]) != "SNOD" {
		return format("a group without entries")
	}
	n := int(le.Uint16(head[6:]))
	body, err := r.bytes(at+8, n*40)
	if err != nil {
		return err
	}
	for i := range n {
		e := body[40*i:]
		name := le.Uint64(e)
		if name >= uint64(len(names)) {
			return format("a name outside of its group")
		}
		text, _, _ := bytes.Cut(names[name:], []byte{0})
		links[string(text)] = le.Uint64(e[8:])
	}
	return nil
}

// hardLink reads a link message of newer groups; links of other kinds are none
// of ours.
func hardLink(b []byte, links map[string]uint64) error {
	if len(b) < 2 || b[0] != 1 {
		return format("a link of another version")
	}
	flags, i := b[1], 2
	if flags&8 != 0 {
		if i < len(b) && b[i] != 0 {
			return nil
		}
		i++
	}
	if flags&4 != 0 {
		i += 8
	}
	if flags&16 != 0 {
		i++
	}
	width := 1 << (flags & 3)
	if i+width > len(b) {
		return format("a link cut off")
	}
	n := number(b[i : i+width])
	i += width
	if n > uint64(len(b)) || i+int(n)+8 > len(b) {
		return format("a link cut off")
	}
	links[string(b[i:i+int(n)])] = le.Uint64(b[i+int(n):])
	return nil
}

// number reads a number of up to eight bytes.
func number(b []byte) (n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

// texts reads a list of texts of one width.
func (r *reader) texts(header uint64) ([]string, error) {
	d, err := r.dataset(header)
	if err != nil {
		return nil, err
	}
	if d.kind.class != classString {
		return nil, format("classes of columns that are no texts")
	}
	var texts []string
	for _, c := range d.chunks {
		if c.rows > mostMessages {
			return nil, format("%d columns", c.rows)
		}
		for i := range c.rows {
			b, err := r.bytes(uint64(c.at+i*int64(d.kind.size)), d.kind.size)
			if err != nil {
				return nil, err
			}
			texts = append(texts, strings.TrimRight(string(b), "\x00 "))
		}
	}
	return texts, nil
}

// shortClass is the last part of a Slice type id.
func shortClass(id string) string { return id[strings.LastIndexByte(id, ':')+1:] }
