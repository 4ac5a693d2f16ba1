package fs

import (
	"strings"
	"time"

	"omerods/fs/tree"
)

// maxNameBytes is the longest name that programs expect to work.
const maxNameBytes = 255

// quietTimeout is how long the kernel may keep that a quiet name does not
// exist.
const quietTimeout = time.Minute

// quiet says whether file managers and volume monitors look for a name in
// every folder they see. A look-up of such a name is answered from memory:
// it does not exist unless a listing showed it or this mount made it.
func quiet(name string) bool {
	switch name {
	case ".hidden", ".directory", ".sh_thumbnails", "autorun.inf", ".xdg-volume-info":
		return true
	}
	return trash(name)
}

// trash says whether a folder of this name would be a trash can. None may be
// made: file managers then offer to delete for good.
func trash(name string) bool {
	return name == ".Trash" || strings.HasPrefix(name, ".Trash-")
}

func (e *entity) knows(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.known[name]
	return ok
}

// learn notes that a quiet name exists in the folder, or does no longer.
func (e *entity) learn(name string, there bool) {
	if !quiet(name) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !there {
		delete(e.known, name)
		return
	}
	if e.known == nil {
		e.known = make(map[string]struct{})
	}
	e.known[name] = struct{}{}
}

// checkNew judges the name of something to be made.
func checkNew(name string) error {
	if len(name) > maxNameBytes {
		return tree.Errorf(tree.ErrNameTooLong, "the name has %d bytes, at most %d work", len(name), maxNameBytes)
	}
	return nil
}
