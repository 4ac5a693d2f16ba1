package transfer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// readTar reads the members of a tar until its end mark. Package tar bounds
// what a header may be; what it unfolds or leads elsewhere is refused here.
func (a *StagedTar) readTar(r io.Reader) error {
	u := newUnpacker(a)
	defer u.close()
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		switch {
		case errors.Is(err, io.EOF):
			a.reading("")
			return nil
		case err != nil:
			return a.after(tarError(err))
		}
		m, skip, err := tarMember(h)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		m.content = in
		if err := u.member(m); err != nil {
			return tarError(err)
		}
	}
}

// after says behind which member something is wrong.
func (a *StagedTar) after(err error) error {
	a.load.mu.Lock()
	at := a.at
	a.load.mu.Unlock()
	if at == "" || err == nil {
		return err
	}
	return within("after "+quote(at), err)
}

// tarError says of an error of package tar what it means to a person.
func tarError(err error) error {
	var told *tree.Error
	switch {
	case err == nil, errors.As(err, &told), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, tar.ErrFieldTooLong):
		return tree.Errorf(tree.ErrInvalid, "a header of the tar is too long: %w", err)
	}
	return tree.Errorf(tree.ErrInvalid, "neither a tar nor a zip, or a damaged tar: %w", err).WithAdvice("check it with omerods check, and copy it again")
}

// tarMember tells what a header announces.
func tarMember(h *tar.Header) (m member, skip bool, err error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		for key := range h.PAXRecords {
			if key == "path" || key == "linkpath" || key == "size" || strings.HasPrefix(key, "GNU.") {
				return m, false, tree.Errorf(tree.ErrInvalid, "a global header of the tar sets %s of all members, which is not supported", quote(key))
			}
		}
		return m, true, nil
	}
	m.size = h.Size
	if m.path, err = memberPath(h.Name, h.Typeflag == tar.TypeDir); err != nil {
		return m, false, err
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			h.Typeflag = tar.TypeGNUSparse
		}
	}
	what := ""
	switch h.Typeflag {
	case tar.TypeReg, '\x00':
	case tar.TypeDir:
		m.kind = folderMember
		return m, m.path == "", nil
	case tar.TypeLink:
		m.kind = linkMember
		if m.link, err = memberPath(h.Linkname, false); err != nil {
			return m, false, within("the target of the link "+quote(m.path), err)
		}
	case tar.TypeSymlink:
		what = "a symbolic link"
	case tar.TypeChar, tar.TypeBlock:
		what = "a device"
	case tar.TypeFifo:
		what = "a pipe"
	case tar.TypeGNUSparse:
		what = "a sparse file"
	default:
		what = fmt.Sprintf("of the unknown type %q", h.Typeflag)
	}
	if what != "" {
		return m, false, tree.Errorf(tree.ErrInvalid, "member %s is %s, which no pack has", quote(m.path), what).
			WithAdvice("make the tar anew from the files themselves (tar --dereference --hard-dereference)")
	}
	if m.path == "" {
		return m, false, tree.Errorf(tree.ErrInvalid, "a file without a name in the archive")
	}
	return m, false, nil
}

// Limits of the names of members.
const (
	maxMemberPath = 4096
	maxMemberName = 255
)

// memberPath is the path in the pack that the name of a member means: with or
// without "./" before it, and with a slash behind it for a folder. The top
// itself is "".
func memberPath(name string, folder bool) (string, error) {
	p := name
	for strings.HasPrefix(p, "./") {
		p = strings.TrimLeft(p[2:], "/")
	}
	if folder {
		p = strings.TrimSuffix(p, "/")
		if p == "" || p == "." {
			return "", nil
		}
	}
	if len(p) > maxMemberPath {
		return "", tree.Errorf(tree.ErrInvalid, "the name of a member has %d bytes, more than %d: %s", len(p), maxMemberPath, quote(p))
	}
	if err := pack.CheckPath(p); err != nil {
		return "", tree.Errorf(tree.ErrInvalid, "member %s: %w", quote(name), err).WithAdvice("this archive is no pack, or somebody has meddled with it")
	}
	for part := range strings.SplitSeq(p, "/") {
		if len(part) > maxMemberName {
			return "", tree.Errorf(tree.ErrInvalid, "a name in the path of a member is longer than %d bytes: %s", maxMemberName, quote(p))
		}
	}
	return path.Clean(p), nil
}

// quote writes a name of strangers into a message.
func quote(name string) string { return fmt.Sprintf("%q", clip(name, 300)) }
