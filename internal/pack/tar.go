package pack

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// TarMember is one file or folder of a tar.
type TarMember struct {
	Path string // relative and clean; that of a folder has no slash at its end
	Dir  bool
	// Link is the path of an earlier file with the same content. The member is
	// then a hard link to it and has no bytes of its own.
	Link string
	Size int64 // of the content, in bytes; 0 for folders and links
}

// Sizes of a tar. Programs write whole records.
const (
	tarBlock  = 512
	tarRecord = 20 * tarBlock
)

// TarLayout says where everything is in a tar, so that any piece of it can be
// made without the rest. Equal members and times give equal bytes.
type TarLayout struct {
	members []TarMember
	mtime   int64
	starts  []int64 // of the headers of each member; the last is where all end
	size    int64
}

// LayTar lays out a tar in the PAX format. Every member has the same time,
// owner and rights. The members are written in their order: folders must stand
// before what is in them, and links behind what they lead to.
func LayTar(members []TarMember, mtime time.Time) (*TarLayout, error) {
	t := &TarLayout{members: members, mtime: max(mtime.Unix(), 0), starts: make([]int64, len(members)+1)}
	seen := make(map[string]*TarMember, len(members))
	for i := range members {
		m := &members[i]
		if err := m.check(seen); err != nil {
			return nil, fmt.Errorf("lay out a tar: %w", err)
		}
		seen[m.Path] = m
		t.starts[i+1] = t.starts[i] + m.headerBytes() + tarBlocks(m.Size)
	}
	end := t.starts[len(members)] + 2*tarBlock
	t.size = (end + tarRecord - 1) / tarRecord * tarRecord
	return t, nil
}

// check reports why a member cannot stand behind those seen.
func (m *TarMember) check(seen map[string]*TarMember) error {
	if err := CheckPath(m.Path); err != nil {
		return err
	}
	if seen[m.Path] != nil {
		return fmt.Errorf("%w: %q twice", ErrInvalid, clip(m.Path))
	}
	if i := strings.LastIndexByte(m.Path, '/'); i >= 0 {
		if in := seen[m.Path[:i]]; in == nil || !in.Dir {
			return fmt.Errorf("%w: %q stands before its folder", ErrInvalid, clip(m.Path))
		}
	}
	if m.Size < 0 || m.Size > 0 && (m.Dir || m.Link != "") || m.Dir && m.Link != "" {
		return fmt.Errorf("%w: %q has %d bytes", ErrInvalid, clip(m.Path), m.Size)
	}
	if m.Link != "" {
		if to := seen[m.Link]; to == nil || to.Dir || to.Link != "" {
			return fmt.Errorf("%w: %q leads to %q, which is no earlier file", ErrInvalid, clip(m.Path), clip(m.Link))
		}
	}
	return nil
}

// tarBlocks rounds up to whole blocks.
func tarBlocks(n int64) int64 { return (n + tarBlock - 1) / tarBlock * tarBlock }

// Size is the number of bytes of the tar.
func (t *TarLayout) Size() int64 { return t.size }

// Members are what the tar holds, in its order.
func (t *TarLayout) Members() []TarMember { return t.members }

// TarPiece is a run of bytes of a tar that have the same source.
type TarPiece struct {
	// Len is how many bytes the run has from the place that was asked for.
	Len int64
	// Data are the bytes of a header, Len long.
	Data []byte
	// Member is the number of the member whose content the bytes are, from Off
	// on; -1 when they are Data, or zeros that fill up a block.
	Member int
	Off    int64
}

// At says what is at a place in the tar, which must be at least 0. Len is 0
// at the end and behind it.
func (t *TarLayout) At(off int64) TarPiece {
	last := t.starts[len(t.members)]
	switch {
	case off >= t.size:
		return TarPiece{Member: -1}
	case off >= last:
		return TarPiece{Member: -1, Len: t.size - off}
	}
	i := t.memberAt(off)
	m := &t.members[i]
	header := m.headerBytes()
	at := off - t.starts[i]
	if at < header {
		data := m.header(t.mtime)[at:]
		return TarPiece{Member: -1, Len: int64(len(data)), Data: data}
	}
	if at -= header; at < m.Size {
		return TarPiece{Member: i, Len: m.Size - at, Off: at}
	}
	return TarPiece{Member: -1, Len: t.starts[i+1] - off}
}

// memberAt finds the member whose headers, content or filling are at a place
// before the end of the last one.
func (t *TarLayout) memberAt(off int64) int {
	return sort.Search(len(t.members), func(i int) bool { return t.starts[i+1] > off })
}
