// Package memtree is a tree in memory with every ability of package tree, for
// tests: of whatever serves a tree, and of programs against a mount whose
// faults can be chosen. It counts calls and keeps their callers; hooks delay
// them, make them fail or stop them half-way.
//
// Methods of [Tree] act from outside, like a change by somebody else on a
// server; they run no hooks and are not counted.
package memtree

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
)

// The operations that hooks and counts name.
const (
	OpAttr        = "attr"
	OpSetAttr     = "setattr"
	OpAccess      = "access"
	OpSpace       = "space"
	OpLookup      = "lookup"
	OpList        = "list"
	OpCreate      = "create"
	OpMkdir       = "mkdir"
	OpUnlink      = "unlink"
	OpRmdir       = "rmdir"
	OpRename      = "rename"
	OpOpen        = "open"
	OpRead        = "read"
	OpWrite       = "write"
	OpFlush       = "flush"
	OpSync        = "sync"
	OpCopy        = "copy"
	OpRelease     = "release"
	OpGetxattr    = "getxattr"
	OpListxattr   = "listxattr"
	OpSetxattr    = "setxattr"
	OpRemovexattr = "removexattr"
)

// Tree is a tree in memory. Its zero value is not usable; see [New].
type Tree struct {
	// CopyStepBytes is the most that one CopyFrom copies; 0 has no bound.
	CopyStepBytes int64
	// Space is what every folder answers about its room.
	Space tree.Space

	mu      sync.Mutex // guards everything below and all nodes
	root    *node
	ino     uint64
	handles int
	hooks   []hook
	counts  map[string]int
	callers map[string][]tree.Caller
}

type hook struct {
	op, pattern string
	run         func(ctx context.Context) error
}

// node is a file or folder; the tree's lock guards its fields.
type node struct {
	t      *Tree
	parent *node // nil for the root and for what was removed
	name   string
	attr   tree.Attr
	data   []byte
	xattrs map[string][]byte
	hidden bool // listed without its attributes
	cache  tree.Cache

	names    []string // in the order they were made
	children map[string]*node
}

// New returns an empty tree.
func New() *Tree {
	t := &Tree{
		Space:   tree.Space{TotalBytes: 1 << 40, FreeBytes: 1 << 39, Files: 1 << 20, FreeFiles: 1 << 19},
		counts:  make(map[string]int),
		callers: make(map[string][]tree.Caller),
	}
	t.root = t.newNode(tree.KindDir, 0o755, tree.Caller{})
	return t
}

// Root returns the tree's root.
func (t *Tree) Root() tree.Dir { return &dir{t.root} }

func (t *Tree) newNode(kind tree.Kind, mode uint32, c tree.Caller) *node {
	t.ino++
	now := time.Now()
	n := &node{t: t, attr: tree.Attr{
		Kind: kind, Ino: t.ino, Mode: mode, UID: c.UID, GID: c.GID, Mtime: now, Atime: now, Ctime: now,
	}}
	if kind == tree.KindDir {
		n.children = make(map[string]*node)
	}
	return n
}

// path is the node's path from the root; it needs the lock.
func (n *node) path() string {
	var parts []string
	for p := n; p.parent != nil; p = p.parent {
		parts = append(parts, p.name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

func (n *node) add(name string, child *node) {
	if _, ok := n.children[name]; !ok {
		n.names = append(n.names, name)
	}
	n.children[name] = child
	child.parent, child.name = n, name
	n.attr.Mtime = time.Now()
}

func (n *node) drop(name string) {
	child := n.children[name]
	delete(n.children, name)
	n.names = slices.DeleteFunc(n.names, func(s string) bool { return s == name })
	child.parent = nil
	n.attr.Mtime = time.Now()
}

// Hook runs f before each operation of that kind on a path that matches the
// pattern (see [path.Match]; "*" alone matches every path); its error is the
// operation's. Later hooks run first.
func (t *Tree) Hook(op, pattern string, f func(ctx context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hooks = append([]hook{{op, pattern, f}}, t.hooks...)
}

// Fail makes the operation fail; a nil error takes the fault away.
func (t *Tree) Fail(op, pattern string, err error) {
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.hooks = slices.DeleteFunc(t.hooks, func(h hook) bool { return h.op == op && h.pattern == pattern })
		return
	}
	t.Hook(op, pattern, func(context.Context) error { return err })
}

// Delay makes the operation wait, or end with the context's error.
func (t *Tree) Delay(op, pattern string, d time.Duration) {
	t.Hook(op, pattern, func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// Block makes the operation wait until its context is done or release is
// called. entered receives a value for each operation that waits.
func (t *Tree) Block(op, pattern string) (entered <-chan struct{}, release func()) {
	in, out := make(chan struct{}, 64), make(chan struct{})
	t.Hook(op, pattern, func(ctx context.Context) error {
		select {
		case in <- struct{}{}:
		default:
		}
		select {
		case <-out:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return in, sync.OnceFunc(func() { close(out) })
}

// enter counts an operation and runs the hooks for it.
func (t *Tree) enter(ctx context.Context, op string, n *node, name string) error {
	t.mu.Lock()
	t.counts[op]++
	if c, ok := tree.CallerFrom(ctx); ok && len(t.callers[op]) < 10000 {
		t.callers[op] = append(t.callers[op], c)
	}
	if len(t.hooks) == 0 {
		t.mu.Unlock()
		return nil
	}
	p := n.path()
	if name != "" {
		p = path.Join(p, name)
	}
	var run []func(context.Context) error
	for _, h := range t.hooks {
		if h.op != op {
			continue
		}
		if ok, err := path.Match(h.pattern, p); h.pattern == "*" || ok && err == nil {
			run = append(run, h.run)
		}
	}
	t.mu.Unlock()
	for _, f := range run {
		if err := f(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Count returns how often an operation was called.
func (t *Tree) Count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[op]
}

// ResetCounts sets all counts to zero and forgets the callers.
func (t *Tree) ResetCounts() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.counts)
	clear(t.callers)
}

// Callers returns who called an operation, oldest first.
func (t *Tree) Callers(op string) []tree.Caller {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.callers[op])
}

// OpenHandles returns how many handles were not released.
func (t *Tree) OpenHandles() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handles
}

// find walks to a path; it needs the lock.
func (t *Tree) find(p string) (*node, error) {
	n := t.root
	for _, part := range strings.Split(p, "/") {
		if part == "" {
			continue
		}
		child, ok := n.children[part]
		if !ok {
			return nil, fmt.Errorf("memtree: %s: %w", p, tree.ErrNotFound)
		}
		n = child
	}
	return n, nil
}
