package ice

import (
	"strconv"
	"strings"
)

// The parts that several definitions share: names, metadata, punctuation.

// typeName reads a type; the "*" of a proxy becomes part of the result.
func (p *parser) typeName() (string, error) {
	name, err := p.name()
	if err != nil {
		return "", err
	}
	if p.is("*") {
		name += "*"
		err = p.advance()
	}
	return name, err
}

// names reads what follows the current keyword: names with commas in between.
func (p *parser) names() ([]string, error) {
	var all []string
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.name()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if !p.is(",") {
			return all, nil
		}
	}
}

// metadata reads any number of ["..."] and [["..."]].
func (p *parser) metadata() ([]string, error) {
	var all []string
	for p.is("[") || p.is("[[") {
		end := strings.ReplaceAll(p.tok.text, "[", "]")
		for !p.is(end) {
			if err := p.advance(); err != nil {
				return nil, err
			}
			if p.tok.kind == tokenString {
				all = append(all, p.tok.text)
			} else if !p.is(",") && !p.is(end) {
				return nil, p.errorf("unexpected %q in metadata", p.tok.text)
			}
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) is(punct string) bool {
	return p.tok.kind == tokenPunct && p.tok.text == punct
}

func (p *parser) isName(name string) bool {
	return p.tok.kind == tokenName && p.tok.text == name
}

func (p *parser) expect(punct string) error {
	if !p.is(punct) {
		return p.errorf("%q expected, not %q", punct, p.tok.text)
	}
	return p.advance()
}

// endDefinition reads "}" and the semicolon that may follow it.
func (p *parser) endDefinition() error {
	if err := p.expect("}"); err != nil {
		return err
	}
	if p.is(";") {
		return p.advance()
	}
	return nil
}

func (p *parser) name() (string, error) {
	if p.tok.kind != tokenName {
		return "", p.errorf("name expected, not %q", p.tok.text)
	}
	name := p.tok.text
	return name, p.advance()
}

func (p *parser) identifier() (string, error) {
	name, err := p.name()
	if err == nil && strings.Contains(name, "::") {
		err = p.errorf("%s is no plain name", name)
	}
	return name, err
}

func (p *parser) number() (int32, error) {
	if p.tok.kind != tokenNumber {
		return 0, p.errorf("number expected, not %q", p.tok.text)
	}
	n, err := strconv.ParseInt(p.tok.text, 0, 32)
	if err != nil {
		return 0, p.errorf("%s is no number", p.tok.text)
	}
	return int32(n), p.advance()
}

func (p *parser) errorf(format string, args ...any) error {
	return p.lex.errorf(p.tok.line, format, args...)
}
