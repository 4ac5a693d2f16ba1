package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// announce starts a save of the pack whose transfer.xml is about to become
// visible, when it is one of ours; other folders are just folders. The mark is
// there first: who finds a transfer.xml that nobody has marked, after a crash,
// could not tell a save from a folder.
func (s *Saves) announce(ctx context.Context, w Written) error {
	h, err := w.Open(ctx)
	if err != nil {
		return err
	}
	doc, manifest, err := s.decode(ctx, h, w.Path)
	h.Release(ctx)
	if err != nil || manifest == nil {
		return err
	}
	return s.start(ctx, w, doc, manifest, false)
}

// begin starts a save of the pack whose transfer.xml is in its place, and takes
// what the same program has brought before.
func (s *Saves) begin(ctx context.Context, w Written) error {
	if err := s.follow(ctx, w); err != nil {
		return err
	}
	return s.gathered(ctx, path.Dir(w.Path))
}

// follow starts a save of the pack whose transfer.xml is in its place.
func (s *Saves) follow(ctx context.Context, w Written) error {
	doc, manifest, err := s.readTransferXML(ctx, w.Path)
	if err != nil {
		return fmt.Errorf("read back %s: %w", w.Path, err)
	}
	if manifest == nil {
		return nil
	}
	return s.start(ctx, w, doc, manifest, true)
}

// gathered lets the save of a collection, if there is one, gather.
func (s *Saves) gathered(ctx context.Context, coll string) error {
	s.mu.Lock()
	sv := s.saves[coll]
	s.mu.Unlock()
	if sv == nil {
		return nil
	}
	return sv.gather(ctx)
}

// start makes a save known; here says that transfer.xml is in its place.
func (s *Saves) start(ctx context.Context, w Written, doc *pack.Document, manifest *pack.Manifest, here bool) error {
	coll := path.Dir(w.Path)
	sv := s.newSave(ctx, coll, doc, manifest, w.Size)
	top := sv.expected[transferXML]
	top.written, top.written.Open = w, nil
	if !here {
		top.here = false
		sv.missing++
		sv.record.FilesDone, sv.record.BytesDone = 0, 0
	}
	sv.ctx, sv.stop = context.WithCancel(tree.WithCaller(s.ctx, sv.caller))
	sv.writers = NewWriters(sv.ctx, sv.writersEnded)
	for _, f := range manifest.Files {
		sv.record.Bytes += max(f.Size, 0)
	}
	if err := sv.claim(ctx); err != nil {
		sv.stop()
		return err
	}
	s.cfg.Records.Put(sv.record)
	s.cfg.Records.Live(sv.id, sv.progress)
	s.adopt(ctx, coll, sv)
	s.cfg.Logger.Info("save begins", "collection", coll, "object", doc.Origin.Object, "files", len(manifest.Files))
	s.wait.Add(1)
	go sv.watch()
	sv.saw(ctx)
	return nil
}

// gather takes what the same program has brought before the transfer.xml said
// what it should be.
func (sv *save) gather(ctx context.Context) error {
	var bad error
	writer := processOf(ctx)
	coll := sv.collection()
	for rel := range sv.expected {
		if rel == transferXML {
			continue
		}
		if w, ok := sv.of.recent.get(path.Join(coll, rel)); ok && w.writer == writer {
			if err := sv.check(ctx, w); err != nil {
				bad = err
				continue
			}
			if _, err := sv.arrived(ctx, w); err != nil {
				return err
			}
		}
	}
	return bad
}

// newSave describes a save whose transfer.xml of that size has come.
func (s *Saves) newSave(ctx context.Context, p string, doc *pack.Document, manifest *pack.Manifest, size int64) *save {
	caller, _ := tree.CallerFrom(ctx)
	sv := &save{
		of: s, id: newID(), caller: caller, doc: doc, coll: p,
		state: StateSaving, expected: map[string]*expected{}, lastSeen: s.cfg.Now(),
	}
	for _, f := range manifest.Files {
		sv.expected[f.Path] = &expected{File: f}
	}
	sv.missing = len(sv.expected)
	sv.expected[transferXML] = &expected{
		File: pack.File{Path: transferXML, Size: size, Required: true, Kind: pack.Generated}, here: true,
		written: Written{Path: path.Join(p, transferXML), Size: size},
	}
	sv.record = Record{
		ID: sv.id, Direction: ToArchive, UID: caller.UID, Path: p, State: StateSaving,
		Object: string(doc.Origin.Object), Name: doc.Origin.Name,
		Files: len(manifest.Files) + 1, FilesDone: 1, BytesDone: size, Bytes: size, Started: s.cfg.Now(),
	}
	return sv
}

// adopt makes sv the save of coll in place of an earlier one and of those of
// sub-folders, which are parts of this one.
func (s *Saves) adopt(ctx context.Context, coll string, sv *save) {
	s.mu.Lock()
	var parts []*save
	for c, other := range s.saves {
		if c == coll || strings.HasPrefix(c, coll+"/") {
			parts = append(parts, other)
			delete(s.saves, c)
		}
	}
	s.saves[coll] = sv
	s.mu.Unlock()
	for _, p := range parts {
		c := p.collection()
		p.forget("it is part of " + coll)
		if c == coll {
			continue
		}
		if err := s.unmark(ctx, c); err != nil {
			s.cfg.Logger.Warn("a part keeps its own mark", "collection", c, "err", err)
		}
	}
}

// unmark removes all marks of ours from a collection.
func (s *Saves) unmark(ctx context.Context, coll string) error {
	avus, err := s.cfg.Archive.CollectionAVUs(ctx, []string{coll}, avuPrefix)
	if err != nil || len(avus[coll]) == 0 {
		return err
	}
	s.states.set(coll, marks{})
	return s.cfg.Archive.ChangeAVUs(ctx, coll, avus[coll], nil)
}

// resume takes up a save that ended early when more of it arrives.
func (s *Saves) resume(ctx context.Context, w Written) error {
	coll, m, err := s.marked(ctx, path.Dir(w.Path))
	if err != nil || coll == "" || m.state == StateFinished {
		return err
	}
	return s.takeUp(ctx, coll)
}

// takeUp goes on with a save whose transfer.xml is in its place. What an
// earlier run has brought is looked for when the program has ended: it may be
// about to write it again.
func (s *Saves) takeUp(ctx context.Context, coll string) error {
	// Several files may find at once that nobody follows the save any more.
	_, err, _ := s.takingUp.Do(coll, func() (any, error) {
		s.mu.Lock()
		running := s.saves[coll] != nil
		s.mu.Unlock()
		if running {
			return nil, nil
		}
		p := path.Join(coll, transferXML)
		info, err := s.cfg.Archive.Stat(ctx, p)
		if errors.Is(err, tree.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return nil, s.follow(ctx, Written{Path: p, Size: info.Size, SHA256: info.SHA256})
	})
	if err != nil {
		return err
	}
	return s.gathered(ctx, coll)
}

// readTransferXML reads and parses a transfer.xml in the archive; a nil
// manifest says that it is none of ours.
func (s *Saves) readTransferXML(ctx context.Context, p string) (*pack.Document, *pack.Manifest, error) {
	h, err := s.cfg.Archive.Open(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	defer h.Release(ctx)
	return s.decode(ctx, h, p)
}

func (s *Saves) decode(ctx context.Context, h tree.Handle, p string) (*pack.Document, *pack.Manifest, error) {
	r := io.LimitReader(&handleReader{ctx: ctx, h: h}, maxTransferXML)
	doc, manifest, err := pack.Decode(r, pack.Limits{})
	var he *handleError
	switch {
	case errors.As(err, &he):
		return nil, nil, he.err
	case err != nil:
		s.cfg.Logger.Info("not a pack of ours", "path", p, "why", err)
		return nil, nil, nil
	}
	return doc, manifest, nil
}
