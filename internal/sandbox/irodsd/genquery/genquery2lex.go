package genquery

import (
	"strconv"
	"strings"
)

type token struct {
	kind byte // 'w' word, 's' string, 'n' number, or the symbol itself; 0 at the end
	text string
}

// lex cuts the text into tokens. A string that is not closed becomes a token
// that fits nowhere.
func lex(s string) []token {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '\'':
			text, n, closed := literal(s[i+1:])
			kind := byte('s')
			if !closed {
				kind = '?'
			}
			out = append(out, token{kind, text})
			i += 1 + n
		case isWord(c):
			from := i
			for i < len(s) && isWord(s[i]) {
				i++
			}
			kind := byte('w')
			if c >= '0' && c <= '9' {
				kind = 'n'
			}
			out = append(out, token{kind, s[from:i]})
		default:
			n := 1
			if i+1 < len(s) && strings.Contains("<> <= >= !=", s[i:i+2]) && s[i+1] != ' ' {
				n = 2
			}
			out = append(out, token{c, s[i : i+n]})
			i += n
		}
	}
	return out
}

// literal reads a string behind its opening quote: a quote is written twice, a
// byte may be written as \x and two digits. n counts the closing quote.
func literal(s string) (text string, n int, closed bool) {
	var b strings.Builder
	for n < len(s) {
		rest := s[n:]
		if len(rest) >= 4 && rest[:2] == `\x` {
			if code, err := strconv.ParseUint(rest[2:4], 16, 8); err == nil {
				b.WriteByte(byte(code))
				n += 4
				continue
			}
		}
		if strings.HasPrefix(rest, "''") {
			b.WriteByte('\'')
			n += 2
			continue
		}
		n++
		if rest[0] == '\'' {
			return b.String(), n, true
		}
		b.WriteByte(rest[0])
	}
	return b.String(), n, false
}
