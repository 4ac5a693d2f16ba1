package genquery

import (
	"strings"

	"omerods/internal/sandbox/irodsd/status"
)

// functions of the catalogue's database that the sandbox's has too, and
// whether they work on all rows of a group.
var functions = map[string]bool{
	"COUNT": true, "SUM": true, "MIN": true, "MAX": true, "AVG": true,
	"UPPER": false, "LOWER": false, "LENGTH": false, "ABS": false, "COALESCE": false,
}

// projection takes a column, a cast or a function. plain is the expression
// that a group has to be made by, "" if there is none.
func (p *parser2) projection() (expr, plain string, err error) {
	if p.word("cast") {
		if !p.symbol("(") {
			return "", "", p.bad("(")
		}
		if expr, err = p.column(); err != nil {
			return "", "", err
		}
		kind, err := p.castType()
		expr = "CAST(" + expr + " AS " + kind + ")"
		return expr, expr, err
	}
	if len(p.tokens) > 1 && p.tokens[1].text == "(" {
		name := strings.ToUpper(p.next().text)
		aggregate, ok := functions[name]
		if !ok {
			return "", "", status.Errorf(status.LibraryError, "query: unknown function '%s'", name)
		}
		p.next()
		expr, plain, err = p.arguments()
		if aggregate {
			p.b.agg, plain = true, ""
		}
		return name + "(" + expr + ")", plain, err
	}
	expr, err = p.column()
	return expr, expr, err
}

func (p *parser2) castType() (string, error) {
	if !p.word("as") {
		return "", p.bad("as")
	}
	t := p.next()
	if t.kind != 'w' {
		return "", p.bad("a type")
	}
	kind := t.text
	if p.symbol("(") {
		n := p.next()
		if n.kind != 'n' || !p.symbol(")") {
			return "", p.bad("a length")
		}
		kind += "(" + n.text + ")"
	}
	if !p.symbol(")") {
		return "", p.bad(")")
	}
	return kind, nil
}

// arguments takes those of a function and the bracket behind them.
func (p *parser2) arguments() (sql, plain string, err error) {
	if p.depth++; p.depth > maxNesting {
		return "", "", p.bad("less nesting")
	}
	defer func() { p.depth-- }()
	if p.word("distinct") {
		sql = "DISTINCT "
	}
	for {
		switch t := p.peek(); t.kind {
		case 's', 'n':
			p.next()
			sql += "'" + strings.ReplaceAll(t.text, "'", "''") + "'"
		default:
			expr, group, err := p.projection()
			if err != nil {
				return "", "", err
			}
			sql += expr
			plain = orElse(plain, group)
		}
		if !p.symbol(",") {
			break
		}
		sql += ", "
	}
	if !p.symbol(")") {
		return "", "", p.bad(")")
	}
	return sql, plain, nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
