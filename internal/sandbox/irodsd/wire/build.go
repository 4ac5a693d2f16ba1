package wire

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Builder writes XML as an iRODS server does: a newline after every element.
type Builder struct {
	buf    []byte
	quotes Quotes
}

// NewBuilder returns a builder for a peer with that quote rule.
func NewBuilder(q Quotes) *Builder { return &Builder{quotes: q} }

// Bytes returns what was written.
func (b *Builder) Bytes() []byte { return b.buf }

// Open starts a struct.
func (b *Builder) Open(name string) {
	b.buf = append(b.buf, '<')
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '>', '\n')
}

// Close ends a struct.
func (b *Builder) Close(name string) {
	b.buf = append(b.buf, '<', '/')
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '>', '\n')
}

// Str writes one text element.
func (b *Builder) Str(name, value string) {
	b.buf = append(b.buf, '<')
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '>')
	b.escape(value)
	b.Close(name)
}

// Int writes one number element.
func (b *Builder) Int(name string, value int64) {
	b.buf = append(b.buf, '<')
	b.buf = append(b.buf, name...)
	b.buf = append(b.buf, '>')
	b.buf = strconv.AppendInt(b.buf, value, 10)
	b.Close(name)
}

// Binary writes a BinBytesBuf_PI. JSON answers carry one trailing NUL that
// the length counts.
func (b *Builder) Binary(data []byte) {
	data = append(data[:len(data):len(data)], 0)
	b.Open("BinBytesBuf_PI")
	b.Int("buflen", int64(len(data)))
	b.Str("buf", base64.StdEncoding.EncodeToString(data))
	b.Close("BinBytesBuf_PI")
}

func (b *Builder) escape(s string) {
	if !strings.ContainsAny(s, "&<>\"'`") {
		b.buf = append(b.buf, s...)
		return
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '&':
			b.buf = append(b.buf, "&amp;"...)
		case c == '<':
			b.buf = append(b.buf, "&lt;"...)
		case c == '>':
			b.buf = append(b.buf, "&gt;"...)
		case c == '"':
			b.buf = append(b.buf, "&quot;"...)
		case c == '\'' && b.quotes == QuotesNew, c == '`' && b.quotes == QuotesOld:
			b.buf = append(b.buf, "&apos;"...)
		default:
			b.buf = append(b.buf, c)
		}
	}
}

// Errors returns an RError_PI with one entry.
func Errors(q Quotes, code int64, text string) []byte {
	b := NewBuilder(q)
	b.Open("RError_PI")
	b.Int("count", 1)
	b.Open("RErrMsg_PI")
	b.Int("status", code)
	b.Str("msg", text)
	b.Close("RErrMsg_PI")
	b.Close("RError_PI")
	return b.Bytes()
}
