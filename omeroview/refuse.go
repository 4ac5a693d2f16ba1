package omeroview

import (
	"context"

	"omerods/fs/tree"
)

// addRefused says why nothing is made inside a live object. It is EPERM, not
// EEXIST, which would make programs that look for a free temporary name try
// for ever.
func addRefused(name string) error {
	return tree.Errorf(tree.ErrNotPermitted, "%s: nothing is added to what is live in OMERO", name).
		WithAdvice("copy the whole folder under another name: that makes a new object")
}

// Create refuses, see addRefused.
func (d *outerDir) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, addRefused(name)
}

// Mkdir refuses, see addRefused.
func (d *outerDir) Mkdir(_ context.Context, name string, _ uint32) (tree.Dir, error) {
	return nil, addRefused(name)
}

// Create refuses, see addRefused.
func (d *innerDir) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, addRefused(name)
}

// Mkdir refuses, see addRefused.
func (d *innerDir) Mkdir(_ context.Context, name string, _ uint32) (tree.Dir, error) {
	return nil, addRefused(name)
}

// Create refuses, see addRefused.
func (d *filesetDir) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, addRefused(name)
}

// Mkdir refuses, see addRefused.
func (d *filesetDir) Mkdir(_ context.Context, name string, _ uint32) (tree.Dir, error) {
	return nil, addRefused(name)
}

// Create refuses, see addRefused.
func (d *aliasDir) Create(_ context.Context, name string, _ tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	return nil, nil, addRefused(name)
}

// Mkdir refuses, see addRefused.
func (d *aliasDir) Mkdir(_ context.Context, name string, _ uint32) (tree.Dir, error) {
	return nil, addRefused(name)
}
