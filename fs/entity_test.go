package fs

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func TestEntitiesAreForgotten(t *testing.T) {
	mt := memtree.New()
	for i := range 100 {
		mt.WriteFile(fmt.Sprint(i), nil)
	}
	list, err := mt.Root().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entities := newEntities()
	var kept *entity
	for _, e := range list {
		a, err := e.Node.Attr(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if kept, err = entities.get(e.Node, a); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		entities.mu.Lock()
		defer entities.mu.Unlock()
		return len(entities.byIno)
	}
	if n := count(); n != 100 {
		t.Errorf("got %d, want 100", n)
	}
	for range 200 {
		runtime.GC()
		if count() == 1 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if n := count(); n != 1 {
		t.Errorf("got %d, want the one in use", n)
	}
	a := tree.Attr{Ino: kept.ino}
	again, err := entities.get(list[99].Node, a)
	if err != nil || again != kept {
		t.Errorf("got another entity for the same number: %v", err)
	}
	entities.remove(kept)
	again, err = entities.get(list[99].Node, a)
	if err != nil || again == kept || again.gen == kept.gen {
		t.Errorf("got the removed entity or its generation: %v", err)
	}
}

func TestEntityPaths(t *testing.T) {
	entities := newEntities()
	mt := memtree.New()
	dir := func(ino uint64) *entity {
		e, err := entities.get(mt.Root(), tree.Attr{Kind: tree.KindDir, Ino: ino})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	root := entities.root(mt.Root(), tree.Attr{Kind: tree.KindDir, Ino: 1})
	a, b := dir(2), dir(3)
	a.place(root, "a")
	b.place(a, "b ü")
	for e, want := range map[*entity]string{root: "", a: "a", b: "a/b ü"} {
		if got := e.path(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	a.place(b, "loop") // a view that contradicts itself
	if got := b.path(); got != "a/b ü" {
		t.Errorf("got %q", got)
	}
	b.place(root, "c")
	if got := b.child("d"); got != "c/d" {
		t.Errorf("got %q", got)
	}
	if got := root.child("d"); got != "d" {
		t.Errorf("got %q", got)
	}
}

func TestMountinfo(t *testing.T) {
	e, ok := parseMountinfo(`83 24 0:57 / /mnt/with\040blank\134 rw,nosuid shared:40 - fuse.omerods my\040server rw,user_id=0` + "\n")
	if want := (mountEntry{"0:57", `/mnt/with blank\`, "fuse.omerods", "my server"}); !ok || e != want {
		t.Errorf("got %+v", e)
	}
	for _, line := range []string{"", "83 24", "83 24 0:57 / /mnt rw - ", "a - b"} {
		if _, ok := parseMountinfo(line); ok {
			t.Errorf("%q was read", line)
		}
	}
}
