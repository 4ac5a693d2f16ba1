package transfer

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"path"
	"slices"

	"omerods/fs/tree"
)

// member is one entry of an archive.
type member struct {
	path    string // below the top of the pack
	kind    memberKind
	size    int64
	link    string // the path that a link leads to
	content io.Reader
}

type memberKind int

const (
	fileMember memberKind = iota
	folderMember
	linkMember
)

// mostTransferXML is the size of the largest transfer.xml that is read at all:
// what pack.Decode takes.
const mostTransferXML = 512 << 20

// Limits of what is kept of an archive before its transfer.xml has come.
const (
	maxEarly      = 200_000 // members, folders included
	maxEarlyNames = 64 << 20
)

// maxLoose is how many members are kept that a pack of others does not name:
// those of the folders of its filesets, such as the chunks of a Zarr.
const maxLoose = 2_000_000

// unpacker feeds the members of an archive into its load, as if they were
// files of a folder. What comes before transfer.xml is kept until that says
// what it is; what comes later is kept only when the load needs it, one fileset
// at a time.
type unpacker struct {
	tar  *StagedTar
	load *Load
	pile *pile
	buf  []byte

	known      bool              // transfer.xml has come
	xml        *Sums             // of it
	links      map[string]string // that came before it
	folders    map[string]bool   // of what has been kept
	came       map[string]bool   // members that transfer.xml lists
	brought    map[string]bool   // files that the load wants, under whatever path they came
	count      int
	namesBytes int
	loose      int
}

func newUnpacker(a *StagedTar) *unpacker {
	return &unpacker{tar: a, load: a.load, pile: newPile(a.load.of.cfg.Spool), buf: make([]byte, 256<<10),
		links: map[string]string{}, folders: map[string]bool{}, came: map[string]bool{}, brought: map[string]bool{}}
}

func (u *unpacker) close() { u.pile.close() }

// reading notes what is being read, for messages.
func (a *StagedTar) reading(p string) {
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	a.at = p
}

// member takes the next member. Its errors name it.
func (u *unpacker) member(m member) error {
	u.tar.reading(m.path)
	if m.path == transferXML {
		return u.transferXML(m)
	}
	if err := u.other(m); err != nil {
		return within("member "+quote(m.path), err)
	}
	return nil
}

func (u *unpacker) other(m member) error {
	switch {
	case isJunk(path.Base(m.path)):
		return nil
	case !u.known:
		return u.early(m)
	case m.kind == folderMember:
		return u.folder(m.path)
	case m.kind == linkMember:
		return u.link(m.path, m.link)
	}
	return u.listed(m)
}

// transferXML reads the document while it comes in, without keeping it, and
// then judges what came before it.
func (u *unpacker) transferXML(m member) error {
	switch {
	case u.known && m.kind == fileMember:
		return u.transferAgain(m)
	case m.kind != fileMember:
		return tree.Errorf(tree.ErrInvalid, "transfer.xml is no file in the archive")
	case m.size > mostTransferXML:
		return tree.Errorf(tree.ErrTooLarge, "transfer.xml has %d bytes; more than %d are not read", m.size, int64(mostTransferXML))
	}
	u.xml = NewSums()
	in := &stickyReader{r: io.TeeReader(m.content, u.xml)}
	p, err := u.load.readPlan(in)
	switch {
	case in.err != nil:
		return in.err // the stream has ended, which says nothing about the document
	case err != nil:
		return err
	}
	u.known = true
	l := u.load
	l.mu.Lock()
	l.follow(p)
	early := l.written()
	l.mu.Unlock()
	for _, p := range slices.Sorted(maps.Keys(early)) {
		if err := u.judge(p, early[p]); err != nil {
			return within("member "+quote(p), err)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(u.links)) {
		if err := u.link(p, u.links[p]); err != nil {
			return within("member "+quote(p), err)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(u.folders)) {
		if err := u.folder(p); err != nil {
			return within("member "+quote(p), err)
		}
	}
	u.links = nil
	return nil
}

// transferAgain takes a second transfer.xml: people put it in front of all by
// naming it before the folder that it is in. It must be the same.
func (u *unpacker) transferAgain(m member) error {
	again := NewSums()
	if _, err := io.CopyBuffer(again, io.LimitReader(m.content, u.xml.Size()+1), u.buf); err != nil {
		return err
	}
	if again.Size() != u.xml.Size() || !bytes.Equal(again.SHA256(), u.xml.SHA256()) {
		return tree.Errorf(tree.ErrInvalid, "transfer.xml is in the archive twice, with different contents")
	}
	return nil
}

// stickyReader remembers why its source ended.
type stickyReader struct {
	r   io.Reader
	err error
}

func (s *stickyReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// early keeps a member that came before transfer.xml.
func (u *unpacker) early(m member) error {
	u.count++
	u.namesBytes += len(m.path) + len(m.link)
	if u.count > maxEarly || u.namesBytes > maxEarlyNames {
		return tree.Errorf(tree.ErrInvalid, "more than %d members, or too long names, come before transfer.xml", maxEarly).
			WithAdvice("make the archive with transfer.xml as its first member")
	}
	if err := u.place(m.path, m.kind == folderMember); err != nil {
		return err
	}
	switch m.kind {
	case folderMember:
		return nil
	case linkMember:
		u.links[m.path] = m.link
		return nil
	}
	_, err := u.keep(m)
	if errors.Is(err, tree.ErrNoSpace) {
		var told *tree.Error
		errors.As(err, &told)
		return told.WithAdvice("transfer.xml has not come yet, so everything is kept: raise --spool-limit, or make the archive with transfer.xml as its first member")
	}
	return err
}

// place checks that a member is not where another one is.
func (u *unpacker) place(p string, folder bool) error {
	u.load.mu.Lock()
	_, file := u.load.members[p]
	above := ""
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if u.load.members[dir] != nil || u.links[dir] != "" {
			above = dir
		}
	}
	u.load.mu.Unlock()
	file = file || u.links[p] != ""
	switch {
	case above != "":
		return tree.Errorf(tree.ErrInvalid, "%s is a file in the archive, so it cannot hold others", quote(above))
	case folder && file, !folder && !file && u.folders[p]:
		return tree.Errorf(tree.ErrInvalid, "it is both a file and a folder in the archive")
	case file:
		return tree.Errorf(tree.ErrInvalid, "it is in the archive twice")
	}
	if folder {
		u.folders[p] = true
	}
	for dir := path.Dir(p); dir != "." && !u.folders[dir]; dir = path.Dir(dir) {
		u.folders[dir] = true
	}
	return nil
}

// judge decides about a member that came before transfer.xml did.
func (u *unpacker) judge(p string, f *stagedFile) error {
	l := u.load
	l.mu.Lock()
	target, w, generated := u.listing(p)
	folder := l.folderUnit(p)
	l.mu.Unlock()
	switch {
	case w != nil && u.brought[target]:
		u.came[p] = true
		return u.same(target, f)
	case w != nil:
		u.came[p], u.brought[target] = true, true
		return u.accept(target, w, f)
	case folder != nil:
		return nil // loaded when the archive has ended
	}
	l.mu.Lock()
	delete(l.members, p)
	l.mu.Unlock()
	f.content.Free()
	if generated {
		u.came[p] = true
		return nil
	}
	return u.unlisted(p)
}

// listing says what transfer.xml says of a path: the file that the load wants,
// which may be listed under another path with the same content, or that it is
// one that a load does not need. The mutex is held.
func (u *unpacker) listing(p string) (target string, w *wanted, generated bool) {
	l := u.load
	if w := l.wanted[p]; w != nil {
		return p, w, false
	}
	_, generated = l.generated[p]
	if same := l.sameAs[p]; same != "" {
		if w := l.wanted[same]; w != nil {
			return same, w, generated
		}
	}
	return "", nil, generated
}

// listed takes a file that comes after transfer.xml.
func (u *unpacker) listed(m member) error {
	l := u.load
	l.mu.Lock()
	target, w, generated := u.listing(m.path)
	folder := l.folderUnit(m.path)
	l.mu.Unlock()
	if u.came[m.path] {
		return tree.Errorf(tree.ErrInvalid, "it is in the archive twice")
	}
	switch {
	case w != nil && m.size >= 0 && w.Size >= 0 && m.size != w.Size:
		return tree.Errorf(tree.ErrIO, "it has %d bytes in the archive, transfer.xml says %d", m.size, w.Size)
	case w != nil && u.brought[target]:
		u.came[m.path] = true
		return nil // it is there under two names; the first has been taken
	case w != nil:
		if err := l.waitSent(l.ctx); err != nil {
			return err
		}
		f, err := u.keep(m)
		if err != nil {
			return err
		}
		u.came[m.path], u.brought[target] = true, true
		return u.accept(target, w, f)
	case generated:
		u.came[m.path] = true
		return nil
	case folder != nil:
		if u.loose++; u.loose > maxLoose {
			return tree.Errorf(tree.ErrInvalid, "more than %d members belong to filesets whose files transfer.xml does not list", maxLoose)
		}
		if err := u.place(m.path, false); err != nil {
			return err
		}
		_, err := u.keep(m)
		return err
	}
	return u.unlisted(m.path)
}

// folder takes a folder that comes after transfer.xml.
func (u *unpacker) folder(p string) error {
	u.load.mu.Lock()
	_, w, generated := u.listing(p)
	_, kept := u.load.members[p]
	u.load.mu.Unlock()
	if w != nil || generated || kept {
		return tree.Errorf(tree.ErrInvalid, "it is a folder in the archive, transfer.xml lists a file")
	}
	return nil
}

// link takes a hard link: only one to the same content by transfer.xml.
func (u *unpacker) link(p, to string) error {
	u.load.mu.Lock()
	target, _, _ := u.listing(p)
	other, _, _ := u.listing(to)
	u.load.mu.Unlock()
	switch {
	case target == "" || target != other || p == to:
		return tree.Errorf(tree.ErrInvalid, "it is a link to %s, and transfer.xml does not say that they are the same", quote(to)).
			WithAdvice("make the tar anew from the files themselves (tar --hard-dereference)")
	case u.came[p]:
		return tree.Errorf(tree.ErrInvalid, "it is in the archive twice")
	case !u.came[to]:
		return tree.Errorf(tree.ErrInvalid, "it is a link to %s, which has not come", quote(to))
	}
	u.came[p] = true
	return nil
}
