package hql

import "strings"

// Bounds of a query, so that a hostile one exhausts neither stack nor memory.
const (
	// maxDepth is for the nesting of expressions and subqueries.
	maxDepth = 200
	// maxChain is for operators of one level in a row, which nest as deeply
	// when they are evaluated, for the parts of a path, and for the sources.
	maxChain = 2000
	// maxTokens is for all of it; lists of ids make long queries.
	maxTokens = 200_000
)

func tooLong(t token) *Error {
	return errorf("query too long near line %d, column %d", t.line, t.col)
}

// reserved words cannot be aliases or start a path.
var reserved = map[string]bool{
	"all": true, "any": true, "and": true, "as": true, "asc": true, "ascending": true, "between": true,
	"by": true, "case": true, "desc": true, "descending": true, "distinct": true, "elements": false,
	"else": true, "end": true, "escape": true, "exists": true, "fetch": true, "from": true, "full": true,
	"group": true, "having": true, "in": true, "inner": true, "is": true, "join": true, "left": true,
	"like": true, "new": true, "not": true, "null": true, "or": true, "order": true, "outer": true,
	"right": true, "select": true, "set": true, "some": true, "then": true, "union": true, "when": true,
	"where": true, "with": true, "delete": true, "update": true, "insert": true,
}

type parser struct {
	toks  []token
	pos   int
	depth int
}

func parse(text string) (*query, error) {
	toks, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if t := p.cur(); t.kind != tokEOF {
		return nil, unexpected(t)
	}
	return q, nil
}

func (p *parser) cur() token { return p.toks[p.pos] }

func (p *parser) ahead(n int) token {
	if p.pos+n < len(p.toks) {
		return p.toks[p.pos+n]
	}
	return p.toks[len(p.toks)-1]
}

func (p *parser) take() token {
	t := p.cur()
	if t.kind != tokEOF {
		p.pos++
	}
	return t
}

func isWord(t token, word string) bool { return t.kind == tokIdent && strings.EqualFold(t.text, word) }
func isPunct(t token, s string) bool   { return t.kind == tokPunct && t.text == s }

// word consumes one of the given keywords, if it is next.
func (p *parser) word(words ...string) bool {
	for _, w := range words {
		if isWord(p.cur(), w) {
			p.pos++
			return true
		}
	}
	return false
}

func (p *parser) punct(s string) bool {
	if isPunct(p.cur(), s) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) needWord(w string) error {
	if !p.word(w) {
		return unexpected(p.cur())
	}
	return nil
}

func (p *parser) needPunct(s string) error {
	if !p.punct(s) {
		return unexpected(p.cur())
	}
	return nil
}

func (p *parser) enter(t token) error {
	p.depth++
	if p.depth > maxDepth {
		return errorf("query nested too deeply near line %d, column %d", t.line, t.col)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// alias reads an identifier that is no reserved word.
func (p *parser) alias() (string, error) {
	t := p.cur()
	if t.kind != tokIdent || reserved[strings.ToLower(t.text)] {
		return "", unexpected(t)
	}
	p.pos++
	return t.text, nil
}

func (p *parser) query() (*query, error) {
	t := p.cur()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	defer p.leave()
	q := &query{start: t}
	if p.word("select") {
		if err := p.selectClause(q); err != nil {
			return nil, err
		}
	}
	if !isWord(p.cur(), "from") {
		return nil, unexpected(p.cur())
	}
	if err := p.fromClause(q); err != nil {
		return nil, err
	}
	var err error
	if p.word("where") {
		if q.where, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if p.word("group") {
		if err := p.needWord("by"); err != nil {
			return nil, err
		}
		if q.group, err = p.exprList(); err != nil {
			return nil, err
		}
	}
	if p.word("having") {
		if q.having, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if p.word("order") {
		if err := p.orderClause(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (p *parser) selectClause(q *query) error {
	if p.word("distinct") {
		q.distinct = true
	} else {
		p.word("all")
	}
	for {
		item, err := p.selectItem()
		if err != nil {
			return err
		}
		q.items = append(q.items, item)
		if !p.punct(",") {
			return nil
		}
	}
}

func (p *parser) selectItem() (selectItem, error) {
	if isWord(p.cur(), "new") {
		return p.constructor()
	}
	x, err := p.expr()
	if err != nil {
		return selectItem{}, err
	}
	alias, err := p.optionalAlias()
	return selectItem{x: x, alias: alias}, err
}

func (p *parser) optionalAlias() (string, error) {
	if p.word("as") {
		return p.alias()
	}
	if t := p.cur(); t.kind == tokIdent && !reserved[strings.ToLower(t.text)] {
		return p.alias()
	}
	return "", nil
}

// constructor reads `new map(x as a, ...)` or `new list(x, ...)`.
func (p *parser) constructor() (selectItem, error) {
	p.take()
	item := selectItem{}
	switch {
	case p.word("map"):
		item.isMap = true
	case p.word("list"):
		item.isList = true
	default:
		return item, unexpected(p.cur())
	}
	if err := p.needPunct("("); err != nil {
		return item, err
	}
	for {
		x, err := p.expr()
		if err != nil {
			return item, err
		}
		alias, err := p.optionalAlias()
		if err != nil {
			return item, err
		}
		item.entries = append(item.entries, selectItem{x: x, alias: alias})
		if !p.punct(",") {
			break
		}
	}
	return item, p.needPunct(")")
}

func (p *parser) fromClause(q *query) error {
	for first := true; ; first = false {
		if first {
			p.take() // from
		}
		path, err := p.path()
		if err != nil {
			return err
		}
		root := fromItem{path: path}
		if root.alias, err = p.optionalAlias(); err != nil {
			return err
		}
		if len(q.from) >= maxChain {
			return tooLong(root.path.at)
		}
		q.from = append(q.from, root)
		if err := p.joins(q); err != nil {
			return err
		}
		if !p.punct(",") {
			return nil
		}
	}
}

func (p *parser) joins(q *query) error {
	for {
		j := fromItem{join: true}
		switch {
		case p.word("left"):
			p.word("outer")
			j.outer = true
		case p.word("inner"):
		case !isWord(p.cur(), "join"):
			return nil
		}
		if err := p.needWord("join"); err != nil {
			return err
		}
		j.fetch = p.word("fetch")
		var err error
		if j.path, err = p.path(); err != nil {
			return err
		}
		if len(j.path.parts) < 2 {
			return errorf("path expected for join: %s", j.path.at)
		}
		if j.alias, err = p.optionalAlias(); err != nil {
			return err
		}
		if p.word("with") {
			if j.with, err = p.expr(); err != nil {
				return err
			}
		}
		if len(q.from) >= maxChain {
			return tooLong(j.path.at)
		}
		q.from = append(q.from, j)
	}
}

func (p *parser) orderClause(q *query) error {
	if err := p.needWord("by"); err != nil {
		return err
	}
	for {
		x, err := p.expr()
		if err != nil {
			return err
		}
		item := orderItem{x: x}
		if p.word("desc", "descending") {
			item.desc = true
		} else {
			p.word("asc", "ascending")
		}
		q.order = append(q.order, item)
		if !p.punct(",") {
			return nil
		}
	}
}

// path reads a dotted name. After a dot every word is a property, also one
// that is a keyword elsewhere.
func (p *parser) path() (*pathExpr, error) {
	t := p.cur()
	name, err := p.alias()
	if err != nil {
		return nil, err
	}
	x := &pathExpr{node: node{t}, parts: []string{name}}
	for p.punct(".") {
		part := p.take()
		if part.kind != tokIdent {
			return nil, unexpected(part)
		}
		if len(x.parts) >= maxChain {
			return nil, tooLong(part)
		}
		x.parts = append(x.parts, part.text)
	}
	return x, nil
}
