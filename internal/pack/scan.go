package pack

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// scanner walks through a document element by element. It keeps the first
// error, so that attributes can be read one after the other.
type scanner struct {
	dec      *xml.Decoder
	g        *guard
	limits   Limits
	depth    int
	elements int
	where    []string // the open elements, with their IDs
	err      error
}

func newScanner(r io.Reader, limits Limits) *scanner {
	g := newGuard(r, limits)
	s := &scanner{dec: xml.NewDecoder(g), g: g, limits: limits}
	s.dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return in, nil
		}
		return nil, fmt.Errorf("%w: encoding %q, not UTF-8", ErrInvalid, clip(charset))
	}
	return s
}

// element is a start tag that was read and whose content was not.
type element struct {
	*scanner
	name xml.Name
	attr []xml.Attr
}

// fail notes an error at the place that is being read.
func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
		if len(s.where) > 0 {
			s.err = fmt.Errorf("at %s: %w", strings.Join(s.where, "/"), err)
		}
	}
}

func (s *scanner) invalid(format string, args ...any) {
	s.fail(fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...)))
}

// next is the next token but for comments and instructions.
func (s *scanner) next() (xml.Token, error) {
	for {
		t, err := s.dec.Token()
		if err != nil {
			var syntax *xml.SyntaxError
			if errors.As(err, &syntax) {
				err = fmt.Errorf("%w: line %d: %s", ErrInvalid, syntax.Line, syntax.Msg)
			}
			if !errors.Is(err, io.EOF) {
				s.fail(err)
				return nil, s.err
			}
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			s.elements++
			s.depth++
			switch {
			case s.depth > s.limits.Depth:
				s.fail(fmt.Errorf("%w: elements more than %d deep", ErrLimit, s.limits.Depth))
			case s.elements > s.limits.Elements:
				s.fail(fmt.Errorf("%w: more than %d elements", ErrLimit, s.limits.Elements))
			}
			place := t.Name.Local
			for _, a := range t.Attr {
				if a.Name.Local == "ID" {
					place = clip(a.Value)
				}
			}
			s.where = append(s.where, clip(place))
			return t, s.err
		case xml.EndElement:
			s.depth--
			s.where = s.where[:len(s.where)-1]
			return t, s.err
		case xml.CharData:
			return t, nil
		case xml.Directive:
			s.fail(fmt.Errorf("%w: %w", ErrInvalid, errDoctype))
			return nil, s.err
		}
	}
}

// root finds the outermost element.
func (s *scanner) root() (*element, error) {
	for {
		t, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: no element in it", ErrNotPack)
		}
		if err != nil {
			return nil, err
		}
		if t, ok := t.(xml.StartElement); ok {
			return &element{s, t.Name, t.Attr}, nil
		}
	}
}

// end makes sure that nothing follows the outermost element.
func (s *scanner) end() error {
	for {
		t, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c, ok := t.(xml.CharData); !ok || strings.TrimSpace(string(c)) != "" {
			return fmt.Errorf("%w: something after the end of the document", ErrInvalid)
		}
	}
}

// children calls fn for each child; fn must read it to its end.
func (e *element) children(fn func(*element)) {
	for e.err == nil {
		t, err := e.next()
		if err != nil {
			e.fail(err)
			return
		}
		switch t := t.(type) {
		case xml.StartElement:
			fn(&element{e.scanner, t.Name, t.Attr})
		case xml.EndElement:
			return
		}
	}
}

// skip reads an element to its end and forgets it.
func (e *element) skip() {
	for depth := 1; depth > 0 && e.err == nil; {
		t, err := e.next()
		if err != nil {
			e.fail(err)
			return
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

// raw reads an element to its end and returns its content as it stands in the
// document.
func (e *element) raw() string {
	e.g.copyFrom()
	for depth := 1; e.err == nil; {
		before := e.dec.InputOffset()
		t, err := e.next()
		if err != nil {
			e.fail(err)
			break
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			if depth--; depth == 0 {
				return e.g.copyTo(e.g.read - before)
			}
		}
	}
	return e.g.copyTo(0)
}

// text reads an element to its end and returns its own text.
func (e *element) text() string {
	var first string
	var more strings.Builder
	for e.err == nil {
		t, err := e.next()
		if err != nil {
			e.fail(err)
			return ""
		}
		switch t := t.(type) {
		case xml.CharData:
			if first == "" && more.Len() == 0 {
				first = string(t)
				continue
			}
			if more.Len() == 0 {
				more.WriteString(first)
			}
			more.Write(t)
		case xml.StartElement:
			(&element{e.scanner, t.Name, t.Attr}).skip()
		case xml.EndElement:
			if more.Len() > 0 {
				return more.String()
			}
			return first
		}
	}
	return ""
}

// base64 reads an element to its end as base64 text, white space allowed.
func (e *element) base64() []byte {
	s := strings.Join(strings.Fields(e.text()), "")
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		e.invalid("no base64")
	}
	if len(b) == 0 {
		return nil
	}
	return b
}
