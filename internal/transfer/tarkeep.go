package transfer

import (
	"bytes"
	"io"

	"omerods/fs/tree"
)

// unlisted decides about what transfer.xml does not list.
func (u *unpacker) unlisted(p string) error {
	l := u.load
	if listed := l.near(p); listed != "" {
		return otherForm(p, listed)
	}
	if l.ours {
		return tree.Errorf(tree.ErrNotPermitted, "it is no part of the pack: transfer.xml does not list it").
			WithAdvice("leave it out of the archive, and add it to the dataset after the load")
	}
	u.count++
	if u.count <= maxNoted {
		l.note("left out, because the pack does not list it: " + clip(p, 300))
	}
	return nil
}

// maxNoted is how many members that were left out are named.
const maxNoted = 20

// keep puts a member into the spool.
func (u *unpacker) keep(m member) (*stagedFile, error) {
	l := u.load
	f := &stagedFile{load: l, name: m.path, content: u.pile.file(), flushed: true}
	l.mu.Lock()
	if l.failure != nil {
		defer l.mu.Unlock()
		return nil, l.failure
	}
	l.members[m.path] = f
	l.mu.Unlock()
	n, err := io.CopyBuffer(io.NewOffsetWriter(f.content, 0), io.LimitReader(m.content, m.size+1), u.buf)
	if err != nil {
		return nil, err
	}
	if n != m.size {
		return nil, tree.Errorf(tree.ErrIO, "its content and its header differ in size: the header says %d bytes", m.size)
	}
	return f, nil
}

// accept gives a whole file to the load.
func (u *unpacker) accept(p string, w *wanted, f *stagedFile) error {
	l := u.load
	if size := f.content.Size(); w.Size >= 0 && size != w.Size {
		return tree.Errorf(tree.ErrIO, "it has %d bytes in the archive, transfer.xml says %d", size, w.Size)
	}
	if err := l.compare(p, w, f); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure != nil {
		return l.failure
	}
	l.arrive(p, w, f)
	return nil
}

// same frees a second copy of a file that has been accepted.
func (u *unpacker) same(target string, f *stagedFile) error {
	l := u.load
	got, err := f.content.Sums()
	if err != nil {
		return err
	}
	l.mu.Lock()
	var first *stagedFile
	if w := l.wanted[target]; w.unit != nil {
		first = w.unit.files[target]
	}
	l.mu.Unlock()
	f.content.Free()
	if first == nil {
		return nil
	}
	want, err := first.content.Sums()
	if err == nil && !bytes.Equal(got.SHA256(), want.SHA256()) {
		return tree.Errorf(tree.ErrIO, "transfer.xml says that it is the same as %s, and it differs", quote(target))
	}
	return nil
}

func otherForm(p, listed string) error {
	return tree.Errorf(tree.ErrInvalid, "transfer.xml lists %s, from which %s differs only in capitals or in the form of its characters", quote(listed), quote(p)).
		WithAdvice("copy the pack from a disk that keeps names as they are")
}

// near finds a listed file whose path differs from p only in capitals or in
// the Unicode form of its characters; "" when there is none.
func (l *Load) near(p string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.folded == nil {
		l.folded = make(map[string]string, len(l.wanted))
		for listed := range l.wanted {
			l.folded[fold(listed)] = listed
		}
	}
	if listed := l.folded[fold(p)]; listed != p {
		return listed
	}
	return ""
}
