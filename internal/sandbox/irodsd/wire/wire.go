// Package wire is the outer form of the iRODS protocol as an XML-mode server
// sees it: the length-prefixed header, and the XML dialect of headers and
// bodies. It knows message shapes, not their meaning.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Message types in a header.
const (
	TypeConnect      = "RODS_CONNECT"
	TypeVersion      = "RODS_VERSION"
	TypeNegotiation  = "RODS_CS_NEG_T"
	TypeRequest      = "RODS_API_REQ"
	TypeReply        = "RODS_API_REPLY"
	TypeDisconnect   = "RODS_DISCONNECT"
	TypeSharedSecret = "SHARED_SECRET"
)

// Bounds on what a peer may announce. The byte stream is never held in memory
// whole, so its bound only keeps lengths sane.
const (
	maxHeaderBytes = 16 << 10
	MaxBodyBytes   = 16 << 20
	MaxStreamBytes = 16 << 30
)

// ErrMalformed is what a peer sends that is not the iRODS protocol.
var ErrMalformed = errors.New("malformed iRODS message")

// Header is the part of a message that says what follows: Body bytes of XML,
// Error bytes of XML, then Stream raw bytes.
type Header struct {
	Type   string
	Body   int64
	Error  int64
	Stream int64
	Info   int32 // API number in a request, status in a reply
}

// ReadHeader reads one header: four bytes big-endian length, then that much
// XML. It returns io.EOF only when the peer ended between two messages.
func ReadHeader(r io.Reader) (Header, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return Header{}, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n > maxHeaderBytes {
		return Header{}, fmt.Errorf("%w: header of %d bytes", ErrMalformed, n)
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(r, buf); err != nil {
		return Header{}, unexpected(err)
	}
	node, err := Parse(buf, QuotesNew)
	if err != nil {
		return Header{}, err
	}
	if node.Name != "MsgHeader_PI" {
		return Header{}, fmt.Errorf("%w: header is %q", ErrMalformed, node.Name)
	}
	h := Header{
		Type:   node.Str("type"),
		Body:   node.Int("msgLen"),
		Error:  node.Int("errorLen"),
		Stream: node.Int("bsLen"),
		Info:   int32(node.Int("intInfo")),
	}
	if h.Body < 0 || h.Body > MaxBodyBytes || h.Error < 0 || h.Error > MaxBodyBytes || h.Stream < 0 || h.Stream > MaxStreamBytes {
		return Header{}, fmt.Errorf("%w: lengths out of range", ErrMalformed)
	}
	return h, nil
}

// Append appends the header as a server writes it, with its length in front.
func (h Header) Append(dst []byte) []byte {
	b := NewBuilder(QuotesNew)
	b.Open("MsgHeader_PI")
	b.Str("type", h.Type)
	b.Int("msgLen", h.Body)
	b.Int("errorLen", h.Error)
	b.Int("bsLen", h.Stream)
	b.Int("intInfo", int64(h.Info))
	b.Close("MsgHeader_PI")
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.buf)))
	return append(dst, b.buf...)
}

// ReadBody reads and parses n bytes of XML. No bytes give an empty node, as
// calls without input send nothing.
func ReadBody(r io.Reader, n int64, q Quotes) (*Node, error) {
	if n == 0 {
		return &Node{}, nil
	}
	buf := make([]byte, n)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, unexpected(err)
	}
	return Parse(buf, q)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Number reads decimal text the way the protocol's C peers do: what is not
// a number is 0.
func Number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
