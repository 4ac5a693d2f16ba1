package pack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// guard hands the bytes of a document to the XML decoder one by one and stops
// what would make that decoder hold too much at once: a document, a tag or a
// run of text that is too long, a tag with too many attributes, a DOCTYPE. It
// also keeps a copy of what passes while it is asked to.
type guard struct {
	r      *bufio.Reader
	limits Limits

	read   int64 // bytes handed out
	state  guardState
	token  int     // bytes of the tag or text so far
	equals int     // equal signs outside of quotes in this tag
	quote  byte    // the open quote in this tag
	last   [3]byte // the last bytes of a section

	copying bool
	copied  []byte
}

type guardState int

const (
	inText    guardState = iota
	inOpening            // after <, before it is clear of what
	inTag
	inComment
	inCDATA
	inInstruction
)

func newGuard(r io.Reader, limits Limits) *guard {
	return &guard{r: bufio.NewReaderSize(r, 64<<10), limits: limits}
}

// Read is there because the decoder asks for a Reader; it uses ReadByte.
func (g *guard) Read(p []byte) (int, error) {
	for i := range p {
		b, err := g.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = b
	}
	return len(p), nil
}

// ReadByte implements io.ByteReader.
func (g *guard) ReadByte() (byte, error) {
	b, err := g.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if g.read++; g.read > g.limits.Bytes {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrLimit, g.limits.Bytes)
	}
	if g.token++; g.token > g.limits.TokenBytes {
		return 0, fmt.Errorf("%w: a tag or text of more than %d bytes", ErrLimit, g.limits.TokenBytes)
	}
	if g.copying {
		g.copied = append(g.copied, b)
	}
	return b, g.follow(b)
}

var errDoctype = errors.New("a document type declaration")

// follow keeps track of where in the document b stands.
func (g *guard) follow(b byte) error {
	switch g.state {
	case inText:
		if b == '<' {
			g.enter(inOpening)
		}
	case inOpening:
		switch {
		case g.token == 1 && b == '?':
			g.enter(inInstruction)
		case g.token == 1 && b == '!':
		case g.token == 1:
			g.enter(inTag)
		case b == '-':
			g.enter(inComment)
		case b == '[':
			g.enter(inCDATA)
		default:
			return fmt.Errorf("%w: %w", ErrInvalid, errDoctype)
		}
	case inTag:
		switch {
		case g.quote != 0:
			if b == g.quote {
				g.quote = 0
			}
		case b == '"' || b == '\'':
			g.quote = b
		case b == '=':
			if g.equals++; g.equals > g.limits.Attributes {
				return fmt.Errorf("%w: an element with more than %d attributes", ErrLimit, g.limits.Attributes)
			}
		case b == '>':
			g.enter(inText)
		}
	case inComment:
		g.until(b, '-', '-')
	case inCDATA:
		g.until(b, ']', ']')
	case inInstruction:
		g.until(b, 0, '?')
	}
	return nil
}

func (g *guard) enter(s guardState) {
	g.state, g.token, g.equals, g.quote, g.last = s, 0, 0, 0, [3]byte{}
}

// until leaves a section that ends in the bytes x, y and >; x 0 means any.
func (g *guard) until(b, x, y byte) {
	g.last[0], g.last[1], g.last[2] = g.last[1], g.last[2], b
	if b == '>' && g.last[1] == y && (x == 0 || g.last[0] == x) {
		g.enter(inText)
	}
}

// copyFrom starts keeping what passes.
func (g *guard) copyFrom() {
	g.copying, g.copied = true, nil
}

// copyTo ends that and returns what passed, without the last extra bytes.
func (g *guard) copyTo(extra int64) string {
	g.copying = false
	s := string(g.copied[:max(int64(len(g.copied))-extra, 0)])
	g.copied = nil
	return s
}
