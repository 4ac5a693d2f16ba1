package ice

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Types of messages.
const (
	msgRequest  = 0
	msgBatch    = 1
	msgReply    = 2
	msgValidate = 3
	msgClose    = 4
)

// Compression states of a message: plain from a sender that does not want
// compressed answers, plain from one that does, and compressed.
const (
	compressNever = 0
	compressReply = 1
	compressed    = 2
)

// HeaderBytes is the size of the header of a message.
const HeaderBytes = 14

// Reply states.
const (
	StatusOK                byte = 0
	StatusUserException     byte = 1
	StatusObjectNotExist    byte = 2
	StatusFacetNotExist     byte = 3
	StatusOperationNotExist byte = 4
	StatusUnknownLocal      byte = 5
	StatusUnknownUser       byte = 6
	StatusUnknown           byte = 7
)

// Header is the header of a message.
type Header struct {
	Type        byte
	Compression byte
	Size        int // of the message with its header
}

// Validate and Close are messages that consist of a header.
var (
	validateMessage = appendHeader(nil, msgValidate, HeaderBytes)
	closeMessage    = appendHeader(nil, msgClose, HeaderBytes)
)

// ValidateMessage returns the message by which a server accepts a connection,
// and which later serves both sides as a heartbeat.
func ValidateMessage() []byte { return append([]byte(nil), validateMessage...) }

// CloseMessage returns the message that ends a connection gracefully.
func CloseMessage() []byte { return append([]byte(nil), closeMessage...) }

func appendHeader(b []byte, kind byte, size int) []byte {
	b = append(b, 'I', 'c', 'e', 'P', 1, 0, 1, 0, kind, compressNever)
	return binary.LittleEndian.AppendUint32(b, uint32(size))
}

// ParseHeader reads the header of a message of at most maxBytes.
func ParseHeader(b []byte, maxBytes int) (Header, error) {
	if len(b) < HeaderBytes {
		return Header{}, &ProtocolError{Text: "header too short"}
	}
	if string(b[:4]) != "IceP" {
		return Header{}, &ProtocolError{Text: "bad magic"}
	}
	if b[4] != 1 || b[6] != 1 {
		return Header{}, &ProtocolError{Text: fmt.Sprintf("protocol version %d, encoding %d", b[4], b[6])}
	}
	h := Header{Type: b[8], Compression: b[9], Size: int(int32(binary.LittleEndian.Uint32(b[10:])))}
	if h.Size < HeaderBytes {
		return h, &ProtocolError{Text: fmt.Sprintf("message of %d bytes", h.Size)}
	}
	if h.Size > maxBytes {
		return h, &ProtocolError{Text: fmt.Sprintf("message of %d bytes, at most %d are accepted", h.Size, maxBytes)}
	}
	if h.Type > msgClose || h.Compression > compressed {
		return h, &ProtocolError{Text: fmt.Sprintf("message type %d, compression %d", h.Type, h.Compression)}
	}
	return h, nil
}

// ContextEntry is an entry of the context of a request.
type ContextEntry struct{ Key, Value string }

// Request is a call of an operation.
type Request struct {
	ID        int32 // 0 when no reply is wanted
	Identity  Identity
	Facet     []string // none or one
	Operation string
	Mode      Mode
	Context   []ContextEntry
	Params    []byte // encapsulation
}

// ContextMap returns the context as a map.
func (r *Request) ContextMap() map[string]string {
	m := make(map[string]string, len(r.Context))
	for _, e := range r.Context {
		m[e.Key] = e.Value
	}
	return m
}

// head encodes the request without its parameters.
func (r *Request) head(e *encoder) {
	e.string(r.Identity.Name)
	e.string(r.Identity.Category)
	e.facet(r.Facet)
	e.string(r.Operation)
	e.buf = append(e.buf, byte(r.Mode))
	e.size(len(r.Context))
	for _, c := range r.Context {
		e.string(c.Key)
		e.string(c.Value)
	}
}

func (e *encoder) facet(f []string) {
	e.size(len(f))
	for _, s := range f {
		e.string(s)
	}
}

// encode returns the message in two parts, so that large parameters are not
// copied.
func (r *Request) encode() (head, params []byte, err error) {
	e := &encoder{buf: make([]byte, HeaderBytes, 512)}
	e.int(r.ID)
	r.head(e)
	size := len(e.buf) + len(r.Params)
	if size > math.MaxInt32 {
		return nil, nil, ErrTooLarge
	}
	appendHeader(e.buf[:0], msgRequest, size)
	return e.buf, r.Params, e.err
}

// Encode returns the request as a message.
func (r *Request) Encode() ([]byte, error) {
	head, params, err := r.encode()
	return append(head, params...), err
}

// EncodeBatch returns a message of several requests that get no replies.
func EncodeBatch(requests []*Request) ([]byte, error) {
	e := &encoder{buf: make([]byte, HeaderBytes, 512)}
	e.int(int32(len(requests)))
	for _, r := range requests {
		r.head(e)
		e.buf = append(e.buf, r.Params...)
	}
	if len(e.buf) > math.MaxInt32 {
		return nil, ErrTooLarge
	}
	appendHeader(e.buf[:0], msgBatch, len(e.buf))
	return e.buf, e.err
}

// Reply is the answer to a request.
type Reply struct {
	ID     int32
	Status byte

	Params []byte // encapsulation, for StatusOK and StatusUserException
	Rest   []byte // its end, where a sender has not joined it with Params

	Identity  Identity // these three for the ...NotExist states
	Facet     []string
	Operation string

	Text string // for the Unknown... states

	body *body // memory of a received reply that can be used again
}

// Encode returns the reply as a message.
func (r *Reply) Encode() ([]byte, error) {
	head, rest, err := r.EncodeParts()
	return append(head, rest...), err
}

// EncodeParts returns the reply as a message in two parts, the second of which
// is Rest: what is large is not copied.
func (r *Reply) EncodeParts() (head, rest []byte, err error) {
	e := &encoder{buf: make([]byte, HeaderBytes, HeaderBytes+64+len(r.Params))}
	e.int(r.ID)
	e.buf = append(e.buf, r.Status)
	switch r.Status {
	case StatusOK, StatusUserException:
		e.buf = append(e.buf, r.Params...)
	case StatusObjectNotExist, StatusFacetNotExist, StatusOperationNotExist:
		e.string(r.Identity.Name)
		e.string(r.Identity.Category)
		e.facet(r.Facet)
		e.string(r.Operation)
	case StatusUnknownLocal, StatusUnknownUser, StatusUnknown:
		e.string(r.Text)
	default:
		e.fail("reply status %d", r.Status)
	}
	size := len(e.buf) + len(r.Rest)
	if size > math.MaxInt32 {
		return nil, nil, ErrTooLarge
	}
	appendHeader(e.buf[:0], msgReply, size)
	return e.buf, r.Rest, e.err
}

// Message is a parsed message: one of Requests or Reply is set, or neither for
// a heartbeat and for the end of a connection.
type Message struct {
	Requests []*Request // one, or several in a batch
	Batch    bool
	Reply    *Reply
	Close    bool
}

// ParseMessage reads the body of a message that is not compressed. What it
// returns shares the memory of body.
func ParseMessage(h Header, body []byte) (*Message, error) {
	d := &decoder{buf: body, end: len(body), enc: Encoding10}
	m := &Message{}
	switch h.Type {
	case msgRequest:
		id := d.int()
		if id < 0 {
			d.fail("request %d", id)
		}
		r := d.request()
		r.ID = id
		m.Requests = []*Request{r}
	case msgBatch:
		m.Batch = true
		n := d.int()
		if n < 0 || int(n) > len(body)/minRequestBytes {
			d.fail("batch of %d requests", n)
		}
		for i := int32(0); i < n && d.err == nil; i++ {
			m.Requests = append(m.Requests, d.request())
		}
	case msgReply:
		m.Reply = d.reply()
	case msgClose:
		m.Close = true
	}
	if d.err == nil && d.pos != d.end {
		d.fail("%d bytes behind the message", d.end-d.pos)
	}
	return m, d.err
}

// minRequestBytes is what a request takes at least.
const minRequestBytes = 6 + encapsulationHeader

func (d *decoder) request() *Request {
	r := &Request{}
	r.Identity = Identity{d.string(), d.string()}
	r.Facet = d.facet()
	r.Operation = d.string()
	r.Mode = Mode(d.byte())
	if r.Mode > Idempotent {
		d.fail("operation mode %d", r.Mode)
	}
	if n := d.size(2); n > 0 {
		r.Context = make([]ContextEntry, 0, n)
		for range n {
			if d.err != nil {
				break
			}
			r.Context = append(r.Context, ContextEntry{d.string(), d.string()})
		}
	}
	r.Params = d.encapsulation()
	return r
}

func (d *decoder) facet() []string {
	switch n := d.size(1); n {
	case 0:
		return nil
	case 1:
		return []string{d.string()}
	default:
		d.fail("%d facets", n)
		return nil
	}
}

// encapsulation returns the encapsulation that starts here, with its header.
func (d *decoder) encapsulation() []byte {
	start := d.pos
	n := d.int()
	if n < encapsulationHeader {
		d.fail("encapsulation of %d bytes", n)
	}
	d.bytes(int(n) - 4)
	if d.err != nil {
		return nil
	}
	return d.buf[start:d.pos:d.pos]
}

func (d *decoder) reply() *Reply {
	r := &Reply{ID: d.int(), Status: d.byte()}
	switch r.Status {
	case StatusOK, StatusUserException:
		r.Params = d.encapsulation()
	case StatusObjectNotExist, StatusFacetNotExist, StatusOperationNotExist:
		r.Identity = Identity{d.string(), d.string()}
		r.Facet = d.facet()
		r.Operation = d.string()
	case StatusUnknownLocal, StatusUnknownUser, StatusUnknown:
		r.Text = d.string()
	default:
		d.fail("reply status %d", r.Status)
	}
	return r
}
