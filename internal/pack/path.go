package pack

import (
	"fmt"
	"path"
	"strings"
)

// mockFolder ends the path record of images whose fileset has several files:
// readers import the folder before it.
const mockFolder = "mock_folder"

// CheckPath reports why a path cannot be one of a pack: it must be relative
// and clean, with slashes, without "..", in UTF-8 and without control
// characters. The error is an ErrUnsafePath.
func CheckPath(p string) error {
	switch {
	case p == "" || p == ".":
		return fmt.Errorf("%w: empty", ErrUnsafePath)
	case strings.HasPrefix(p, "/"):
		return fmt.Errorf("%w %q: not relative", ErrUnsafePath, clip(p))
	case p == ".." || strings.HasPrefix(p, "../") || path.Clean(p) != p:
		return fmt.Errorf("%w %q: not clean", ErrUnsafePath, clip(p))
	case strings.ContainsRune(p, '\\'):
		return fmt.Errorf("%w %q: backslash", ErrUnsafePath, clip(p))
	case !clean(p) || strings.ContainsAny(p, "\t\r\n\x7f"):
		return fmt.Errorf("%w %q: control character or no UTF-8", ErrUnsafePath, clip(p))
	}
	return nil
}

// AttachmentPath is the place of the file of a file annotation in a pack. The
// name must be a safe file name already.
func AttachmentPath(annotation ID, name string) string {
	return path.Join(AttachmentsDir, annotation.Key(), name)
}

// recordPath is what the path records of a fileset's images say.
func (f *Fileset) recordPath() string {
	if len(f.Entries) == 1 {
		return f.Entries[0].Path
	}
	return f.Folder + "/" + mockFolder
}

// within reports whether a path lies below a folder.
func within(p, folder string) bool {
	return folder == "" || strings.HasPrefix(p, folder+"/")
}
