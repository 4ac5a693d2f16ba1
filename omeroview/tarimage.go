package omeroview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// tarImage is the tar of one state of a pack: where each of its bytes comes
// from.
type tarImage struct {
	state   packState
	layout  *pack.TarLayout
	members []tarMember
	exports map[int64]*tarExport // by image
	asked   []int                // the members for which the server is asked whether it gives them
	made    string               // the file on disk that holds the generated files

	mu     sync.Mutex // guards the field below
	failed error      // why a member could not be read
}

// tarMember is a member of a tar and the source of its content.
type tarMember struct {
	Path string `json:"path"`
	Dir  bool   `json:"dir,omitempty"`
	Link string `json:"link,omitempty"`
	Size int64  `json:"size,omitempty"`

	// One of these is set for a file that has content.
	Made  bool  `json:"made,omitempty"`  // generated
	File  int64 `json:"file,omitempty"`  // an original file, or that of an annotation
	Image int64 `json:"image,omitempty"` // its pixels

	At int64 `json:"at,omitempty"` // of a generated file among all of them
	// Hash is that of the file of an annotation, which may be written anew in
	// place.
	Attached bool   `json:"attached,omitempty"`
	Hash     string `json:"hash,omitempty"`
	// First files stand for all of their fileset, or for themselves, when the
	// server is asked whether it gives them.
	First bool `json:"first,omitempty"`
}

// tarExport is an image without original files, as it was when the tar was
// laid out.
type tarExport struct {
	Image  omero.Image  `json:"image"`
	Pixels omero.Pixels `json:"pixels"`
}

// tarIndex is what is kept on disk of a tar, beside its generated files.
type tarIndex struct {
	Members []tarMember  `json:"members"`
	Exports []*tarExport `json:"exports,omitempty"`
}

// Names on disk of what is kept of the tar of a state.
const (
	tarIndexName = "tar.json"
	tarMadeName  = "tar.made" // the generated files, one after the other
)

// tar returns the tar of a pack as it is now.
func (a *account) tar(ctx context.Context, p packRef) (*tarImage, error) {
	for try := 1; ; try++ {
		s, err := a.state(ctx, p)
		if err != nil {
			return nil, err
		}
		t, err := rememberMade(ctx, a, tarKey+p.String()+"/"+s.name, func(ctx context.Context) (*tarImage, error) {
			t, err := readTar(s)
			if errors.Is(err, fs.ErrNotExist) {
				t, err = a.layTar(a.bind(ctx), p, s)
			}
			return t, err
		})
		if !errors.Is(err, errChanged) {
			return t, err
		}
		if try == buildTries {
			return nil, tree.Errorf(tree.ErrBusy, "the pack keeps changing while it is read").
				WithAdvice("try again when nobody changes it")
		}
		a.memo.clear()
	}
}

// readTar reads what is kept of the tar of a state.
func readTar(s packState) (*tarImage, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, s.name, tarIndexName))
	if err != nil {
		return nil, err
	}
	var index tarIndex
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("read %s: %w", tarIndexName, err)
	}
	t, err := newTarImage(s, index)
	if err != nil {
		return nil, err
	}
	var size int64
	for _, m := range index.Members {
		if m.Made {
			size = max(size, m.At+m.Size)
		}
	}
	if info, err := os.Stat(t.made); err != nil || info.Size() != size {
		return nil, fmt.Errorf("%s: %w", tarMadeName, fs.ErrNotExist)
	}
	return t, nil
}

func newTarImage(s packState, index tarIndex) (*tarImage, error) {
	t := &tarImage{state: s, members: index.Members, exports: make(map[int64]*tarExport),
		made: filepath.Join(s.dir, s.name, tarMadeName)}
	members := make([]pack.TarMember, len(index.Members))
	for i, m := range index.Members {
		members[i] = pack.TarMember{Path: m.Path, Dir: m.Dir, Link: m.Link, Size: m.Size}
		if m.First {
			t.asked = append(t.asked, i)
		}
		if m.Image != 0 && m.Size == 0 {
			t.fail(m.Path, tree.Errorf(tree.ErrNotSupported, "its pixels have no place in a TIFF"))
		}
	}
	for _, e := range index.Exports {
		t.exports[e.Image.ID] = e
	}
	var err error
	t.layout, err = pack.LayTar(members, s.mtime)
	return t, err
}

// fail notes that a member cannot be read, so that the tar is not opened again
// as long as it is remembered.
func (t *tarImage) fail(path string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = notWhole(path, err)
	}
}

func (t *tarImage) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// layTar makes everything that is generated for a pack and lays out its tar.
// It fails with errChanged when the pack is not in that state any more.
func (a *account) layTar(ctx context.Context, p packRef, s packState) (*tarImage, error) {
	top, err := a.transfer(ctx, p)
	if err != nil {
		return nil, err
	}
	if top.state.name != s.name {
		return nil, errChanged
	}
	f, err := os.Open(top.path)
	if err != nil {
		return nil, err
	}
	doc, m, err := pack.Decode(f, pack.Limits{})
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("%s of %s has no manifest", transferName, p)
	}
	l := &tarLayer{a: a, pack: p, doc: doc}
	var index tarIndex
	err = a.v.disk.writeFrom(s.dir, s.name, tarMadeName, func(w io.Writer) (err error) {
		index, err = l.lay(ctx, m, w)
		return err
	})
	if err != nil {
		return nil, err
	}
	// What was generated belongs together if nothing has changed by now.
	after, err := a.c.ChangeToken(ctx, p.kind, p.id, OwnNamespaces)
	if err != nil {
		return nil, err
	}
	if after.Hash != s.token {
		return nil, errChanged
	}
	data, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	if err := a.v.disk.write(s.dir, s.name, tarIndexName, data); err != nil {
		return nil, err
	}
	return newTarImage(s, index)
}

// generatedAt finds a generated file of a pack by its path.
func (a *account) generatedAt(ctx context.Context, dir node, p packRef, path string) (tree.File, error) {
	name, rest, deeper := strings.Cut(path, "/")
	n, err := lookupGenerated(ctx, a, dir, p, name)
	if err != nil {
		return nil, err
	}
	if n == nil && deeper {
		nested, err := a.nestedPacks(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, in := range nested {
			if in.name == name {
				return a.generatedAt(ctx, dir.child(string(in.ref.kind), in.ref.id), in.ref, rest)
			}
		}
	}
	for deeper {
		d, ok := n.(tree.Dir)
		if !ok {
			return nil, errChanged
		}
		name, rest, deeper = strings.Cut(rest, "/")
		if n, err = d.Lookup(ctx, name); err != nil {
			return nil, err
		}
	}
	if f, ok := n.(tree.File); ok {
		return f, nil
	}
	return nil, errChanged
}
