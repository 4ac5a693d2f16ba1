// Package omeroview shows an OMERO server as a tree of folders: groups, users,
// projects, datasets, and the original files of the images in them. A project
// or dataset is a pack: its folder also holds a transfer.xml that describes
// everything in it.
//
// The package knows no FUSE; it implements the interfaces of package tree.
package omeroview
