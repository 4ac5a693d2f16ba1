package transfer

import (
	"slices"

	"omerods/fs/tree"
)

// mostAhead bounds how many pieces of an archive may wait for what comes
// before them.
const mostAhead = 10_000

// ahead keeps what was written of an archive before its turn has come.
type ahead struct {
	pile   *pile
	pieces []piece // sorted, apart from each other
}

type piece struct {
	off, n int64
	at     int64 // in the pile
}

func (p piece) end() int64 { return p.off + p.n }

// first returns the offset of the first piece; ok is false without one.
func (a *ahead) first() (off int64, ok bool) {
	if len(a.pieces) == 0 {
		return 0, false
	}
	return a.pieces[0].off, true
}

// add keeps b. Where something was written before, the newer counts.
func (a *ahead) add(b []byte, off int64) error {
	n := int64(len(b))
	if n == 0 {
		return nil
	}
	if len(a.pieces) >= mostAhead {
		return tree.Errorf(tree.ErrNoSpace, "more than %d parts of the archive wait for what comes before them", mostAhead).
			WithAdvice("write the archive from its beginning to its end")
	}
	at, err := a.pile.add(b)
	if err != nil {
		return err
	}
	a.cut(off, off+n)
	i, _ := slices.BinarySearchFunc(a.pieces, off, func(p piece, off int64) int {
		if p.off < off {
			return -1
		}
		return 1
	})
	if i > 0 && a.pieces[i-1].end() == off && a.pieces[i-1].at+a.pieces[i-1].n == at {
		a.pieces[i-1].n += n
		return nil
	}
	a.pieces = slices.Insert(a.pieces, i, piece{off, n, at})
	return nil
}

// cut drops what lies between two offsets.
func (a *ahead) cut(from, to int64) {
	var kept []piece
	for _, p := range a.pieces {
		l, r := max(p.off, from), min(p.end(), to)
		if l >= r {
			kept = append(kept, p)
			continue
		}
		if p.off < l {
			kept = append(kept, piece{p.off, l - p.off, p.at})
		}
		if r < p.end() {
			kept = append(kept, piece{r, p.end() - r, p.at + r - p.off})
		}
		a.pile.free(p.at+l-p.off, r-l)
	}
	a.pieces = kept
}

// read fills b with the beginning of what follows the first offset without a
// gap, and returns how much that was. What has been read is dropped by cut.
func (a *ahead) read(b []byte) (int, error) {
	n := 0
	for i, p := range a.pieces {
		if n == len(b) || i > 0 && p.off != a.pieces[i-1].end() {
			break
		}
		part := b[n:min(int64(len(b)), int64(n)+p.n)]
		if err := a.pile.readAt(part, p.at); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// close gives the room back.
func (a *ahead) close() {
	for _, p := range a.pieces {
		a.pile.free(p.at, p.n)
	}
	a.pieces = nil
	a.pile.close()
}
