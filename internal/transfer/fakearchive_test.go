package transfer

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"

	"omerods/fs/tree"
)

// fakeArchive is an archive in memory.
type fakeArchive struct {
	mu    sync.Mutex
	files map[string][]byte
	avus  map[string][]AVU
	dead  map[string]bool
	fail  func(op, path string) error
}

func newFakeArchive() *fakeArchive {
	return &fakeArchive{files: map[string][]byte{}, avus: map[string][]AVU{}, fail: func(string, string) error { return nil }}
}

func (a *fakeArchive) CollectionAVUs(_ context.Context, colls []string, prefix string) (map[string][]AVU, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string][]AVU{}
	for _, c := range colls {
		for _, v := range a.avus[c] {
			if strings.HasPrefix(v.Name, prefix) {
				out[c] = append(out[c], v)
			}
		}
	}
	return out, nil
}

func (a *fakeArchive) ChangeAVUs(_ context.Context, p string, remove, add []AVU) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.fail("avus", p); err != nil {
		return err
	}
	for _, r := range remove {
		if !slices.Contains(a.avus[p], r) {
			return fmt.Errorf("no %v on %s", r, p)
		}
		a.avus[p] = slices.DeleteFunc(a.avus[p], func(v AVU) bool { return v == r })
	}
	for _, n := range add {
		if slices.Contains(a.avus[p], n) || n.Name == "" || n.Value == "" {
			return fmt.Errorf("refused %v on %s", n, p)
		}
		a.avus[p] = append(a.avus[p], n)
	}
	return nil
}

func (a *fakeArchive) AVUs(_ context.Context, p string) ([]AVU, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.avus[p]), nil
}

func (a *fakeArchive) Stat(_ context.Context, p string) (ObjectInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.files[p]
	if !ok {
		return ObjectInfo{}, tree.ErrNotFound
	}
	sum := sha256.Sum256(b)
	return ObjectInfo{Size: int64(len(b)), SHA256: sum[:]}, nil
}

func (a *fakeArchive) Open(_ context.Context, p string) (tree.Handle, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.files[p]
	if !ok {
		return nil, tree.ErrNotFound
	}
	return bytesHandle{bytes.NewReader(b)}, nil
}

func (a *fakeArchive) Below(_ context.Context, coll string) (map[string]ObjectInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]ObjectInfo{}
	for p, b := range a.files {
		if strings.HasPrefix(p, coll+"/") {
			sum := sha256.Sum256(b)
			out[p] = ObjectInfo{Size: int64(len(b)), SHA256: sum[:]}
		}
	}
	return out, nil
}

func (a *fakeArchive) AVUsBelow(_ context.Context, coll, prefix string) (map[string][]AVU, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string][]AVU{}
	for p, avus := range a.avus {
		for _, v := range avus {
			if _, file := a.files[p]; file && strings.HasPrefix(p, coll+"/") && strings.HasPrefix(v.Name, prefix) {
				out[p] = append(out[p], v)
			}
		}
	}
	return out, nil
}

func (a *fakeArchive) Marked(_ context.Context, name, value string) (colls, objects []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p, avus := range a.avus {
		if !slices.ContainsFunc(avus, func(v AVU) bool { return v.Name == name && v.Value == value }) {
			continue
		}
		if _, file := a.files[p]; file {
			objects = append(objects, p)
		} else {
			colls = append(colls, p)
		}
	}
	return colls, objects, nil
}

func (a *fakeArchive) Instance() string { return "this" }

func (a *fakeArchive) Dead(instance string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dead[instance]
}

func (a *fakeArchive) Name(_ context.Context, p string) string { return "irods://fake" + p }

// value returns the value of one metadata name.
func (a *fakeArchive) value(p, name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range a.avus[p] {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

type bytesHandle struct{ *bytes.Reader }

func (h bytesHandle) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return h.Reader.ReadAt(p, off)
}
func (h bytesHandle) Release(context.Context) {}

// put writes a file as the archive's view does.
func (a *fakeArchive) put(ctx context.Context, g Guard, p string, content []byte) error {
	if err := g.BeforeCreate(ctx, p); err != nil {
		return err
	}
	s1, s2 := sha1.Sum(content), sha256.Sum256(content)
	w := Written{Path: p, Size: int64(len(content)), SHA1: s1[:], SHA256: s2[:]}
	sums := NewSums()
	_, _ = sums.Write(content)
	w.Tar, w.Open = sums.Tar(), func(context.Context) (tree.Handle, error) { return bytesHandle{bytes.NewReader(content)}, nil }
	a.mu.Lock()
	_, w.Replaces = a.files[p]
	a.mu.Unlock()
	if w.Replaces {
		if err := g.BeforeWrite(ctx, p); err != nil {
			return err
		}
	}
	avus, err := g.BeforePublish(ctx, w)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.files[p] = content
	a.avus[p] = append(a.avus[p], avus...)
	a.mu.Unlock()
	return g.Published(ctx, w)
}
