package irodsview

// keptPieces is how many pieces a file keeps that were read already: the
// kernel's readahead comes a little out of order.
const keptPieces = 2

// piece is a part of the file.
type piece struct {
	off  int64
	size int
	done chan struct{} // closed when data and err are set
	data []byte        // shorter than size at the end of the file
	last bool          // the file ended with it
	err  error

	// Guarded by the reader's mu:
	users   int  // who fetches it or copies from it
	ahead   bool // it holds a token of the limit
	dropped bool // it is in the list no more
}

// find returns the piece that has a place, and notes that it is used. r.mu is
// held.
func (r *reader) find(at int64) *piece {
	for i, k := range r.pieces {
		if at >= k.off && at < k.off+int64(k.size) {
			r.pieces = append(append(r.pieces[:i:i], r.pieces[i+1:]...), k)
			return k
		}
	}
	return nil
}

// trim forgets pieces that were used longest ago. r.mu is held.
func (r *reader) trim() {
	kept := 0
	for i := len(r.pieces) - 1; i >= 0; i-- {
		k := r.pieces[i]
		if k.ahead {
			continue
		}
		if kept++; kept > keptPieces {
			r.drop(k)
		}
	}
}

// cancel drops the pieces that are ahead. r.mu is held.
func (r *reader) cancel() {
	for i := len(r.pieces) - 1; i >= 0; i-- {
		if r.pieces[i].ahead {
			r.drop(r.pieces[i])
		}
	}
}

// drop takes a piece out of the list. r.mu is held.
func (r *reader) drop(k *piece) {
	for i, o := range r.pieces {
		if o == k {
			r.pieces = append(r.pieces[:i:i], r.pieces[i+1:]...)
			break
		}
	}
	if k.ahead {
		k.ahead = false
		<-r.limit
	}
	k.dropped = true
	k.recycle()
}

// leave ends a use of a piece. r.mu is held.
func (r *reader) leave(k *piece) {
	k.users--
	k.recycle()
}

// recycle gives the memory of a piece back that nobody can reach any more.
func (k *piece) recycle() {
	if k.dropped && k.users == 0 && k.data != nil {
		freeBlock(k.data)
		k.data = nil
	}
}
