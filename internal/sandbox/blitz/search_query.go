package blitz

import (
	"path"
	"strings"
	"unicode"
)

// words splits text as the full-text index does: runs of letters and digits, in
// lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// clause is a part of a full-text query: a word or a phrase, in one field or in
// any.
type clause struct {
	field   string // "" for any
	pattern string // of one word, which may hold * and ?
	phrase  []string
	must    bool
	not     bool
}

// parseSearch reads a query in the syntax of Lucene, as far as people use it:
// words, phrases in quotes, wildcards, fields, + and -, AND, OR and NOT.
// Parentheses only group words of the same kind and are passed over.
func parseSearch(query string) []clause {
	var out []clause
	var next clause
	and := false
	for _, token := range searchTokens(query) {
		switch token {
		case "AND", "&&":
			if and = true; len(out) > 0 && !out[len(out)-1].not {
				out[len(out)-1].must = true
			}
			continue
		case "OR", "||":
			continue
		case "NOT", "!":
			next.not = true
			continue
		}
		next.must, and = next.must || and, false
		for len(token) > 1 && (token[0] == '+' || token[0] == '-') {
			next.must, next.not = next.must || token[0] == '+', next.not || token[0] == '-'
			token = token[1:]
		}
		if i := strings.IndexByte(token, ':'); i > 0 && !strings.HasPrefix(token, `"`) {
			next.field, token = strings.ToLower(token[:i]), token[i+1:]
		}
		switch {
		case strings.ContainsAny(token, "*?"):
			next.pattern = strings.ToLower(strings.Trim(token, `"`))
		default:
			next.phrase = words(token)
		}
		if next.pattern != "" || len(next.phrase) > 0 {
			next.must = next.must && !next.not
			out = append(out, next)
		}
		next = clause{}
	}
	return out
}

// searchTokens splits a query at spaces and parentheses outside quotes.
func searchTokens(query string) (out []string) {
	var b strings.Builder
	quoted := false
	end := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	for _, r := range query {
		switch {
		case r == '"':
			quoted = !quoted
			b.WriteRune(r)
		case !quoted && (unicode.IsSpace(r) || r == '(' || r == ')'):
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return out
}

// in reports whether a list of words holds the clause.
func (c *clause) in(text []string) bool {
	if c.pattern != "" {
		for _, w := range text {
			if ok, err := path.Match(c.pattern, w); ok && err == nil {
				return true
			}
		}
		return false
	}
	for i := range text {
		if i+len(c.phrase) > len(text) {
			return false
		}
		same := true
		for k, w := range c.phrase {
			same = same && text[i+k] == w
		}
		if same {
			return true
		}
	}
	return false
}

// matches reports whether an object, its words by field, answers a query: all
// clauses that must be there, none that must not, and one at least.
func matches(query []clause, fields map[string][]string) bool {
	some, required := false, false
	for i := range query {
		c := &query[i]
		found := false
		for name, text := range fields {
			found = found || (c.field == "" || c.field == name) && c.in(text)
		}
		switch {
		case c.not && found, c.must && !found:
			return false
		case c.must:
			required = true
		case !c.not:
			some = some || found
		}
	}
	return some || required
}
