package omeroview

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// buildTries is how often a pack is read anew because it changed meanwhile.
const buildTries = 3

func readGenerated(s packState, name string) (generated, error) {
	path := filepath.Join(s.dir, s.name, name)
	f, err := os.Open(path)
	if err != nil {
		return generated{}, err
	}
	h := sha1.New()
	n, err := io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return generated{}, treeError("read a generated file", err)
	}
	return generated{path: path, size: n, sha1: hex.EncodeToString(h.Sum(nil)), state: s}, nil
}

// transfer returns the transfer.xml of a pack.
func (a *account) transfer(ctx context.Context, p packRef) (generated, error) {
	s, err := a.state(ctx, p)
	if err != nil {
		return generated{}, err
	}
	return rememberMade(ctx, a, "transfer/"+p.String()+"/"+s.name, func(ctx context.Context) (generated, error) {
		return a.buildTransfer(ctx, p, s)
	})
}

// buildTransfer writes the transfer.xml of a state, or of the later one that
// the pack is in when it changes meanwhile.
func (a *account) buildTransfer(ctx context.Context, p packRef, s packState) (generated, error) {
	for try := 1; ; try++ {
		g, err := a.file(s, transferName, func(w io.Writer) error { return a.writeTransfer(ctx, w, p, s) })
		if !errors.Is(err, errChanged) {
			return g, err
		}
		if try == buildTries {
			return generated{}, tree.Errorf(tree.ErrBusy, "the pack keeps changing while it is read").
				WithAdvice("try again when nobody changes it")
		}
		a.memo.clear()
		if s, err = a.state(ctx, p); err != nil {
			return generated{}, err
		}
	}
}

// writeTransfer writes the transfer.xml of a state, and keeps what is made of
// the same document: to read that again takes long, and much memory.
func (a *account) writeTransfer(ctx context.Context, w io.Writer, p packRef, s packState) error {
	doc, m, err := a.document(ctx, p, s.extent)
	if err != nil {
		return treeError("describe the pack", err)
	}
	after, err := a.c.ChangeToken(ctx, p.kind, p.id, OwnNamespaces)
	if err != nil {
		return treeError("look for changes", err)
	}
	if after.Hash != s.token {
		return errChanged
	}
	doc.Packed = s.mtime
	if err := a.keepReadme(s, doc, m); err != nil {
		return err
	}
	err = a.v.disk.writeFrom(s.dir, s.name, fileSumsName, func(w io.Writer) error { return pack.WriteSums(w, m) })
	if err != nil {
		return treeError("keep a generated file", err)
	}
	return treeError("describe the pack", pack.Encode(w, doc, m))
}

// fileSumsName is, on disk, the part of SHA1SUMS that tells of the files of the
// manifest.
const fileSumsName = "sums-of-files"

// errChanged says that a pack changed while it was read.
var errChanged = errors.New("changed meanwhile")

// sums returns the SHA1SUMS of a pack.
func (a *account) sums(ctx context.Context, p packRef) (generated, error) {
	top, err := a.transfer(ctx, p)
	if err != nil {
		return generated{}, err
	}
	given := []pack.Sum{{Path: transferName, SHA1: top.sha1}}
	nested, err := a.nestedPacks(ctx, p)
	if err != nil {
		return generated{}, err
	}
	key := sha1.New()
	for _, n := range nested {
		g, err := a.transfer(ctx, n.ref)
		if err != nil {
			return generated{}, err
		}
		given = append(given, pack.Sum{Path: n.name + "/" + transferName, SHA1: g.sha1})
		fmt.Fprintf(key, "%s/%s\n", n.name, g.sha1)
	}
	// A nested pack may be in a later state than the one around it.
	name := sumsName + "-" + hex.EncodeToString(key.Sum(nil)[:8])
	return rememberMade(ctx, a, "sums/"+p.String()+"/"+top.state.name+"/"+name, func(context.Context) (generated, error) {
		files, err := a.file(top.state, fileSumsName, func(w io.Writer) error {
			_, m, err := readTransfer(top.path)
			if err != nil {
				return err
			}
			return treeError("list sums", pack.WriteSums(w, m))
		})
		if err != nil {
			return generated{}, err
		}
		return a.file(top.state, name, func(w io.Writer) error { return writeSums(w, files.path, given) })
	})
}

// readTransfer reads a transfer.xml that was kept.
func readTransfer(path string) (*pack.Document, *pack.Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, treeError("read a generated file", err)
	}
	doc, m, err := pack.Decode(f, pack.Limits{})
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, treeError("read a generated file", err)
	}
	return doc, m, nil
}

// writeSums writes the sums that are given, and behind them those of the
// files.
func writeSums(w io.Writer, files string, given []pack.Sum) error {
	if err := pack.WriteSums(w, nil, given...); err != nil {
		return treeError("list sums", err)
	}
	f, err := os.Open(files)
	if err != nil {
		return treeError("read a generated file", err)
	}
	_, err = io.Copy(w, f)
	return treeError("list sums", errors.Join(err, f.Close()))
}

// packFile is a generated file of a pack.
type packFile struct {
	node
	pack packRef
	name string
}

var _ tree.File = (*packFile)(nil)

func (f *packFile) number() uint64 {
	if f.name == transferName {
		return f.firstIno()
	}
	return f.ino()
}

// build makes the file unless it is there.
func (f *packFile) build(ctx context.Context) (generated, error) {
	a, err := f.account(ctx)
	if err != nil {
		return generated{}, err
	}
	build := a.transfer
	switch f.name {
	case sumsName:
		build = a.sums
	case readmeName:
		build = a.readme
	}
	g, err := build(ctx, f.pack)
	return g, treeError("make "+f.name, err)
}

// Attr builds the file: nothing else tells its size.
func (f *packFile) Attr(ctx context.Context) (tree.Attr, error) {
	g, err := f.build(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.fileAttr(f.number(), g.size, g.state.mtime), nil
}

// Open returns a handle that shows one state of the file until it is released.
func (f *packFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	return openKept(ctx, opts, f.build)
}

// openKept opens a generated file, which is made when it is not there.
func openKept(ctx context.Context, opts tree.OpenOptions, build func(context.Context) (generated, error)) (tree.Handle, error) {
	if opts.Write {
		return nil, readOnly()
	}
	g, err := build(ctx)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(g.path)
	if err != nil {
		return nil, treeError("open a generated file", err)
	}
	return &diskHandle{f: file}, nil
}

// diskHandle reads a file of the cache.
type diskHandle struct{ f *os.File }

func (h *diskHandle) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	n, err := h.f.ReadAt(p, off)
	return n, readError(err)
}

// Release closes a file that was only read.
func (h *diskHandle) Release(context.Context) { _ = h.f.Close() }

// lookupGenerated finds what a pack needs itself; nil, nil for other names.
func lookupGenerated(ctx context.Context, a *account, dir node, p packRef, name string) (tree.Node, error) {
	switch name {
	case transferName, sumsName, readmeName:
		return generatedNode(dir, p, name), nil
	case thumbnailsName:
		some, err := a.hasPictures(ctx, p)
		if err == nil && !some {
			err = noSuch(name)
		}
		if err != nil {
			return nil, err
		}
		return thumbnailsNode(dir, p), nil
	case attachmentsName:
		list, err := a.attachments(ctx, p)
		if err != nil {
			return nil, err
		}
		if len(list.files) == 0 {
			return nil, noSuch(name)
		}
		return attachmentsNode(dir, p), nil
	}
	return nil, nil
}

func generatedNode(dir node, p packRef, name string) *packFile {
	n := dir
	n.key += "/" + name
	return &packFile{node: n, pack: p, name: name}
}

// listGenerated lists what a pack needs itself, transfer.xml first. The files
// come without attributes: only who asks for them has them built.
func listGenerated(ctx context.Context, a *account, dir node, p packRef) ([]tree.Entry, error) {
	var entries []tree.Entry
	for _, name := range []string{transferName, sumsName, readmeName} {
		f := generatedNode(dir, p, name)
		entries = append(entries, tree.Entry{Name: name, Kind: tree.KindFile, Ino: f.number()})
	}
	some, err := a.hasPictures(ctx, p)
	if err != nil {
		return nil, err
	}
	if some {
		d := thumbnailsNode(dir, p)
		entries = append(entries, tree.Entry{Name: thumbnailsName, Kind: tree.KindDir, Ino: d.ino(), Node: d})
	}
	list, err := a.attachments(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(list.files) > 0 {
		d := attachmentsNode(dir, p)
		entries = append(entries, tree.Entry{Name: attachmentsName, Kind: tree.KindDir, Ino: d.ino(), Node: d})
	}
	return entries, nil
}
