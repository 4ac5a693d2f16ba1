package hql

import "strings"

func (p *parser) primary() (expr, error) {
	t := p.cur()
	switch t.kind {
	case tokNumber:
		p.take()
		return p.numberLiteral(t)
	case tokString:
		p.take()
		return &litExpr{node{t}, t.text}, nil
	case tokParam:
		p.take()
		return &paramExpr{node{t}, t.text}, nil
	case tokPunct:
		if t.text == "(" {
			return p.parenthesis()
		}
		return nil, unexpected(t)
	case tokEOF:
		return nil, unexpected(t)
	}
	switch word := strings.ToLower(t.text); word {
	case "true", "false":
		if !isPunct(p.ahead(1), ".") {
			p.take()
			return &litExpr{node{t}, word == "true"}, nil
		}
	case "null":
		p.take()
		return &litExpr{node{t}, nil}, nil
	case "case":
		p.take()
		return p.caseWhen(t)
	case "all", "any", "some":
		p.take()
		return p.quantified(t, word)
	case "cast":
		if isPunct(p.ahead(1), "(") {
			p.take()
			return p.cast(t)
		}
	}
	if isPunct(p.ahead(1), "(") && !reserved[strings.ToLower(t.text)] {
		p.take()
		return p.call(t)
	}
	return p.path()
}

func (p *parser) parenthesis() (expr, error) {
	t := p.take()
	if isWord(p.cur(), "select") || isWord(p.cur(), "from") {
		sub, err := p.query()
		if err != nil {
			return nil, err
		}
		return &subExpr{node: node{t}, sub: sub}, p.needPunct(")")
	}
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	return x, p.needPunct(")")
}

func (p *parser) quantified(t token, word string) (expr, error) {
	if err := p.needPunct("("); err != nil {
		return nil, err
	}
	sub, err := p.query()
	if err != nil {
		return nil, err
	}
	if word == "some" {
		word = "any"
	}
	return &subExpr{node: node{t}, sub: sub, quantifier: word}, p.needPunct(")")
}

// call reads the arguments of a function or an aggregate.
func (p *parser) call(t token) (expr, error) {
	p.take() // (
	c := &callExpr{node: node{t}, name: strings.ToLower(t.text)}
	if p.punct(")") {
		return c, nil
	}
	if p.punct("*") {
		c.star = true
		return c, p.needPunct(")")
	}
	c.distinct = p.word("distinct")
	if c.name == "trim" { // trim([both|leading|trailing] [from] x)
		p.word("both")
		p.word("from")
	}
	var err error
	if c.args, err = p.exprList(); err != nil {
		return nil, err
	}
	return c, p.needPunct(")")
}

func (p *parser) cast(t token) (expr, error) {
	p.take() // (
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.needWord("as"); err != nil {
		return nil, err
	}
	to := p.take()
	if to.kind != tokIdent {
		return nil, unexpected(to)
	}
	return &castExpr{node{t}, x, strings.ToLower(to.text)}, p.needPunct(")")
}

func (p *parser) caseWhen(t token) (expr, error) {
	c := &caseExpr{node: node{t}}
	var err error
	if !isWord(p.cur(), "when") {
		if c.operand, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.word("when") {
		when, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.needWord("then"); err != nil {
			return nil, err
		}
		then, err := p.expr()
		if err != nil {
			return nil, err
		}
		c.when, c.then = append(c.when, when), append(c.then, then)
	}
	if len(c.when) == 0 {
		return nil, unexpected(p.cur())
	}
	if p.word("else") {
		if c.other, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.needWord("end")
}
