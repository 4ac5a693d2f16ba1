package fs

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"weak"

	"omerods/fs/tree"
)

// entity is one node as the kernel knows it: an inode number in one
// incarnation. It outlives the tree's nodes: each answer of a view may bring a
// new tree.Node for the same number, and the newest serves.
//
// An entity lives for as long as an inode or a handle refers to it, so that
// nothing has to be told when the kernel forgets.
type entity struct {
	ino, gen uint64
	kind     tree.Kind

	links *sync.RWMutex // the mount's; guards parent and name of all entities
	// parent and name are where the entity was last seen; parent is nil for
	// the root.
	parent *entity
	name   string

	mu   sync.Mutex // guards the fields below
	node tree.Node
	last tree.Attr // what the kernel was told last
	gone bool      // removed through this mount
	// changes counts what was made, removed or renamed in this folder.
	changes uint64
	// known are the names a mount answers from memory (see quiet) that do
	// exist in this folder.
	known map[string]struct{}
}

// path returns where the entity is, or was before it was removed, relative to
// the root.
func (e *entity) path() string {
	e.links.RLock()
	defer e.links.RUnlock()
	n := 0
	for p := e; p.parent != nil; p = p.parent {
		n += len(p.name) + 1
	}
	if n == 0 {
		return ""
	}
	buf := make([]byte, n-1)
	for p := e; p.parent != nil; p = p.parent {
		n -= len(p.name) + 1
		copy(buf[n:], p.name)
		if n > 0 {
			buf[n-1] = '/'
		}
	}
	return string(buf)
}

// child returns the path of a name in the folder.
func (e *entity) child(name string) string {
	if p := e.path(); p != "" {
		return p + "/" + name
	}
	return name
}

// place notes where the entity was seen.
func (e *entity) place(parent *entity, name string) {
	e.links.RLock()
	same := e.parent == parent && e.name == name
	e.links.RUnlock()
	if same {
		return
	}
	e.links.Lock()
	defer e.links.Unlock()
	for p := parent; p != nil; p = p.parent {
		if p == e {
			return // a view that puts a folder below itself; keep path finite
		}
	}
	e.parent, e.name = parent, name
}

// up returns the folder the entity was last seen in, nil for the root.
func (e *entity) up() *entity {
	e.links.RLock()
	defer e.links.RUnlock()
	return e.parent
}

// tree returns the newest node.
func (e *entity) tree() tree.Node {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.node
}

func (e *entity) isGone() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.gone
}

// version tells whether the folder changed through this mount since another
// call.
func (e *entity) version() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changes
}

// changed notes that a name came to the folder or went. It is called when
// the tree has done it, so that whoever lists before sees another version.
func (e *entity) changed(name string, there bool) {
	e.mu.Lock()
	e.changes++
	e.mu.Unlock()
	e.learn(name, there)
}

// told returns the attributes the kernel was told last.
func (e *entity) told() tree.Attr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

func (e *entity) tell(a tree.Attr) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = a
}

// wrote notes that the file reaches at least to end; the kernel adds that to
// its own idea of the size.
func (e *entity) wrote(end int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last.Size = max(e.last.Size, end)
}

// entities are all live entities of a mount by inode number.
type entities struct {
	links sync.RWMutex

	mu    sync.Mutex // guards the fields below
	byIno map[entityKey]weak.Pointer[entity]
	gen   uint64
}

type entityKey struct {
	ino  uint64
	kind tree.Kind
}

func newEntities() *entities {
	return &entities{byIno: make(map[entityKey]weak.Pointer[entity])}
}

// root makes the entity of the mount's root.
func (t *entities) root(n tree.Node, a tree.Attr) *entity {
	return &entity{ino: a.Ino, kind: a.Kind, links: &t.links, node: n, last: a}
}

// get returns the entity of a node's inode number, with the node as its
// newest. A number whose entity was removed through the mount gets a new one
// with another generation, so that the kernel never takes a new file for an
// old one that is still open.
func (t *entities) get(n tree.Node, a tree.Attr) (*entity, error) {
	if err := checkNode(n, a); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := entityKey{a.Ino, a.Kind}
	if e := t.byIno[key].Value(); e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.gone {
			e.node = n
			return e, nil
		}
	}
	return t.make(key, n, a), nil
}

// fresh returns a new entity for a file or folder that was just made.
func (t *entities) fresh(n tree.Node, a tree.Attr) (*entity, error) {
	if err := checkNode(n, a); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.make(entityKey{a.Ino, a.Kind}, n, a), nil
}

// make registers a new entity; it needs the lock.
func (t *entities) make(key entityKey, n tree.Node, a tree.Attr) *entity {
	t.gen++
	e := &entity{ino: key.ino, gen: t.gen, kind: key.kind, links: &t.links, node: n, last: a}
	w := weak.Make(e)
	t.byIno[key] = w
	runtime.AddCleanup(e, func(key entityKey) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.byIno[key] == w {
			delete(t.byIno, key)
		}
	}, key)
	return e
}

// remove notes that an entity was removed through the mount.
func (t *entities) remove(e *entity) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone = true
}

// checkNode refuses what would confuse the kernel; both are faults of a view.
func checkNode(n tree.Node, a tree.Attr) error {
	if a.Ino == 0 || a.Ino == math.MaxUint64 {
		return fmt.Errorf("inode number %d is reserved", a.Ino)
	}
	ok := false
	switch a.Kind {
	case tree.KindDir:
		_, ok = n.(tree.Dir)
	case tree.KindFile:
		_, ok = n.(tree.File)
	}
	if !ok {
		return fmt.Errorf("node of type %T is not of its kind %d", n, a.Kind)
	}
	return nil
}
