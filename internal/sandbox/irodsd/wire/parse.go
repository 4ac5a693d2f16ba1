package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// Quotes is how a peer writes quote characters, which changed with release
// 4.2.9: older peers mean the back-quote when they write &apos;.
type Quotes int

// The two rules.
const (
	QuotesNew Quotes = iota
	QuotesOld
)

// Node is one element: either text or child elements.
type Node struct {
	Name string
	Text string
	Kids []*Node
}

// maxDepth bounds nesting; the deepest real message has four levels.
const maxDepth = 16

// Parse reads one element. White space between elements is skipped, inside
// values it is kept. Attributes do not occur in the protocol.
func Parse(b []byte, q Quotes) (*Node, error) {
	p := parser{rest: bytes.TrimRight(b, "\x00"), quotes: q}
	p.space()
	n, err := p.element(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if len(p.rest) > 0 {
		return nil, fmt.Errorf("%w: bytes after the last element", ErrMalformed)
	}
	return n, nil
}

type parser struct {
	rest   []byte
	quotes Quotes
}

func (p *parser) space() {
	p.rest = bytes.TrimLeft(p.rest, " \t\r\n")
}

// tag reads "<name>" and returns the name.
func (p *parser) tag() (string, error) {
	if len(p.rest) == 0 || p.rest[0] != '<' {
		return "", fmt.Errorf("%w: expected a tag", ErrMalformed)
	}
	end := bytes.IndexByte(p.rest, '>')
	if end < 2 || end > 128 {
		return "", fmt.Errorf("%w: bad tag", ErrMalformed)
	}
	name := string(p.rest[1:end])
	p.rest = p.rest[end+1:]
	return name, nil
}

func (p *parser) element(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested too deep", ErrMalformed)
	}
	name, err := p.tag()
	if err != nil {
		return nil, err
	}
	if short, ok := strings.CutSuffix(name, "/"); ok {
		return &Node{Name: short}, nil
	}
	if strings.HasPrefix(name, "/") || strings.ContainsAny(name, "< \t\n") {
		return nil, fmt.Errorf("%w: bad tag", ErrMalformed)
	}
	n := &Node{Name: name}
	closing := "</" + name + ">"
	text := bytes.IndexByte(p.rest, '<')
	if text < 0 {
		return nil, fmt.Errorf("%w: %s is not closed", ErrMalformed, name)
	}
	if bytes.HasPrefix(p.rest[text:], []byte(closing)) {
		n.Text = unescape(string(p.rest[:text]), p.quotes)
		p.rest = p.rest[text+len(closing):]
		return n, nil
	}
	for {
		p.space()
		if bytes.HasPrefix(p.rest, []byte(closing)) {
			p.rest = p.rest[len(closing):]
			return n, nil
		}
		kid, err := p.element(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Kids = append(n.Kids, kid)
	}
}

// unescape decodes the five named entities. At the first other ampersand the
// iRODS decoder gives up: what it has decoded so far stays, followed by the
// whole value as it came.
func unescape(s string, q Quotes) string {
	if !strings.Contains(s, "&") {
		return s
	}
	apos := "'"
	if q == QuotesOld {
		apos = "`"
	}
	var out strings.Builder
	for rest := s; ; {
		i := strings.IndexByte(rest, '&')
		if i < 0 {
			out.WriteString(rest)
			return out.String()
		}
		out.WriteString(rest[:i])
		rest = rest[i:]
		switch {
		case strings.HasPrefix(rest, "&amp;"):
			out.WriteByte('&')
			rest = rest[5:]
		case strings.HasPrefix(rest, "&lt;"):
			out.WriteByte('<')
			rest = rest[4:]
		case strings.HasPrefix(rest, "&gt;"):
			out.WriteByte('>')
			rest = rest[4:]
		case strings.HasPrefix(rest, "&quot;"):
			out.WriteByte('"')
			rest = rest[6:]
		case strings.HasPrefix(rest, "&apos;"):
			out.WriteString(apos)
			rest = rest[6:]
		default:
			out.WriteString(s)
			return out.String()
		}
	}
}

// Child returns the first child of that name, or nil. A nil Node has none.
func (n *Node) Child(name string) *Node {
	if n == nil {
		return nil
	}
	for _, k := range n.Kids {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// All returns the children of that name in order.
func (n *Node) All(name string) []*Node {
	if n == nil {
		return nil
	}
	var out []*Node
	for _, k := range n.Kids {
		if k.Name == name {
			out = append(out, k)
		}
	}
	return out
}

// Str returns a child's text; a missing child reads as empty.
func (n *Node) Str(name string) string {
	if k := n.Child(name); k != nil {
		return k.Text
	}
	return ""
}

// Int returns a child's number; missing or not a number reads as 0.
func (n *Node) Int(name string) int64 {
	return Number(strings.TrimSpace(n.Str(name)))
}

// KeyVals returns the keywords of a KeyValPair_PI child. Only as many as
// ssLen announces count.
func (n *Node) KeyVals() KeyVals {
	kv := n.Child("KeyValPair_PI")
	keys, vals := kv.All("keyWord"), kv.All("svalue")
	count := min(int(kv.Int("ssLen")), len(keys))
	out := make(KeyVals, max(count, 0))
	for i := range count {
		v := ""
		if i < len(vals) {
			v = vals[i].Text
		}
		out[keys[i].Text] = v
	}
	return out
}

// KeyVals are the keywords of a request.
type KeyVals map[string]string

// Has tells whether the keyword was sent, with or without a value.
func (kv KeyVals) Has(key string) bool {
	_, ok := kv[key]
	return ok
}

// Pair is one entry of an index list.
type Pair struct {
	Index int
	Value string
}

// Pairs returns the entries of an InxIvalPair_PI or InxValPair_PI child in
// order; length names the element that counts them.
func (n *Node) Pairs(name, length, value string) []Pair {
	list := n.Child(name)
	inx, vals := list.All("inx"), list.All(value)
	count := min(int(list.Int(length)), len(inx), len(vals))
	var out []Pair
	for i := range max(count, 0) {
		out = append(out, Pair{Index: int(Number(inx[i].Text)), Value: vals[i].Text})
	}
	return out
}
