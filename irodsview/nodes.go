package irodsview

import (
	"container/list"
	"maps"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
)

// maxNodes bounds the table of nodes. A node that fell out of it gets another
// inode number when it is seen again.
const maxNodes = 200_000

// nodes is the table of what the kernel may know: a tree of names, so that a
// renamed folder takes everything below it along.
type nodes struct {
	mu    sync.Mutex // guards the fields below, and links of all nodes
	last  uint64     // inode number given last
	root  *node
	count int
	seen  *list.List // of *node; the one seen last is the first
}

// node is one name in the tree, and keeps what iRODS cannot store about it.
type node struct {
	table *nodes
	ino   uint64
	kind  tree.Kind

	// Links; the table's lock guards them. A node that was removed or
	// replaced keeps its parent, but is not its child.
	parent   *node
	name     string
	children map[string]*node
	element  *list.Element
	// gone says that the name was taken from the node, and is not its own even
	// if there is something of that name.
	gone bool

	mu sync.Mutex // guards the fields below; the innermost lock
	// draft is what programs are writing under this name.
	draft *draft
	// virtual marks a folder that exists only here, for one session.
	virtual *session
	overlay overlay
	// version counts changes of the content through this view.
	version uint64
}

// overlay are attributes that were set and cannot be stored, or not exactly.
type overlay struct {
	mode     *uint32
	uid, gid *uint32
	// mtime was set at timeSet; it holds while the catalogue's time, in
	// seconds, stays as it is.
	mtime, timeSet, atime time.Time
	catalogue             int64
	// changed is when a name came to the folder that the server does not know
	// of yet. Programs set a folder's time again where they see that it changed.
	changed time.Time
}

func newNodes(first uint64) *nodes {
	t := &nodes{last: first, seen: list.New()}
	t.root = &node{table: t, ino: first, kind: tree.KindDir}
	return t
}

// path returns the logical path, "/" for the root.
func (n *node) path() string {
	n.table.mu.Lock()
	defer n.table.mu.Unlock()
	return n.pathLocked()
}

func (n *node) pathLocked() string {
	if n.parent == nil {
		return "/"
	}
	var names []string
	for p := n; p.parent != nil; p = p.parent {
		names = append(names, p.name)
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(names[i])
	}
	return b.String()
}

// up returns the folder the node is or was in.
func (n *node) up() *node {
	n.table.mu.Lock()
	defer n.table.mu.Unlock()
	return n.parent
}

// attached tells whether the node is still the one of its name.
func (n *node) attached() bool {
	n.table.mu.Lock()
	defer n.table.mu.Unlock()
	return n.parent == nil || n.parent.children[n.name] == n
}

// stale is an error when the node has lost its name: what has that now is
// another file.
func (n *node) stale() error {
	n.table.mu.Lock()
	defer n.table.mu.Unlock()
	if n.gone {
		return tree.Errorf(tree.ErrStale, "%s has been removed or replaced", n.pathLocked())
	}
	return nil
}

// child returns the node of a name, or a new one when there is none of that
// kind.
func (t *nodes) child(parent *node, name string, kind tree.Kind) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := parent.children[name]; n != nil {
		if n.kind == kind {
			t.seen.MoveToFront(n.element)
			return n
		}
		t.detach(n)
	}
	return t.add(parent, name, kind)
}

// fresh returns a new node for a name, in the place of any other.
func (t *nodes) fresh(parent *node, name string, kind tree.Kind) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := parent.children[name]; n != nil {
		t.detach(n)
	}
	return t.add(parent, name, kind)
}

// peek returns the node of a name, nil when there is none.
func (t *nodes) peek(parent *node, name string) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return parent.children[name]
}

// list returns the children that there are nodes for, by name.
func (t *nodes) list(parent *node) map[string]*node {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(parent.children)
}

func (t *nodes) add(parent *node, name string, kind tree.Kind) *node {
	t.last++
	n := &node{table: t, ino: t.last, kind: kind, parent: parent, name: name}
	if parent.children == nil {
		parent.children = make(map[string]*node)
	}
	parent.children[name] = n
	n.element = t.seen.PushFront(n)
	t.count++
	if t.count > maxNodes {
		t.evict()
	}
	return n
}

// detach takes a node out of its place; whoever holds it can go on using it.
func (t *nodes) detach(n *node) {
	if n.parent.children[n.name] != n {
		return
	}
	delete(n.parent.children, n.name)
	n.gone = true
	t.forget(n)
}

// forget drops a node and those below it from the table's count.
func (t *nodes) forget(n *node) {
	for _, c := range n.children {
		t.forget(c)
	}
	if n.element != nil {
		t.seen.Remove(n.element)
		n.element = nil
		t.count--
	}
}

// remove takes the node of a removed name out.
func (t *nodes) remove(n *node) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.detach(n)
}

// evict drops nodes that have not been seen for long and are not needed.
func (t *nodes) evict() {
	e := t.seen.Back()
	for range 200 {
		if e == nil || t.count <= maxNodes {
			return
		}
		n := e.Value.(*node)
		e = e.Prev()
		n.mu.Lock()
		needed := n.draft != nil || n.virtual != nil
		n.mu.Unlock()
		if needed || len(n.children) > 0 {
			t.seen.MoveToFront(n.element)
			continue
		}
		t.detach(n)
		n.gone = false
	}
}

// move gives a node another name, in the place of any other node.
func (t *nodes) move(n, to *node, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := to.children[name]; old != nil && old != n {
		t.detach(old)
	}
	if n.parent.children[n.name] == n {
		delete(n.parent.children, n.name)
	}
	n.parent, n.name, n.gone = to, name, false
	if to.children == nil {
		to.children = make(map[string]*node)
	}
	to.children[name] = n
	if n.element == nil {
		n.element = t.seen.PushFront(n)
		t.count++
	}
}

// below tells whether n is p or below it.
func (n *node) below(p *node) bool {
	n.table.mu.Lock()
	defer n.table.mu.Unlock()
	for ; n != nil; n = n.parent {
		if n == p {
			return true
		}
	}
	return false
}

// at returns the node of a logical path, making folders on the way.
func (t *nodes) at(path string, kind tree.Kind) *node {
	n := t.root
	names := strings.Split(strings.Trim(path, "/"), "/")
	for i, name := range names {
		if name == "" {
			continue
		}
		k := tree.KindDir
		if i == len(names)-1 {
			k = kind
		}
		n = t.child(n, name, k)
	}
	return n
}
