package ice

import (
	"fmt"
	"strings"
)

type tokenKind int

const (
	tokenEOF    tokenKind = iota
	tokenName             // identifier or scoped name such as ::a::b
	tokenNumber           // integer
	tokenString           // quoted text, without the quotes
	tokenPunct            // one of { } ( ) < > [ ] , ; = * :, also [[ and ]]
)

type token struct {
	kind tokenKind
	text string
	line int
}

// lexer splits a Slice file into tokens. Comments and preprocessor lines are
// skipped: the parser sees all files together and needs no includes.
type lexer struct {
	file string
	src  string
	pos  int
	line int
}

func newLexer(file string, src []byte) *lexer {
	return &lexer{file: file, src: string(src), line: 1}
}

func (l *lexer) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", l.file, line, fmt.Sprintf(format, args...))
}

// next returns the next token; at the end of the file tokenEOF, any number of
// times.
func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	t := token{line: l.line}
	if l.pos >= len(l.src) {
		return t, nil
	}
	c := l.src[l.pos]
	switch {
	case isNameStart(c), strings.HasPrefix(l.src[l.pos:], "::"):
		return l.name()
	case c >= '0' && c <= '9':
		start := l.pos
		for l.pos < len(l.src) && isNamePart(l.src[l.pos]) {
			l.pos++
		}
		t.kind, t.text = tokenNumber, l.src[start:l.pos]
	case c == '"':
		end := strings.IndexAny(l.src[l.pos+1:], "\"\n")
		if end < 0 || l.src[l.pos+1+end] == '\n' {
			return t, l.errorf(l.line, "text without an end")
		}
		t.kind, t.text = tokenString, l.src[l.pos+1:l.pos+1+end]
		l.pos += end + 2
	case strings.HasPrefix(l.src[l.pos:], "[["), strings.HasPrefix(l.src[l.pos:], "]]"):
		t.kind, t.text = tokenPunct, l.src[l.pos:l.pos+2]
		l.pos += 2
	case strings.IndexByte("{}()<>[],;=*:", c) >= 0:
		t.kind, t.text = tokenPunct, string(c)
		l.pos++
	default:
		return t, l.errorf(l.line, "unexpected character %q", c)
	}
	return t, nil
}

// name reads an identifier or a scoped name. A backslash in front of an
// identifier, which makes a keyword an identifier, is dropped.
func (l *lexer) name() (token, error) {
	t := token{kind: tokenName, line: l.line}
	var b strings.Builder
	for {
		if strings.HasPrefix(l.src[l.pos:], "::") {
			b.WriteString("::")
			l.pos += 2
		}
		if l.pos < len(l.src) && l.src[l.pos] == '\\' {
			l.pos++
		}
		start := l.pos
		for l.pos < len(l.src) && isNamePart(l.src[l.pos]) {
			l.pos++
		}
		if l.pos == start || !isNameStart(l.src[start]) {
			return t, l.errorf(l.line, "name expected")
		}
		b.WriteString(l.src[start:l.pos])
		if !strings.HasPrefix(l.src[l.pos:], "::") {
			t.text = b.String()
			return t, nil
		}
	}
}

// skip moves past white space, comments and preprocessor lines.
func (l *lexer) skip() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case rest[0] == '\n':
			l.line++
			l.pos++
		case rest[0] == ' ', rest[0] == '\t', rest[0] == '\r':
			l.pos++
		case rest[0] == '#', strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.errorf(l.line, "comment without an end")
			}
			l.line += strings.Count(rest[:end+4], "\n")
			l.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

func isNameStart(c byte) bool {
	return c == '_' || c == '\\' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isNamePart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
