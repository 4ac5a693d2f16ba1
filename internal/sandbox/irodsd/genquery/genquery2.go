package genquery

import (
	"fmt"
	"strconv"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// defaultRows is how many rows a GenQuery2 without limit returns at most.
const defaultRows = 256

// Query2 is a translated GenQuery2 with its paging.
type Query2 struct {
	Query
	Limit  int
	Offset int
}

// Parse2 translates a GenQuery2 text (API 10221):
//
//	select [no distinct] COLUMN, fn(COLUMN) .. [where ..] [group by ..]
//	[order by COLUMN [asc|desc] ..] [offset n] [limit n]
func Parse2(text string, v Viewer) (Query2, error) {
	p := &parser2{tokens: lex(text)}
	q, err := p.query(v)
	if err != nil {
		return Query2{}, err
	}
	return q, nil
}

type token struct {
	kind byte // 'w' word, 's' string, 'n' number, or the symbol itself; 0 at the end
	text string
}

// lex cuts the text into tokens. A quote in a string is written twice; a
// string that is not closed becomes a token that fits nowhere.
func lex(s string) []token {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '\'':
			var b strings.Builder
			closed := false
			for i++; i < len(s); i++ {
				if s[i] != '\'' {
					b.WriteByte(s[i])
					continue
				}
				if i+1 < len(s) && s[i+1] == '\'' {
					b.WriteByte('\'')
					i++
					continue
				}
				closed = true
				i++
				break
			}
			kind := byte('s')
			if !closed {
				kind = '?'
			}
			out = append(out, token{kind, b.String()})
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

type parser2 struct {
	tokens []token
	b      builder
	depth  int
}

func (p *parser2) peek() token {
	if len(p.tokens) == 0 {
		return token{}
	}
	return p.tokens[0]
}

func (p *parser2) next() token {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// word takes the next token if it is that keyword.
func (p *parser2) word(w string) bool {
	if t := p.peek(); t.kind != 'w' || !strings.EqualFold(t.text, w) {
		return false
	}
	p.next()
	return true
}

func (p *parser2) symbol(s string) bool {
	if t := p.peek(); t.kind == 'w' || t.kind == 's' || t.text != s {
		return false
	}
	p.next()
	return true
}

func (p *parser2) bad(what string) error {
	return status.Errorf(status.InvalidInputParam, "query: expected %s before '%s'", what, p.peek().text)
}

func (p *parser2) column() (column, int, error) {
	t := p.next()
	n, ok := names[strings.ToUpper(t.text)]
	if t.kind != 'w' || !ok {
		return column{}, 0, status.Errorf(status.InvalidInputParam, "query: unknown column '%s'", t.text)
	}
	c := columns[n]
	p.b.want(c.table)
	return c, n, nil
}

func (p *parser2) query(v Viewer) (Query2, error) {
	options := 0
	if !p.word("select") {
		return Query2{}, p.bad("select")
	}
	if p.word("no") {
		if !p.word("distinct") {
			return Query2{}, p.bad("distinct")
		}
		options = OptNoDistinct
	}
	if err := p.selects(); err != nil {
		return Query2{}, err
	}
	if p.word("where") {
		cond, err := p.or()
		if err != nil {
			return Query2{}, err
		}
		p.b.where = append(p.b.where, cond)
	}
	if err := p.groupAndOrder(); err != nil {
		return Query2{}, err
	}
	q := Query2{Limit: defaultRows}
	for {
		var into *int
		switch {
		case p.word("limit"):
			into = &q.Limit
		case p.word("offset"):
			into = &q.Offset
		case p.peek().kind == 0:
			from, on, ok := join(p.b.wanted)
			if !ok {
				q.Empty = true
				return q, nil
			}
			p.b.where = append(p.b.where, on...)
			p.b.restrict(from, v)
			q.SQL, q.Args = p.b.sql(from, options), append(p.b.args, p.b.aclArgs...)
			return q, nil
		default:
			return Query2{}, p.bad("the end")
		}
		n, err := strconv.Atoi(p.next().text)
		if err != nil || n < 0 {
			return Query2{}, p.bad("a number")
		}
		*into = n
	}
}

func (p *parser2) selects() error {
	for {
		bits := 1
		for code, fn := range aggregates {
			if t := p.peek(); t.kind == 'w' && strings.EqualFold(t.text, fn) && len(p.tokens) > 1 && p.tokens[1].text == "(" {
				bits = code
			}
		}
		if bits > 1 {
			p.next()
			p.next()
		}
		_, n, err := p.column()
		if err != nil {
			return err
		}
		if bits > 1 && !p.symbol(")") {
			return p.bad(")")
		}
		if err := p.b.selectColumn(Select{Column: n, Bits: bits}); err != nil {
			return err
		}
		if !p.symbol(",") {
			return nil
		}
	}
}

func (p *parser2) groupAndOrder() error {
	if p.word("group") {
		if !p.word("by") {
			return p.bad("by")
		}
		for {
			// The selected plain columns are grouped by anyway.
			if _, _, err := p.column(); err != nil {
				return err
			}
			if !p.symbol(",") {
				break
			}
		}
	}
	if !p.word("order") {
		return nil
	}
	if !p.word("by") {
		return p.bad("by")
	}
	for {
		c, _, err := p.column()
		if err != nil {
			return err
		}
		expr := c.expr
		if p.word("desc") {
			expr += " DESC"
		} else {
			p.word("asc")
		}
		p.b.order = append(p.b.order, expr)
		if !p.symbol(",") {
			return nil
		}
	}
}

func (p *parser2) or() (string, error) {
	left, err := p.and()
	for err == nil && p.word("or") {
		var right string
		right, err = p.and()
		left = "(" + left + " OR " + right + ")"
	}
	return left, err
}

func (p *parser2) and() (string, error) {
	left, err := p.not()
	for err == nil && p.word("and") {
		var right string
		right, err = p.not()
		left = "(" + left + " AND " + right + ")"
	}
	return left, err
}

// maxNesting bounds parentheses and negations.
const maxNesting = 50

func (p *parser2) not() (string, error) {
	if p.depth++; p.depth > maxNesting {
		return "", p.bad("less nesting")
	}
	defer func() { p.depth-- }()
	if p.word("not") {
		inner, err := p.not()
		return "NOT (" + inner + ")", err
	}
	if p.symbol("(") {
		inner, err := p.or()
		if err == nil && !p.symbol(")") {
			err = p.bad(")")
		}
		return inner, err
	}
	c, _, err := p.column()
	if err != nil {
		return "", err
	}
	return p.compare(c.expr)
}

func (p *parser2) compare(expr string) (string, error) {
	if p.word("is") {
		not := ""
		if p.word("not") {
			not = "NOT "
		}
		if !p.word("null") {
			return "", p.bad("null")
		}
		return expr + " IS " + not + "NULL", nil
	}
	negate := ""
	if p.word("not") {
		negate = "NOT "
	}
	switch {
	case p.word("like"):
		return p.value(fmt.Sprintf(`%s %sLIKE ? ESCAPE '\'`, expr, negate))
	case p.word("between"):
		sql, err := p.value(expr + " " + negate + "BETWEEN ?")
		if err != nil || !p.word("and") {
			return sql, orBad(err, p, "and")
		}
		return p.value(sql + " AND ?")
	case p.word("in"):
		if !p.symbol("(") {
			return "", p.bad("(")
		}
		sql, err := p.value(expr + " " + negate + "IN (?")
		for err == nil && p.symbol(",") {
			sql, err = p.value(sql + ", ?")
		}
		if err != nil || !p.symbol(")") {
			return sql, orBad(err, p, ")")
		}
		return sql + ")", nil
	case negate != "":
		return "", p.bad("like, between or in")
	}
	switch op := p.next().text; op {
	case "=", "<>", "!=", "<", ">", "<=", ">=":
		return p.value(expr + " " + op + " ?")
	}
	return "", p.bad("an operator")
}

func orBad(err error, p *parser2, what string) error {
	if err != nil {
		return err
	}
	return p.bad(what)
}

// value takes one value for the last placeholder of sql.
func (p *parser2) value(sql string) (string, error) {
	t := p.next()
	if t.kind != 's' && t.kind != 'n' {
		return "", p.bad("a value")
	}
	p.b.args = append(p.b.args, t.text)
	return sql, nil
}
