package ice

import (
	"fmt"
	"slices"
)

// declaration is a definition as it stands in a Slice file, names unresolved.
type declaration struct {
	word    string // module words: class, struct, enum, exception, interface, sequence, dictionary
	id      string // type id
	scope   string // enclosing module: "" or "::a::b"
	where   string // file:line
	forward bool   // announces what is defined elsewhere
	bases   []string
	fields  []member
	ops     []operation
	values  []enumerator
	elem    string // of a sequence or dictionary value, as written
	key     string
}

type member struct {
	typ      string // as written; a proxy ends in *
	name     string
	optional bool
	tag      int32
}

type operation struct {
	name       string
	idempotent bool
	meta       []string
	result     string // "" for void
	in, out    []member
	throws     []string
}

type enumerator struct {
	name  string
	value int32
}

// parser reads the declarations of one file.
type parser struct {
	lex   *lexer
	tok   token
	decls []*declaration
}

// parseFile returns the declarations of a file.
func parseFile(file string, src []byte) ([]*declaration, error) {
	p := &parser{lex: newLexer(file, src)}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for p.tok.kind != tokenEOF {
		if err := p.definition("", 0); err != nil {
			return nil, err
		}
	}
	return p.decls, nil
}

// maxModuleDepth bounds the nesting of modules.
const maxModuleDepth = 32

func (p *parser) definition(scope string, depth int) error {
	if _, err := p.metadata(); err != nil {
		return err
	}
	word, err := p.name()
	if err != nil {
		return err
	}
	if word == "local" {
		return p.errorf("local definitions are not supported")
	}
	switch word {
	case "module":
		return p.module(scope, depth)
	case "class", "interface", "struct", "exception":
		return p.aggregate(word, scope)
	case "enum":
		return p.enum(scope)
	case "sequence", "dictionary":
		return p.collection(word, scope)
	}
	return p.errorf("unexpected %q", word)
}

func (p *parser) module(scope string, depth int) error {
	if depth >= maxModuleDepth {
		return p.errorf("modules nested too deeply")
	}
	name, err := p.identifier()
	if err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	for !p.is("}") {
		if err := p.definition(scope+"::"+name, depth+1); err != nil {
			return err
		}
	}
	return p.endDefinition()
}

// declare starts a declaration whose name is the current token.
func (p *parser) declare(word, scope string) (*declaration, error) {
	where := fmt.Sprintf("%s:%d", p.lex.file, p.tok.line)
	name, err := p.identifier()
	if err != nil {
		return nil, err
	}
	return &declaration{word: word, id: scope + "::" + name, scope: scope, where: where}, nil
}

// aggregate reads a class, interface, struct or exception.
func (p *parser) aggregate(word, scope string) error {
	d, err := p.declare(word, scope)
	if err != nil {
		return err
	}
	if p.is(";") && (word == "class" || word == "interface") {
		d.forward = true
		p.decls = append(p.decls, d)
		return p.advance()
	}
	if p.isName("extends") && word != "struct" {
		if d.bases, err = p.names(); err != nil {
			return err
		}
		if len(d.bases) > 1 && word != "interface" {
			return p.errorf("%s has more than one base", d.id)
		}
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	for !p.is("}") {
		meta, err := p.metadata()
		if err != nil {
			return err
		}
		if word == "interface" {
			err = p.operation(d, meta)
		} else {
			err = p.dataMember(d)
		}
		if err != nil {
			return err
		}
	}
	p.decls = append(p.decls, d)
	return p.endDefinition()
}

func (p *parser) dataMember(d *declaration) error {
	m, err := p.member()
	if err != nil {
		return err
	}
	d.fields = append(d.fields, m)
	return p.expect(";")
}

// member reads "[optional(tag)] type name".
func (p *parser) member() (member, error) {
	var m member
	var err error
	if p.isName("optional") {
		if m.tag, err = p.optionalTag(); err != nil {
			return m, err
		}
		m.optional = true
	}
	if m.typ, err = p.typeName(); err != nil {
		return m, err
	}
	m.name, err = p.identifier()
	return m, err
}

func (p *parser) optionalTag() (int32, error) {
	if err := p.advance(); err != nil {
		return 0, err
	}
	if err := p.expect("("); err != nil {
		return 0, err
	}
	tag, err := p.number()
	if err != nil {
		return 0, err
	}
	return tag, p.expect(")")
}

func (p *parser) operation(d *declaration, meta []string) error {
	op := operation{meta: meta}
	if p.isName("idempotent") {
		op.idempotent = true
		if err := p.advance(); err != nil {
			return err
		}
	}
	var err error
	if p.isName("void") {
		err = p.advance()
	} else {
		op.result, err = p.typeName()
	}
	if err != nil {
		return err
	}
	if op.name, err = p.identifier(); err != nil {
		return err
	}
	if err := p.parameters(&op); err != nil {
		return err
	}
	if p.isName("throws") {
		if op.throws, err = p.names(); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(d.ops, func(o operation) bool { return o.name == op.name }) {
		return p.errorf("%s has two operations %s", d.id, op.name)
	}
	d.ops = append(d.ops, op)
	return p.expect(";")
}

func (p *parser) parameters(op *operation) error {
	if err := p.expect("("); err != nil {
		return err
	}
	for !p.is(")") {
		if len(op.in)+len(op.out) > 0 {
			if err := p.expect(","); err != nil {
				return err
			}
		}
		if _, err := p.metadata(); err != nil {
			return err
		}
		out := p.isName("out")
		if out {
			if err := p.advance(); err != nil {
				return err
			}
		}
		m, err := p.member()
		if err != nil {
			return err
		}
		if out {
			op.out = append(op.out, m)
		} else {
			op.in = append(op.in, m)
		}
	}
	return p.advance()
}

func (p *parser) enum(scope string) error {
	d, err := p.declare("enum", scope)
	if err != nil {
		return err
	}
	if err := p.expect("{"); err != nil {
		return err
	}
	next := int32(0)
	for !p.is("}") {
		name, err := p.identifier()
		if err != nil {
			return err
		}
		if p.is("=") {
			if err := p.advance(); err != nil {
				return err
			}
			if next, err = p.number(); err != nil {
				return err
			}
		}
		d.values = append(d.values, enumerator{name, next})
		next++
		if !p.is("}") {
			if err := p.expect(","); err != nil {
				return err
			}
		}
	}
	p.decls = append(p.decls, d)
	return p.endDefinition()
}

// collection reads a sequence or dictionary.
func (p *parser) collection(word, scope string) error {
	if err := p.expect("<"); err != nil {
		return err
	}
	var parts []string
	for {
		if _, err := p.metadata(); err != nil {
			return err
		}
		t, err := p.typeName()
		if err != nil {
			return err
		}
		parts = append(parts, t)
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	if err := p.expect(">"); err != nil {
		return err
	}
	d, err := p.declare(word, scope)
	if err != nil {
		return err
	}
	switch {
	case word == "sequence" && len(parts) == 1:
		d.elem = parts[0]
	case word == "dictionary" && len(parts) == 2:
		d.key, d.elem = parts[0], parts[1]
	default:
		return p.errorf("%s has %d element types", d.id, len(parts))
	}
	p.decls = append(p.decls, d)
	return p.expect(";")
}
