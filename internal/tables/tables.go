// Package tables changes ids in the files of OMERO.tables where they are. Such
// a file is HDF5 as PyTables writes it: a group OME with the dataset
// Measurements, whose rows are compounds with one member for each column, and
// the dataset ColumnTypes, which names the class of each column.
package tables

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that a file is none that this package can change.
var ErrFormat = errors.New("no table that can be changed")

// blockBytes is how much of a table is in memory at once.
const blockBytes = 1 << 20

// File is the table's file.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// NewID says what stands for an id in a column of a class, such as
// "ImageColumn". For classes without ids it is not called.
type NewID func(class string, id int64) int64

// idColumns are the classes of columns that hold ids.
var idColumns = map[string]bool{
	"ImageColumn": true, "WellColumn": true, "PlateColumn": true, "RoiColumn": true, "DatasetColumn": true, "FileColumn": true,
	"MaskColumn": true,
}

// Rewrite replaces the ids in all columns of ids. Only positive numbers are
// ids. It writes only what changes, and nothing before the form of the whole
// file is known to be understood. Errors of f are returned as they are, those
// of the form are ErrFormat.
func Rewrite(f File, size int64, newID NewID) error {
	r := &reader{f: f, size: size, seen: make(map[int64]bool)}
	columns, rows, err := r.open()
	if err != nil || len(columns) == 0 {
		return err
	}
	return r.rewrite(rows, columns, newID)
}

// column is a member of the rows that holds ids.
type column struct {
	class  string
	offset int // in a row
	order  binary.ByteOrder
}

// open finds the rows and the columns of ids.
func (r *reader) open() ([]column, *dataset, error) {
	root, err := r.root()
	if err != nil {
		return nil, nil, err
	}
	top, err := r.links(root)
	if err != nil {
		return nil, nil, err
	}
	ome, err := r.links(top["OME"])
	if err != nil {
		return nil, nil, err
	}
	if ome["_i_Measurements"] != 0 {
		return nil, nil, fmt.Errorf("%w: its columns are indexed", ErrFormat)
	}
	rows, err := r.dataset(ome["Measurements"])
	if err != nil {
		return nil, nil, err
	}
	classes, err := r.texts(ome["ColumnTypes"])
	if err != nil {
		return nil, nil, err
	}
	members := rows.kind.members
	if len(members) != len(classes) {
		return nil, nil, fmt.Errorf("%w: %d columns of %d classes", ErrFormat, len(members), len(classes))
	}
	var columns []column
	for i, m := range members {
		class := shortClass(classes[i])
		if !idColumns[class] {
			continue
		}
		if class == "MaskColumn" { // a compound, which names its image
			inner := m.kind.member("i")
			if inner == nil {
				return nil, nil, fmt.Errorf("%w: column %s names no image", ErrFormat, m.name)
			}
			m = member{name: m.name, offset: m.offset + inner.offset, kind: inner.kind}
			class = "ImageColumn"
		}
		if m.kind.class != classFixed || m.kind.size != 8 || m.offset+8 > rows.kind.size {
			return nil, nil, fmt.Errorf("%w: the numbers of column %s have another form", ErrFormat, m.name)
		}
		columns = append(columns, column{class: class, offset: m.offset, order: m.kind.order})
	}
	return columns, rows, nil
}

// rewrite goes over the rows of all chunks.
func (r *reader) rewrite(d *dataset, columns []column, newID NewID) error {
	width := d.kind.size
	perBlock := max(1, blockBytes/width)
	buf := make([]byte, perBlock*width)
	for _, c := range d.chunks {
		for row := int64(0); row < c.rows; row += int64(perBlock) {
			n := int(min(int64(perBlock), c.rows-row)) * width
			at := c.at + row*int64(width)
			if err := r.read(buf[:n], at); err != nil {
				return err
			}
			if !change(buf[:n], width, columns, newID) {
				continue
			}
			if _, err := r.f.WriteAt(buf[:n], at); err != nil {
				return err
			}
		}
	}
	return nil
}

func change(rows []byte, width int, columns []column, newID NewID) (changed bool) {
	for i := 0; i+width <= len(rows); i += width {
		for _, c := range columns {
			cell := rows[i+c.offset:][:8]
			old := int64(c.order.Uint64(cell))
			if old <= 0 {
				continue
			}
			if id := newID(c.class, old); id != old {
				c.order.PutUint64(cell, uint64(id))
				changed = true
			}
		}
	}
	return changed
}
