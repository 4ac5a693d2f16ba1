package genquery

import (
	"fmt"
	"slices"
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

// Parse2 translates a GenQuery2 text (API 10221) by the grammar of iRODS 5.0
// (server/genquery2/dsl/parser.y):
//
//	select [distinct] PROJECTION, .. [where ..] [group by COLUMN, ..]
//	[order by PROJECTION [asc|desc], ..] [limit n] [offset n]
//
// A projection is a column, cast(COLUMN as TYPE) or a function of those;
// values are strings.
func Parse2(text string, v Viewer) (Query2, error) {
	p := &parser2{tokens: lex(text)}
	q, err := p.query(v)
	if err != nil {
		return Query2{}, err
	}
	return q, nil
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
	return status.Errorf(status.LibraryError, "query: expected %s before '%s'", what, p.peek().text)
}

// column takes a column's name and returns its expression.
func (p *parser2) column() (string, error) {
	t := p.next()
	n, ok := names[strings.ToUpper(t.text)]
	if t.kind != 'w' || !ok {
		return "", status.Errorf(status.InvalidInputParam, "query: unknown column '%s'", t.text)
	}
	c := columns[n]
	p.b.want(c.table)
	return c.expr, nil
}

func (p *parser2) query(v Viewer) (Query2, error) {
	options := OptNoDistinct
	if !p.word("select") {
		return Query2{}, p.bad("select")
	}
	if p.word("distinct") {
		options = 0
	}
	plain, err := p.selects()
	if err != nil {
		return Query2{}, err
	}
	if p.word("where") {
		cond, err := p.or()
		if err != nil {
			return Query2{}, err
		}
		p.b.where = append(p.b.where, cond)
	}
	if err := p.group(); err != nil {
		return Query2{}, err
	}
	// The database wants every plain column in the groups.
	if p.b.agg || len(p.b.plain) > 0 {
		for _, expr := range plain {
			if !slices.Contains(p.b.plain, expr) {
				return Query2{}, status.Errorf(status.LibraryError, "query: a column is neither aggregated nor grouped by")
			}
		}
		p.b.agg = true
	}
	q := Query2{Limit: defaultRows}
	for p.peek().kind != 0 {
		switch {
		case p.word("order"):
			err = p.orderBy()
		case p.word("limit"):
			q.Limit, err = p.number()
		case p.word("offset"):
			q.Offset, err = p.number()
		case p.word("fetch"):
			q.Limit, err = p.fetch()
		default:
			err = p.bad("the end")
		}
		if err != nil {
			return Query2{}, err
		}
	}
	from, on, ok := join(p.b.wanted)
	if !ok {
		q.Empty = true
		return q, nil
	}
	p.b.where = append(p.b.where, on...)
	p.b.restrict(from, v)
	q.SQL, q.Args = p.b.sql(from, options), append(p.b.args, p.b.aclArgs...)
	return q, nil
}

func (p *parser2) number() (int, error) {
	n, err := strconv.Atoi(p.next().text)
	if err != nil || n < 0 {
		return 0, p.bad("a number")
	}
	return n, nil
}

// fetch takes "first n rows only".
func (p *parser2) fetch() (int, error) {
	if !p.word("first") {
		return 0, p.bad("first")
	}
	n, err := p.number()
	if err == nil && (!p.word("rows") || !p.word("only")) {
		err = p.bad("rows only")
	}
	return n, err
}

// selects takes the projections and returns those that are no aggregates.
func (p *parser2) selects() (plain []string, err error) {
	for {
		expr, group, err := p.projection()
		if err != nil {
			return nil, err
		}
		p.b.exprs = append(p.b.exprs, expr)
		if group != "" {
			plain = append(plain, group)
		}
		if !p.symbol(",") {
			return plain, nil
		}
	}
}

func (p *parser2) group() error {
	if !p.word("group") {
		return nil
	}
	if !p.word("by") {
		return p.bad("by")
	}
	for {
		expr, err := p.column()
		if err != nil {
			return err
		}
		p.b.plain = append(p.b.plain, expr)
		if !p.symbol(",") {
			return nil
		}
	}
}

func (p *parser2) orderBy() error {
	if !p.word("by") {
		return p.bad("by")
	}
	for {
		expr, _, err := p.projection()
		if err != nil {
			return err
		}
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
	expr, _, err := p.projection()
	if err != nil {
		return "", err
	}
	return p.compare(expr)
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
	if t.kind != 's' {
		return "", p.bad("a string")
	}
	p.b.args = append(p.b.args, t.text)
	return sql, nil
}
