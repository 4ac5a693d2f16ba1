package memtree

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"time"

	"omerods/fs/tree"
)

// MkdirAll makes a folder and those above it. It panics if a file is in the
// way: the tree is the test's own.
func (t *Tree) MkdirAll(p string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mkdirAll(p)
}

func (t *Tree) mkdirAll(p string) *node {
	n := t.root
	for _, part := range strings.Split(p, "/") {
		if part == "" || part == "." {
			continue
		}
		child, ok := n.children[part]
		if !ok {
			child = t.newNode(tree.KindDir, 0o755, tree.Caller{})
			n.add(part, child)
		}
		if child.attr.Kind != tree.KindDir {
			panic("memtree: not a folder: " + p)
		}
		n = child
	}
	return n
}

// WriteFile makes or replaces a file with this content, and its folders.
func (t *Tree) WriteFile(p string, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	parent := t.mkdirAll(path.Dir(p))
	n, ok := parent.children[path.Base(p)]
	if !ok {
		n = t.newNode(tree.KindFile, 0o644, tree.Caller{})
		parent.add(path.Base(p), n)
	}
	n.data = bytes.Clone(data)
	n.attr.Mtime = time.Now()
}

// ReadFile returns a file's content.
func (t *Tree) ReadFile(p string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find(p)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(n.data), nil
}

// Stat returns a node's attributes.
func (t *Tree) Stat(p string) (tree.Attr, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find(p)
	if err != nil {
		return tree.Attr{}, err
	}
	return n.now(), nil
}

// Names returns the names in a folder in their order, nil if there is none.
func (t *Tree) Names(p string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find(p)
	if err != nil {
		return nil
	}
	return slices.Clone(n.names)
}

// Remove removes a file or a folder with all below it.
func (t *Tree) Remove(p string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, err := t.find(p); err == nil && n.parent != nil {
		n.parent.drop(n.name)
	}
}

// Change lets the test change a node's attributes; it does nothing if there
// is none. The size is that of the content.
func (t *Tree) Change(p string, f func(*tree.Attr)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, err := t.find(p); err == nil {
		f(&n.attr)
	}
}

// Hide lists a node without its attributes, as a view does whose answer is
// dear.
func (t *Tree) Hide(p string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, err := t.find(p); err == nil {
		n.hidden = true
	}
}

// SetCache chooses how the kernel caches a file.
func (t *Tree) SetCache(p string, c tree.Cache) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, err := t.find(p); err == nil {
		n.cache = c
	}
}

// SetXattr sets an extended attribute.
func (t *Tree) SetXattr(p, name string, value []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, err := t.find(p); err == nil {
		n.setXattr(name, value)
	}
}

// Xattr returns an extended attribute, nil if there is none.
func (t *Tree) Xattr(p, name string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.find(p)
	if err != nil {
		return nil
	}
	return bytes.Clone(n.xattrs[name])
}
