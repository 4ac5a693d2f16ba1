package irodsview

import (
	"context"

	"omerods/internal/irods"
)

// materialise copies the existing file into the temporary object, so that it
// can be changed there. The bytes stay on the server.
func (d *draft) materialise(ctx context.Context) error {
	if !d.base {
		return nil
	}
	if err := d.node.stale(); err != nil {
		return err
	}
	if err := d.closeRemote(ctx); err != nil {
		return err
	}
	d.placeTemp(ctx)
	if err := copyInside(ctx, d.s.client, d.node.path(), d.tmpPath(), false, d.length()); err != nil {
		return err
	}
	// Others may have changed the file since it was looked at.
	e, err := d.s.client.Stat(ctx, d.tmpPath())
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.size = e.Size
	d.mu.Unlock()
	d.base, d.ordered, d.mixed = false, false, true
	d.bufOff = 0
	return nil
}

// send hands over what is buffered, to be sent.
func (d *draft) send(ctx context.Context) error {
	if len(d.buf) == 0 {
		return nil
	}
	block := d.buf
	d.buf = nil
	return d.push(ctx, block)
}

// push sends a block that follows what was sent last.
func (d *draft) push(ctx context.Context, block []byte) error {
	if err := d.open(ctx); err != nil {
		freeBlock(block)
		return err
	}
	if d.out == nil {
		d.out = newOutbox(d.view, d.remote)
	}
	sums := d.summing()
	if !d.ordered {
		sums = nil
	}
	off := d.bufOff
	d.bufOff += int64(len(block))
	return d.out.push(ctx, block, off, sums)
}

// drain sends what is buffered, and waits until everything is sent.
func (d *draft) drain(ctx context.Context) error {
	if err := d.send(ctx); err != nil {
		return err
	}
	if d.out == nil {
		return nil
	}
	return d.out.wait(ctx)
}

// write adds bytes at off; io is held. A signal does not interrupt it: half
// of a write could not be taken back.
func (d *draft) write(ctx context.Context, p []byte, off int64) error {
	if d.failed != nil {
		return d.failed
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.put(ctx, p, off); err != nil {
		return d.fail(ctx, fail(err))
	}
	d.changed(max(d.length(), off+int64(len(p))), true)
	return nil
}

// add is write at the end, wherever that is.
func (d *draft) add(ctx context.Context, p []byte, _ int64) error {
	if d.failed != nil {
		return d.failed
	}
	through, cancel := detached(ctx)
	defer cancel()
	if err := d.materialise(through); err != nil {
		return d.fail(through, fail(err))
	}
	return d.write(ctx, p, d.length())
}

func (d *draft) put(ctx context.Context, p []byte, off int64) error {
	if err := d.materialise(ctx); err != nil {
		return err
	}
	if err := d.turn(ctx, off); err != nil {
		return err
	}
	if d.ordered {
		d.passed += int64(len(p))
	}
	for len(p) > 0 {
		d.buf = roomy(d.buf, len(p))
		n := min(len(p), blockBytes-len(d.buf))
		d.buf = append(d.buf, p[:n]...)
		p = p[n:]
		if len(d.buf) == blockBytes {
			if err := d.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// give is write for bytes in the memory of a block, which belongs to the draft
// from now on.
func (d *draft) give(ctx context.Context, block []byte, off int64) error {
	if len(block) < blockBytes || len(d.buf) > 0 || d.failed != nil {
		defer freeBlock(block)
		return d.write(ctx, block, off)
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.putBlock(ctx, block, off); err != nil {
		return d.fail(ctx, fail(err))
	}
	d.changed(max(d.length(), off+blockBytes), true)
	return nil
}

func (d *draft) putBlock(ctx context.Context, block []byte, off int64) error {
	err := d.materialise(ctx)
	if err == nil {
		err = d.turn(ctx, off)
	}
	if err != nil {
		freeBlock(block)
		return err
	}
	if d.ordered {
		d.passed += blockBytes
	}
	return d.push(ctx, block)
}

// dropBuf gives up what is buffered.
func (d *draft) dropBuf() {
	freeBlock(d.buf)
	d.buf = nil
}

// turn prepares for bytes at off. Where they do not follow the last ones,
// those have to be sent: blocks under way may come in any order.
func (d *draft) turn(ctx context.Context, off int64) error {
	d.ordered = d.ordered && off == d.passed
	if off == d.bufOff+int64(len(d.buf)) {
		return nil
	}
	if err := d.drain(ctx); err != nil {
		return err
	}
	d.bufOff = off
	return nil
}

// roomy returns a buffer with room for n more bytes, or as many as fit into a
// block. A small file does not get a block's memory.
func roomy(buf []byte, n int) []byte {
	const small = blockBytes / 8
	if need := len(buf) + n; cap(buf) >= min(need, blockBytes) || need <= small {
		return buf
	}
	return append(newBlock(), buf...)
}

// read reads from the content; io is held.
func (d *draft) read(ctx context.Context, p []byte, off int64) (int, error) {
	if d.failed != nil {
		return 0, d.failed
	}
	size := d.length()
	if off >= size {
		return 0, nil
	}
	p = p[:min(int64(len(p)), size-off)]
	if end := d.bufOff + int64(len(d.buf)); !d.base && off >= d.bufOff && off+int64(len(p)) <= end {
		return copy(p, d.buf[off-d.bufOff:]), nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	f, err := d.readable(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) {
		m, err := f.ReadAt(ctx, p[n:], off+int64(n))
		if err != nil {
			return n, fail(err)
		}
		if m == 0 && d.base {
			return n, nil // others have made it shorter
		}
		if m == 0 {
			// A hole at the end that was never written.
			clear(p[n:])
			return len(p), nil
		}
		n += m
	}
	return n, nil
}

// readable returns what the content can be read from.
func (d *draft) readable(ctx context.Context) (*irods.File, error) {
	d.mu.Lock()
	stored := d.stored
	d.mu.Unlock()
	if !d.base && !stored {
		err := d.drain(ctx)
		if err == nil {
			err = d.open(ctx)
		}
		if err != nil {
			return nil, d.fail(ctx, fail(err))
		}
		return d.remote, nil
	}
	if d.reader == nil {
		p := d.node.path()
		if stored {
			p = d.tmpPath()
		} else if err := d.node.stale(); err != nil {
			return nil, err
		}
		var err error
		if d.reader, err = d.s.client.OpenRead(ctx, p); err != nil {
			d.reader = nil
			return nil, fail(err)
		}
		if !stored {
			d.reader.Again(d.node.stale)
		}
	}
	return d.reader, nil
}

// truncate cuts or extends the content; io is held.
func (d *draft) truncate(ctx context.Context, size int64) error {
	if d.failed != nil {
		return d.failed
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if err := d.cut(ctx, size); err != nil {
		return d.fail(ctx, fail(err))
	}
	d.changed(size, false)
	return nil
}

func (d *draft) cut(ctx context.Context, size int64) error {
	switch {
	case size == 0:
		d.dropTemp(ctx)
		d.base, d.buf, d.bufOff = false, d.buf[:0], 0
		d.sums, d.passed, d.ordered = nil, 0, true
		d.source, d.mixed = nil, false
		return nil
	case size == d.length():
		return nil
	}
	if err := d.materialise(ctx); err != nil {
		return err
	}
	if err := d.drain(ctx); err != nil {
		return err
	}
	if err := d.open(ctx); err != nil { // there may be no object yet
		return err
	}
	if err := d.closeRemote(ctx); err != nil {
		return err
	}
	d.ordered, d.mixed = false, true
	d.bufOff = size
	return d.s.client.Truncate(ctx, d.tmpPath(), size)
}
