package hql

import (
	"strconv"
	"strings"
)

func (p *parser) exprList() ([]expr, error) {
	var out []expr
	for {
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !p.punct(",") {
			return out, nil
		}
	}
}

func (p *parser) expr() (expr, error) {
	if err := p.enter(p.cur()); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.or()
}

// binary reads left-associative operators of one level.
func (p *parser) binary(next func() (expr, error), op func(token) (string, bool)) (expr, error) {
	x, err := next()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.cur()
		name, ok := op(t)
		if !ok {
			return x, nil
		}
		if n >= maxChain {
			return nil, tooLong(t)
		}
		p.take()
		y, err := next()
		if err != nil {
			return nil, err
		}
		x = &binExpr{node{t}, name, x, y}
	}
}

func words(ws ...string) func(token) (string, bool) {
	return func(t token) (string, bool) {
		for _, w := range ws {
			if isWord(t, w) {
				return w, true
			}
		}
		return "", false
	}
}

func puncts(ps ...string) func(token) (string, bool) {
	return func(t token) (string, bool) {
		for _, s := range ps {
			if isPunct(t, s) {
				return s, true
			}
		}
		return "", false
	}
}

func (p *parser) or() (expr, error)  { return p.binary(p.and, words("or")) }
func (p *parser) and() (expr, error) { return p.binary(p.not, words("and")) }

func (p *parser) not() (expr, error) {
	t := p.cur()
	if !p.word("not") {
		return p.predicate()
	}
	if err := p.enter(t); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	return &notExpr{node{t}, x}, nil
}

var comparisons = map[string]string{"=": "=", "<>": "<>", "!=": "<>", "^=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

func (p *parser) predicate() (expr, error) {
	if t := p.cur(); isWord(t, "exists") && isPunct(p.ahead(1), "(") {
		p.take()
		return p.exists(t)
	}
	x, err := p.concat()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.cur()
		if n >= maxChain {
			return nil, tooLong(t)
		}
		if op, ok := comparisons[t.text]; ok && t.kind == tokPunct {
			p.take()
			y, err := p.concat()
			if err != nil {
				return nil, err
			}
			x = &binExpr{node{t}, op, x, y}
			continue
		}
		y, err := p.suffix(x)
		if err != nil || y == nil {
			return x, err
		}
		x = y
	}
}

// suffix reads a predicate that follows its operand: is null, in, like,
// between, member of. It returns nil when there is none.
func (p *parser) suffix(x expr) (expr, error) {
	t := p.cur()
	if p.word("is") {
		return p.is(t, x)
	}
	negated := false
	if isWord(t, "not") {
		switch strings.ToLower(p.ahead(1).text) {
		case "in", "like", "between", "member":
			p.take()
			negated = true
		default:
			return nil, nil
		}
	}
	var out expr
	var err error
	switch {
	case p.word("in"):
		out, err = p.in(t, x)
	case p.word("like"):
		out, err = p.like(t, x)
	case p.word("between"):
		out, err = p.between(t, x)
	case isWord(p.cur(), "member"):
		p.take()
		p.word("of")
		var path *pathExpr
		if path, err = p.path(); err == nil {
			out = &memberExpr{node{t}, x, path}
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if negated {
		out = &notExpr{node{t}, out}
	}
	return out, nil
}

func (p *parser) is(t token, x expr) (expr, error) {
	negated := p.word("not")
	var out expr
	switch {
	case p.word("null"):
		out = &nullExpr{node{t}, x}
	case p.word("empty"):
		path, ok := x.(*pathExpr)
		if !ok {
			return nil, unexpected(x.tok())
		}
		out = &emptyExpr{node{t}, path}
	default:
		return nil, unexpected(p.cur())
	}
	if negated {
		out = &notExpr{node{t}, out}
	}
	return out, nil
}

func (p *parser) in(t token, x expr) (expr, error) {
	out := &inExpr{node: node{t}, x: x}
	if isWord(p.cur(), "elements") { // in elements(a.b)
		y, err := p.primary()
		if err != nil {
			return nil, err
		}
		call, ok := y.(*callExpr)
		if !ok || len(call.args) != 1 {
			return nil, unexpected(y.tok())
		}
		path, ok := call.args[0].(*pathExpr)
		if !ok {
			return nil, unexpected(call.args[0].tok())
		}
		return &memberExpr{node{t}, x, path}, nil
	}
	if c := p.cur(); c.kind == tokParam { // in :ids
		p.take()
		out.list = []expr{&paramExpr{node{c}, c.text}}
		return out, nil
	}
	if err := p.needPunct("("); err != nil {
		return nil, err
	}
	var err error
	if isWord(p.cur(), "select") || isWord(p.cur(), "from") {
		out.sub, err = p.query()
	} else {
		out.list, err = p.exprList()
	}
	if err != nil {
		return nil, err
	}
	return out, p.needPunct(")")
}

func (p *parser) like(t token, x expr) (expr, error) {
	pattern, err := p.concat()
	if err != nil {
		return nil, err
	}
	out := &likeExpr{node: node{t}, x: x, pattern: pattern}
	if p.word("escape") {
		if out.escape, err = p.concat(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *parser) between(t token, x expr) (expr, error) {
	lo, err := p.concat()
	if err != nil {
		return nil, err
	}
	if err := p.needWord("and"); err != nil {
		return nil, err
	}
	hi, err := p.concat()
	if err != nil {
		return nil, err
	}
	return &betweenExpr{node{t}, x, lo, hi}, nil
}

func (p *parser) exists(t token) (expr, error) {
	if err := p.needPunct("("); err != nil {
		return nil, err
	}
	sub, err := p.query()
	if err != nil {
		return nil, err
	}
	return &existsExpr{node{t}, sub}, p.needPunct(")")
}

func (p *parser) concat() (expr, error) { return p.binary(p.sum, puncts("||")) }
func (p *parser) sum() (expr, error)    { return p.binary(p.product, puncts("+", "-")) }
func (p *parser) product() (expr, error) {
	return p.binary(p.unary, puncts("*", "/", "%"))
}

func (p *parser) unary() (expr, error) {
	t := p.cur()
	if p.punct("+") {
		return p.primary()
	}
	if !p.punct("-") {
		return p.primary()
	}
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	return &negExpr{node{t}, x}, nil
}

func (p *parser) numberLiteral(t token) (expr, error) {
	s := t.text
	suffix := strings.ToUpper(s[len(s)-1:])
	switch suffix {
	case "L", "F", "D":
		s = s[:len(s)-1]
	default:
		suffix = ""
	}
	if suffix == "F" || suffix == "D" || suffix == "" && strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, unexpected(t)
		}
		return &litExpr{node{t}, f}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, unexpected(t)
	}
	if suffix == "" && int64(int32(n)) == n {
		return &litExpr{node{t}, int32(n)}, nil
	}
	return &litExpr{node{t}, n}, nil
}
