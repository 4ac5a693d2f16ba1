package mount

import (
	"context"
	"strings"
	"time"

	"omerods/fs/tree"
)

// Numbers of the nodes that belong to no view. Those of the views are far
// above.
const (
	inoRoot = iota + 1
	inoControl
	inoFirstFile
)

// folder is a folder with a fixed set of children, which never changes while
// the mount lives.
type folder struct {
	ino      uint64
	mode     uint32
	uid, gid uint32
	made     time.Time
	children map[string]tree.Node
	order    []string
}

var _ tree.Dir = (*folder)(nil)

func (f *folder) add(name string, n tree.Node) {
	if f.children == nil {
		f.children = map[string]tree.Node{}
	}
	f.children[name] = n
	f.order = append(f.order, name)
}

// Attr implements tree.Node.
func (f *folder) Attr(context.Context) (tree.Attr, error) {
	return tree.Attr{Kind: tree.KindDir, Ino: f.ino, Mode: f.mode, UID: f.uid, GID: f.gid, Mtime: f.made}, nil
}

// Lookup implements tree.Dir.
func (f *folder) Lookup(_ context.Context, name string) (tree.Node, error) {
	if n, ok := f.children[name]; ok {
		return n, nil
	}
	return nil, tree.ErrNotFound
}

// List implements tree.Dir. The views' own attributes are asked for when
// somebody looks at them: a server that is away must not hide the other.
func (f *folder) List(ctx context.Context) ([]tree.Entry, error) {
	var out []tree.Entry
	for _, name := range f.order {
		n := f.children[name]
		kind := tree.KindFile
		if _, ok := n.(tree.Dir); ok {
			kind = tree.KindDir
		}
		a, err := n.Attr(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, tree.Entry{Name: name, Kind: kind, Ino: a.Ino, Node: n})
	}
	return out, nil
}

// Space implements tree.SpaceTeller: the mount itself has no room of its own.
func (f *folder) Space(context.Context) (tree.Space, error) { return tree.Space{}, nil }

// page is a small generated file: its content is made anew for each look.
type page struct {
	ino      uint64
	uid, gid uint32
	made     time.Time
	text     func(ctx context.Context) string
}

// question is a small file whose content costs a request: it is made when the
// file is opened, and its size is not known before, as in /proc.
type question struct {
	ino      uint64
	uid, gid uint32
	made     time.Time
	answer   func(ctx context.Context) (string, error)
}

var _ tree.File = (*question)(nil)

// Attr implements tree.Node.
func (q *question) Attr(context.Context) (tree.Attr, error) {
	return tree.Attr{Kind: tree.KindFile, Ino: q.ino, Mode: 0o444, UID: q.uid, GID: q.gid, Mtime: q.made, Valid: -1}, nil
}

// Open implements tree.File.
func (q *question) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, tree.ErrNotPermitted
	}
	text, err := q.answer(ctx)
	if err != nil {
		return nil, err
	}
	return pageHandle{strings.NewReader(text)}, nil
}

var _ tree.File = (*page)(nil)

// Attr implements tree.Node.
func (p *page) Attr(ctx context.Context) (tree.Attr, error) {
	return tree.Attr{
		Kind: tree.KindFile, Ino: p.ino, Mode: 0o444, UID: p.uid, GID: p.gid,
		Size: int64(len(p.text(ctx))), Mtime: p.made, Valid: -1,
	}, nil
}

// Open implements tree.File: a handle has the text of that moment.
func (p *page) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	if opts.Write {
		return nil, tree.ErrNotPermitted
	}
	return pageHandle{strings.NewReader(p.text(ctx))}, nil
}

type pageHandle struct{ text *strings.Reader }

var (
	_ tree.Handle = pageHandle{}
	_ tree.Cacher = pageHandle{}
)

// ReadAt implements tree.Handle.
func (h pageHandle) ReadAt(_ context.Context, b []byte, off int64) (int, error) {
	return h.text.ReadAt(b, off)
}

// Release implements tree.Handle.
func (h pageHandle) Release(context.Context) {}

// Cache implements tree.Cacher: the text may have grown since its size was
// asked for.
func (h pageHandle) Cache() tree.Cache { return tree.CacheNone }
