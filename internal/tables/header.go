package tables

// The kinds of messages in object headers that matter here.
const (
	messageSpace       = 1
	messageType        = 3
	messageLink        = 6
	messageLayout      = 8
	messageFilters     = 11
	messageContinued   = 16
	messageSymbolTable = 17
)

type message struct {
	kind int
	data []byte
}

// messages reads an object header with its continuations.
func (r *reader) messages(at uint64) ([]message, error) {
	head, err := r.bytes(at, 16)
	if err != nil {
		return nil, err
	}
	if string(head[:4]) == "OHDR" {
		return r.newMessages(at, head)
	}
	if head[0] != 1 {
		return nil, format("an object header of version %d", head[0])
	}
	var out []message
	blocks := []span{{at + 16, uint64(le.Uint32(head[8:]))}}
	for len(blocks) > 0 {
		b, err := r.block(blocks[0])
		if err != nil {
			return nil, err
		}
		blocks = blocks[1:]
		for len(b) >= 8 {
			n := int(le.Uint16(b[2:]))
			if 8+n > len(b) {
				return nil, format("an object header cut off")
			}
			if out, blocks, err = add(out, blocks, int(le.Uint16(b)), b[8:8+n]); err != nil {
				return nil, err
			}
			b = b[8+n:]
		}
	}
	return out, nil
}

// newMessages reads a header of version 2.
func (r *reader) newMessages(at uint64, head []byte) ([]message, error) {
	if head[4] != 2 {
		return nil, format("an object header of version %d", head[4])
	}
	flags, i := head[5], uint64(6)
	if flags&32 != 0 {
		i += 16
	}
	if flags&16 != 0 {
		i += 4
	}
	width := uint64(1) << (flags & 3)
	b, err := r.bytes(at+i, int(width))
	if err != nil {
		return nil, err
	}
	prefix := 4
	if flags&4 != 0 {
		prefix = 6
	}
	var out []message
	blocks := []span{{at + i + width, number(b)}}
	for first := true; len(blocks) > 0; first = false {
		b, err := r.block(blocks[0])
		if err != nil {
			return nil, err
		}
		blocks = blocks[1:]
		if !first { // "OCHK" before, a sum behind
			if len(b) < 8 || string(b[:4]) != "OCHK" {
				return nil, format("an object header cut off")
			}
			b = b[4 : len(b)-4]
		}
		for len(b) >= prefix {
			n := int(le.Uint16(b[1:]))
			if prefix+n > len(b) {
				return nil, format("an object header cut off")
			}
			if out, blocks, err = add(out, blocks, int(b[0]), b[prefix:prefix+n]); err != nil {
				return nil, err
			}
			b = b[prefix+n:]
		}
	}
	return out, nil
}

// span is a piece of the file.
type span struct{ at, size uint64 }

func (r *reader) block(s span) ([]byte, error) {
	if s.size > mostBytes {
		return nil, format("an object header of %d bytes", s.size)
	}
	return r.bytes(s.at, int(s.size))
}

// add takes a message, or the piece of the file in which the header goes on.
func add(out []message, blocks []span, kind int, data []byte) ([]message, []span, error) {
	if len(out) >= mostMessages {
		return nil, nil, format("an object header of more than %d messages", mostMessages)
	}
	if kind == messageContinued {
		if len(data) < 16 {
			return nil, nil, format("an object header cut off")
		}
		blocks = append(blocks, span{le.Uint64(data), le.Uint64(data[8:])})
	}
	// Each counts, so that a header that goes on in itself comes to an end.
	return append(out, message{kind, data}), blocks, nil
}
