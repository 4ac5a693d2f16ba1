package omeroview

import (
	"context"
	"io"
	"sync"

	"omerods/fs/tree"
)

// Bounds of what a tar that is read holds open on the server.
const (
	// tarAhead is how many of the members that a read covers are opened and
	// begun at once: many small files would otherwise cost a few round trips
	// each.
	tarAhead = 8
	// tarReads is how many reads go on at a time; others wait.
	tarReads = 4
	// tarKept is how many members stay open between reads.
	tarKept = 8
)

// tarSources are the members of a tar that are open on the server.
type tarSources struct {
	open    func(ctx context.Context, m *tarMember) (tree.Handle, error)
	members []tarMember
	turns   chan struct{} // holds one token for each read under way

	run  context.Context // ends with close
	stop context.CancelFunc
	wg   sync.WaitGroup // of members being opened and closed

	mu      sync.Mutex   // guards the field below
	sources []*tarSource // most recently used last
}

// tarSource is an open member.
type tarSource struct {
	member int
	done   chan struct{} // closed when handle and err are set
	handle tree.Handle
	err    error

	users   int  // guarded by the owner's mu: who opens it or reads from it
	dropped bool // likewise: it is in the owner's list no more
}

func newTarSources(open func(context.Context, *tarMember) (tree.Handle, error), members []tarMember) *tarSources {
	run, stop := context.WithCancel(context.Background())
	return &tarSources{open: open, members: members, turns: make(chan struct{}, tarReads), run: run, stop: stop}
}

// tarPart is a run of bytes of one member and the place they are wanted in.
type tarPart struct {
	member int
	off    int64
	p      []byte
}

// read fills parts in their order. When it fails it says with which part.
func (s *tarSources) read(ctx context.Context, parts []tarPart) (failed int, err error) {
	if len(parts) == 0 {
		return 0, nil
	}
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	begun := make([]*tarSource, 0, len(parts))
	left := 0
	defer func() {
		for _, src := range begun[left:] {
			s.leave(src)
		}
	}()
	for i, part := range parts {
		for len(begun) < len(parts) && len(begun) < i+tarAhead {
			next := parts[len(begun)]
			begun = append(begun, s.enter(next.member, next.off))
		}
		n, err := s.readPart(ctx, begun[i], part)
		if err == nil && n < len(part.p) {
			err = io.EOF
		}
		if n < len(part.p) {
			return i, err
		}
		s.leave(begun[i])
		left = i + 1
	}
	return 0, nil
}

func (s *tarSources) readPart(ctx context.Context, src *tarSource, part tarPart) (int, error) {
	select {
	case <-src.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if src.err != nil {
		s.forget(src)
		return 0, src.err
	}
	return src.handle.ReadAt(ctx, part.p, part.off)
}

// enter returns an open member, or one that is being opened, with what is at a
// place asked for. The caller must leave it.
func (s *tarSources) enter(member int, off int64) *tarSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.want(member, off)
	src.users++
	return src
}

// want finds a member or starts to open it, and then to read it from off on.
// s.mu is held.
func (s *tarSources) want(member int, off int64) *tarSource {
	for i, src := range s.sources {
		if src.member == member {
			s.sources = append(append(s.sources[:i:i], s.sources[i+1:]...), src)
			return src
		}
	}
	src := &tarSource{member: member, done: make(chan struct{}), users: 1}
	s.sources = append(s.sources, src)
	if len(s.sources) > tarKept {
		s.drop(0)
	}
	s.wg.Go(func() {
		defer s.leave(src)
		src.handle, src.err = s.open(s.run, &s.members[member])
		close(src.done)
		if src.err == nil {
			var b [1]byte
			// Who reads the member hears what is wrong with it.
			_, _ = src.handle.ReadAt(s.run, b[:], off)
		}
	})
	return src
}

// drop takes a member out of the list. s.mu is held.
func (s *tarSources) drop(i int) {
	src := s.sources[i]
	s.sources = append(s.sources[:i:i], s.sources[i+1:]...)
	src.dropped = true
	s.release(src)
}

// leave ends the use of a member.
func (s *tarSources) leave(src *tarSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.users--
	s.release(src)
}

// release closes a member that nobody can read any more. That may take a round
// trip, for which no reader waits. s.mu is held.
func (s *tarSources) release(src *tarSource) {
	if !src.dropped || src.users > 0 || src.handle == nil {
		return
	}
	handle := src.handle
	src.handle = nil
	s.wg.Go(func() { handle.Release(context.Background()) })
}

// forget drops a member that could not be opened, so that it is tried again.
func (s *tarSources) forget(bad *tarSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, src := range s.sources {
		if src == bad {
			s.drop(i)
			return
		}
	}
}

// close frees everything. It comes after the last read.
func (s *tarSources) close() {
	s.stop()
	s.mu.Lock()
	for len(s.sources) > 0 {
		s.drop(len(s.sources) - 1)
	}
	s.mu.Unlock()
	s.wg.Wait()
}
