package hql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	tokEOF tokenKind = iota
	tokIdent
	tokNumber
	tokString
	tokParam
	tokPunct
)

// token is one lexical unit. text is what stood in the query, for strings
// without quotes and for parameters without the colon.
type token struct {
	kind tokenKind
	text string
	line int
	col  int
}

func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "end of query"
	case tokString:
		return "'" + t.text + "'"
	case tokParam:
		return ":" + t.text
	}
	return t.text
}

func unexpected(t token) *Error {
	if t.kind == tokEOF {
		return errorf("unexpected end of query near line %d, column %d", t.line, t.col)
	}
	return errorf("unexpected token: %s near line %d, column %d", t, t.line, t.col)
}

// lex splits a query into tokens; the last one is tokEOF.
func lex(query string) ([]token, error) {
	l := &lexer{text: query, line: 1, col: 1}
	var out []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if len(out) >= maxTokens {
			return nil, tooLong(t)
		}
		out = append(out, t)
		if t.kind == tokEOF {
			return out, nil
		}
	}
}

type lexer struct {
	text      string
	pos       int
	line, col int
}

func (l *lexer) peek() rune {
	if l.pos >= len(l.text) {
		return -1
	}
	r, _ := utf8.DecodeRuneInString(l.text[l.pos:])
	return r
}

func (l *lexer) advance() rune {
	r, n := utf8.DecodeRuneInString(l.text[l.pos:])
	l.pos += n
	if r == '\n' {
		l.line, l.col = l.line+1, 1
	} else {
		l.col++
	}
	return r
}

func identStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }
func identPart(r rune) bool  { return identStart(r) || unicode.IsDigit(r) }
func digit(r rune) bool      { return r >= '0' && r <= '9' }

func (l *lexer) while(f func(rune) bool) string {
	start := l.pos
	for l.pos < len(l.text) && f(l.peek()) {
		l.advance()
	}
	return l.text[start:l.pos]
}

func (l *lexer) next() (token, error) {
	l.while(unicode.IsSpace)
	t := token{line: l.line, col: l.col}
	r := l.peek()
	switch {
	case r < 0:
		return t, nil
	case identStart(r):
		t.kind, t.text = tokIdent, l.while(identPart)
		return t, nil
	case digit(r) || r == '.' && l.pos+1 < len(l.text) && digit(rune(l.text[l.pos+1])):
		t.kind, t.text = tokNumber, l.number()
		return t, nil
	case r == '\'':
		s, ok := l.quoted()
		if !ok {
			return t, errorf("unterminated string near line %d, column %d", t.line, t.col)
		}
		t.kind, t.text = tokString, s
		return t, nil
	case r == ':':
		l.advance()
		t.kind, t.text = tokParam, l.while(identPart)
		if t.text == "" {
			return t, errorf("unexpected token: : near line %d, column %d", t.line, t.col)
		}
		return t, nil
	}
	for _, p := range []string{"<>", "!=", "^=", "<=", ">=", "||"} {
		if strings.HasPrefix(l.text[l.pos:], p) {
			l.advance()
			l.advance()
			t.kind, t.text = tokPunct, p
			return t, nil
		}
	}
	if strings.ContainsRune("(),.=<>+-*/%[]", r) {
		l.advance()
		t.kind, t.text = tokPunct, string(r)
		return t, nil
	}
	return t, errorf("unexpected char: %q near line %d, column %d", r, t.line, t.col)
}

// quoted reads a string literal; a doubled quote stands for one.
func (l *lexer) quoted() (string, bool) {
	var b strings.Builder
	l.advance()
	for l.pos < len(l.text) {
		r := l.advance()
		if r != '\'' {
			b.WriteRune(r)
			continue
		}
		if l.peek() != '\'' {
			return b.String(), true
		}
		b.WriteRune(l.advance())
	}
	return "", false
}

// number reads digits, fraction, exponent and one of Java's suffixes.
func (l *lexer) number() string {
	start := l.pos
	l.while(digit)
	if l.peek() == '.' {
		l.advance()
		l.while(digit)
	}
	if r := l.peek(); r == 'e' || r == 'E' {
		rest := strings.TrimLeft(l.text[l.pos+1:], "+-")
		if rest != "" && digit(rune(rest[0])) {
			for l.pos < len(l.text)-len(rest) {
				l.advance()
			}
			l.while(digit)
		}
	}
	if strings.ContainsRune("LlFfDd", l.peek()) && l.peek() > 0 {
		l.advance()
	}
	return l.text[start:l.pos]
}
