package pack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// TarFile is a file of a pack in the order of its tar.
type TarFile struct {
	TarMember
	// File is the manifest's entry; nil for folders and for the transfer.xml at
	// the top.
	File *File
}

// tarOrder are the parts of a pack that come first in its tar: readers have
// seen what describes the rest before it comes.
var tarOrder = []string{TransferXML, SumsFile, ReadmeFile, ThumbnailsDir, AttachmentsDir}

// TarFiles lists what the tar of a pack holds: its transfer.xml and all files
// of its manifest, with the folders that they are in. size says how large the
// generated files are, and those whose size the manifest leaves out; it is asked
// in the order of the tar, the transfer.xml included.
//
// A file that is the same as one before it becomes a link to that.
func TarFiles(m *Manifest, size func(path string) (int64, error)) ([]TarFile, error) {
	files := make([]*File, len(m.Files))
	for i := range m.Files {
		files[i] = &m.Files[i]
	}
	slices.SortStableFunc(files, func(a, b *File) int { return cmp.Compare(tarRank(a.Path), tarRank(b.Path)) })
	n, err := size(TransferXML)
	if err != nil {
		return nil, err
	}
	all := []TarFile{{TarMember: TarMember{Path: TransferXML, Size: n}}}
	dirs, sizes := make(map[string]bool), map[string]int64{}
	for _, f := range files {
		all = appendDirs(all, dirs, f.Path)
		t := TarFile{TarMember: TarMember{Path: f.Path, Size: f.Size}, File: f}
		if t.Size < 0 || f.Kind == Generated {
			if t.Size, err = size(f.Path); err != nil {
				return nil, err
			}
		}
		if n, earlier := sizes[f.SameAs]; earlier {
			if n != t.Size {
				return nil, fmt.Errorf("%w: %q has %d bytes, %q, which is the same, %d", ErrInvalid, clip(f.Path), t.Size, clip(f.SameAs), n)
			}
			t.Link, t.Size = f.SameAs, 0
		} else {
			sizes[f.Path] = t.Size
		}
		all = append(all, t)
	}
	return all, nil
}

// tarRank is the place of a part of the pack among the others.
func tarRank(path string) int {
	top, _, _ := strings.Cut(path, "/")
	if i := slices.Index(tarOrder, top); i >= 0 {
		return i
	}
	return len(tarOrder)
}

// appendDirs adds the folders of a path that are not there yet.
func appendDirs(all []TarFile, seen map[string]bool, path string) []TarFile {
	for i := range len(path) {
		if path[i] == '/' && !seen[path[:i]] {
			seen[path[:i]] = true
			all = append(all, TarFile{TarMember: TarMember{Path: path[:i], Dir: true}})
		}
	}
	return all
}
