package omeroview

import (
	"context"
	"errors"
	"fmt"
	"io"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// tarLayer finds the source of each member of a tar.
type tarLayer struct {
	a        *account
	pack     packRef
	doc      *pack.Document
	filesets map[pack.ID]*pack.Fileset
	notes    map[pack.ID]*pack.Annotation
	at       int64 // the end of the generated files so far
}

// lay lists the members of the tar and writes its generated files to w, one
// after the other.
func (l *tarLayer) lay(ctx context.Context, m *pack.Manifest, w io.Writer) (tarIndex, error) {
	l.index()
	made := make(map[string]int64)
	files, err := pack.TarFiles(m, func(path string) (int64, error) {
		made[path] = l.at
		n, err := l.generate(ctx, path, w)
		l.at += n
		return n, err
	})
	if err != nil {
		return tarIndex{}, err
	}
	var index tarIndex
	var images []int64
	for _, f := range files {
		t := tarMember{Path: f.Path, Dir: f.Dir, Link: f.Link, Size: f.Size}
		if at, generated := made[f.Path]; generated {
			t.Made, t.At = true, at
		} else if f.File != nil && f.Link == "" {
			if err := l.source(&t, f.File); err != nil {
				return tarIndex{}, err
			}
		}
		if t.Image != 0 {
			images = append(images, t.Image)
		}
		index.Members = append(index.Members, t)
	}
	index.Exports, err = l.exports(ctx, images)
	if err != nil {
		return tarIndex{}, err
	}
	return index, l.sizes(index)
}

func (l *tarLayer) index() {
	l.filesets = make(map[pack.ID]*pack.Fileset, len(l.doc.Filesets))
	for i := range l.doc.Filesets {
		l.filesets[l.doc.Filesets[i].ID] = &l.doc.Filesets[i]
	}
	l.notes = make(map[pack.ID]*pack.Annotation, len(l.doc.Annotations))
	for i := range l.doc.Annotations {
		l.notes[l.doc.Annotations[i].ID] = &l.doc.Annotations[i]
	}
}

// number is the number of an object of a pack of ours.
func number(id pack.ID) int64 {
	n, _ := id.Number()
	return n
}

// source says where the content of a file of the manifest is.
func (l *tarLayer) source(t *tarMember, f *pack.File) error {
	switch f.Kind {
	case pack.Original:
		if fs := l.filesets[f.Fileset]; fs != nil && f.Entry < len(fs.Entries) {
			t.File, t.First = number(fs.Entries[f.Entry].File), f.Entry == 0
			return nil
		}
	case pack.Attached:
		if n := l.notes[f.Annotation]; n != nil && n.File != nil {
			t.File, t.First = number(n.File.ID), true
			t.Attached, t.Hash = true, n.File.Hash
			return nil
		}
	case pack.Exported:
		t.Image = number(f.Image)
		return nil
	}
	return fmt.Errorf("no source of %s", f.Path)
}

// exports asks for the images whose pixels are members.
func (l *tarLayer) exports(ctx context.Context, ids []int64) ([]*tarExport, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	images, err := l.a.c.ImagesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	pixels, err := l.a.c.PixelsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	first := make(map[int64]omero.Pixels, len(pixels))
	for _, p := range pixels {
		if _, ok := first[p.Image]; !ok { // as for folders
			first[p.Image] = p
		}
	}
	all := make([]*tarExport, len(images))
	for i, im := range images {
		all[i] = &tarExport{Image: im, Pixels: first[im.ID]}
	}
	return all, nil
}

// sizes compares the sizes of images with those that transfer.xml has.
func (l *tarLayer) sizes(index tarIndex) error {
	exports := make(map[int64]*tarExport, len(index.Exports))
	for _, e := range index.Exports {
		exports[e.Image.ID] = e
	}
	for _, m := range index.Members {
		if m.Image == 0 {
			continue
		}
		e := exports[m.Image]
		if e == nil || newTIFF(e.Image, &e.Pixels).size() != m.Size {
			return errChanged
		}
	}
	return nil
}

// generate writes a generated file and returns its size.
func (l *tarLayer) generate(ctx context.Context, path string, w io.Writer) (int64, error) {
	f, err := l.a.generatedAt(ctx, l.a.v.root(), l.pack, path)
	if err != nil {
		return 0, err
	}
	h, err := f.Open(ctx, tree.OpenOptions{Read: true})
	if err != nil {
		return 0, err
	}
	defer h.Release(ctx)
	var size int64
	for p := make([]byte, 256<<10); ; {
		n, err := h.ReadAt(ctx, p, size)
		size += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return size, err
		}
		if _, err := w.Write(p[:n]); err != nil {
			return size, err
		}
		if n < len(p) {
			return size, nil
		}
	}
}
