package pack

import (
	"bufio"
	"encoding/base64"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// xmlWriter writes elements one below the other, indented. It keeps the first
// error for flush. Characters that XML cannot hold become U+FFFD; texts.go
// sees to it that none is lost.
type xmlWriter struct {
	w    *bufio.Writer
	open []string // names of the elements that are not closed yet
	tag  bool     // the last start tag still lacks its >
	leaf bool     // the open element has text and no children
	num  []byte   // for numbers
}

func newXMLWriter(w io.Writer) *xmlWriter {
	return &xmlWriter{w: bufio.NewWriterSize(w, 64<<10)}
}

func (x *xmlWriter) flush() error { return x.w.Flush() }

// start opens an element; attributes may follow.
func (x *xmlWriter) start(name string) {
	x.closeTag()
	x.indent()
	x.w.WriteByte('<')
	x.w.WriteString(name)
	x.open = append(x.open, name)
	x.tag, x.leaf = true, false
}

// end closes the innermost element.
func (x *xmlWriter) end() {
	name := x.open[len(x.open)-1]
	x.open = x.open[:len(x.open)-1]
	switch {
	case x.tag:
		x.w.WriteString("/>")
	case x.leaf:
		x.w.WriteString("</" + name + ">")
	default:
		x.indent()
		x.w.WriteString("</" + name + ">")
	}
	x.tag, x.leaf = false, false
}

func (x *xmlWriter) closeTag() {
	if x.tag {
		x.w.WriteByte('>')
		x.tag = false
	}
}

func (x *xmlWriter) indent() {
	x.w.WriteByte('\n')
	for range x.open {
		x.w.WriteString("  ")
	}
}

// text writes the content of the innermost element, which gets no children.
func (x *xmlWriter) text(s string) {
	x.closeTag()
	x.leaf = true
	x.escape(s, false)
}

// raw writes content that is well-formed XML already.
func (x *xmlWriter) raw(s string) {
	x.closeTag()
	x.leaf = true
	x.w.WriteString(s)
}

// base64 writes bytes as the content of the innermost element.
func (x *xmlWriter) base64(b []byte) {
	x.closeTag()
	x.leaf = true
	e := base64.NewEncoder(base64.StdEncoding, x.w)
	e.Write(b) // bufio.Writer keeps the error
	e.Close()
}

// element writes an element with text; none when the text is empty.
func (x *xmlWriter) element(name, text string) {
	if text == "" {
		return
	}
	x.start(name)
	x.text(text)
	x.end()
}

// attr writes an attribute.
func (x *xmlWriter) attr(name, value string) {
	x.w.WriteByte(' ')
	x.w.WriteString(name)
	x.w.WriteString(`="`)
	x.escape(value, true)
	x.w.WriteByte('"')
}

// optional writes an attribute unless it is empty.
func (x *xmlWriter) optional(name, value string) {
	if value != "" {
		x.attr(name, value)
	}
}

// optText writes an attribute unless there is none; it may be empty.
func (x *xmlWriter) optText(name string, value *string) {
	if value != nil {
		x.attr(name, *value)
	}
}

func (x *xmlWriter) rawAttr(name string, value []byte) {
	x.w.WriteByte(' ')
	x.w.WriteString(name)
	x.w.WriteString(`="`)
	x.w.Write(value)
	x.w.WriteByte('"')
}

func (x *xmlWriter) int(name string, n int64) {
	x.num = strconv.AppendInt(x.num[:0], n, 10)
	x.rawAttr(name, x.num)
}

func (x *xmlWriter) optInt(name string, n *int) {
	if n != nil {
		x.int(name, int64(*n))
	}
}

func (x *xmlWriter) color(name string, c *int32) {
	if c != nil {
		x.int(name, int64(*c))
	}
}

func (x *xmlWriter) float(name string, f float64) {
	x.num = appendFloat(x.num[:0], f)
	x.rawAttr(name, x.num)
}

func (x *xmlWriter) optFloat(name string, f *float64) {
	if f != nil {
		x.float(name, *f)
	}
}

// quantity writes a value and, in an attribute of its own, its unit.
func (x *xmlWriter) quantity(name string, q *Quantity) {
	if q != nil {
		x.float(name, q.Value)
		x.attr(name+"Unit", q.Unit)
	}
}

func (x *xmlWriter) bool(name string, b bool) {
	x.rawAttr(name, strconv.AppendBool(x.num[:0], b))
}

// flag writes an attribute only when it is true.
func (x *xmlWriter) flag(name string, b bool) {
	if b {
		x.bool(name, true)
	}
}

// time writes a moment unless it is zero.
func (x *xmlWriter) time(name string, t time.Time) {
	if !t.IsZero() {
		x.attr(name, formatTime(t))
	}
}

// appendFloat writes a number as XML Schema has it.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(b, "INF"...)
	case math.IsInf(f, -1):
		return append(b, "-INF"...)
	case math.IsNaN(f):
		return append(b, "NaN"...)
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e15) {
		format = 'e'
	}
	return strconv.AppendFloat(b, f, format, -1, 64)
}

// escape writes s as character data, in an attribute when attr is set. There
// line ends and tabs are written as references, or a reader makes them spaces.
func (x *xmlWriter) escape(s string, attr bool) {
	from := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		esc := ""
		switch {
		case r == '&':
			esc = "&amp;"
		case r == '<':
			esc = "&lt;"
		case r == '>':
			esc = "&gt;"
		case r == '\r':
			esc = "&#xD;"
		case attr && r == '"':
			esc = "&quot;"
		case attr && r == '\n':
			esc = "&#xA;"
		case attr && r == '\t':
			esc = "&#x9;"
		case !xmlChar(r) || r == utf8.RuneError && size == 1:
			esc = "\uFFFD"
		}
		if esc != "" {
			x.w.WriteString(s[from:i])
			x.w.WriteString(esc)
			from = i + size
		}
		i += size
	}
	x.w.WriteString(s[from:])
}

// xmlChar reports whether XML 1.0 allows the character (section 2.2).
func xmlChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return r >= 0xE000 && r < 0xFFFE || r >= 0x10000 && r <= utf8.MaxRune
}

// clean reports whether XML can hold the text as it is.
func clean(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return false
		} else if c >= utf8.RuneSelf {
			return utf8.ValidString(s[i:]) && strings.IndexFunc(s[i:], func(r rune) bool { return !xmlChar(r) }) < 0
		}
	}
	return true
}
