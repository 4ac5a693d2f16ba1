package omeroview

import (
	"context"
	"sync"

	"omerods/fs/tree"
)

// Bounds of what a tar that is read holds open on the server.
const (
	// tarAhead is how many members beyond the one that is read are opened and
	// begun while a tar is read from front to back: many small files would
	// otherwise cost a few round trips each.
	tarAhead = 8
	// tarAheadBytes bounds the bytes that are asked for so.
	tarAheadBytes = 8 << 20
	// tarOpen is how many members are open at once. One more may be for each
	// read that is under way.
	tarOpen = tarAhead + 4
	// tarStep is how far reads that follow each other may be apart: the kernel
	// sends several at a time.
	tarStep = 2 << 20
)

// tarSources are the members of a tar that are open on the server.
type tarSources struct {
	open    func(ctx context.Context, m *tarMember) (tree.Handle, error)
	members []tarMember

	run  context.Context // ends with close
	stop context.CancelFunc
	wg   sync.WaitGroup // of members being opened and closed

	mu      sync.Mutex // guards the fields below
	sources []*tarSource
	next    int // the member that a read from front to back comes to, or is in
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
	return &tarSources{open: open, members: members, run: run, stop: stop}
}

// readAt reads from a member as [tree.Handle] does.
func (s *tarSources) readAt(ctx context.Context, member int, p []byte, off int64) (int, error) {
	src := s.enter(member)
	defer s.leave(src)
	select {
	case <-src.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if src.err != nil {
		s.forget(src)
		return 0, src.err
	}
	return src.handle.ReadAt(ctx, p, off)
}

// enter returns an open member, or one that is being opened, and begins those
// that will be read next. The caller must leave it.
func (s *tarSources) enter(member int) *tarSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.want(member, false)
	src.users++
	if member == s.next {
		return src
	}
	follows := member > s.next && member <= s.after(s.next)
	s.next = member
	var bytes int64
	for i, n := s.after(member), 0; follows && i < len(s.members) && n < tarAhead; i, n = s.after(i), n+1 {
		if bytes += min(s.members[i].Size, tarStep); bytes > tarAheadBytes {
			break
		}
		s.want(i, true)
	}
	return src
}

// after is the next member whose content is on the server.
func (s *tarSources) after(member int) int {
	for i := member + 1; i < len(s.members); i++ {
		if m := &s.members[i]; m.Size > 0 && !m.Made && (m.File != 0 || m.Image != 0) {
			return i
		}
	}
	return len(s.members)
}

// want finds a member or starts to open it, and then to read it when ahead is
// set. s.mu is held.
func (s *tarSources) want(member int, ahead bool) *tarSource {
	for i, src := range s.sources {
		if src.member == member {
			s.sources = append(append(s.sources[:i:i], s.sources[i+1:]...), src)
			return src
		}
	}
	src := &tarSource{member: member, done: make(chan struct{}), users: 1}
	s.sources = append(s.sources, src)
	if len(s.sources) > tarOpen {
		s.drop(0)
	}
	s.wg.Go(func() {
		defer s.leave(src)
		src.handle, src.err = s.open(s.run, &s.members[member])
		close(src.done)
		if ahead && src.err == nil {
			var b [1]byte
			// Who reads the member hears what is wrong with it.
			_, _ = src.handle.ReadAt(s.run, b[:], 0)
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
