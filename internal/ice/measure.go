package ice

import (
	"fmt"
	"slices"
)

// maxInheritance bounds the length of an inheritance chain and the nesting of
// structs, sequences and dictionaries; both also catch cycles.
const maxInheritance = 64

// finish computes what follows from the linked definitions: the fields of
// whole chains, smallest sizes, and which types hold classes.
func (r *resolver) finish() error {
	for _, t := range r.defs.types {
		if err := measure(t, 0); err != nil {
			return err
		}
	}
	for _, c := range r.defs.classes {
		if err := finishClass(c); err != nil {
			return err
		}
	}
	for _, e := range r.defs.exceptions {
		if err := finishException(e); err != nil {
			return err
		}
	}
	for _, i := range r.defs.interfaces {
		if err := checkBases(i, 0); err != nil {
			return err
		}
		i.ids = interfaceIDs(i, make(map[string]bool))
		for _, op := range i.Operations {
			for _, f := range slices.Concat(op.In, op.results) {
				if err := measure(f.Type, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func checkBases(i *Interface, depth int) error {
	if depth > maxInheritance {
		return fmt.Errorf("%s: inheritance has a cycle", i.ID)
	}
	for _, b := range i.Bases {
		if err := checkBases(b, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// measure sets minBytes and usesClasses of a type.
func measure(t *Type, depth int) error {
	if t.measured {
		return nil
	}
	if depth > maxInheritance {
		return fmt.Errorf("%s: types contain each other", t.Name)
	}
	switch t.Kind {
	case KindEnum:
		t.minBytes = 1
	case KindClass:
		t.minBytes, t.usesClasses = 1, true // 4 in encoding 1.0
	case KindProxy:
		t.minBytes = 2
	case KindSequence, KindDictionary:
		t.minBytes = 1
		for _, part := range []*Type{t.Elem, t.Key} {
			if part == nil {
				continue
			}
			if err := measure(part, depth+1); err != nil {
				return err
			}
			t.usesClasses = t.usesClasses || part.usesClasses
		}
	case KindStruct:
		for _, f := range t.Struct.Fields {
			if err := measure(f.Type, depth+1); err != nil {
				return err
			}
			t.minBytes += f.Type.minBytes
			t.usesClasses = t.usesClasses || f.Type.usesClasses
		}
		if t.minBytes == 0 {
			return fmt.Errorf("%s has no members", t.Name)
		}
	}
	t.measured = true
	return nil
}

func finishClass(c *Class) error {
	var chain []*Class
	for x := c; x != nil; x = x.Base {
		if len(chain) >= maxInheritance {
			return fmt.Errorf("%s: inheritance has a cycle", c.ID)
		}
		chain = append(chain, x)
	}
	c.depth = len(chain) - 1
	c.all = nil
	for _, x := range slices.Backward(chain) {
		c.all = append(c.all, x.Fields...)
	}
	for i, f := range c.all {
		if err := measure(f.Type, 0); err != nil {
			return err
		}
		if f.Optional {
			c.zero = append(c.zero, nil)
			continue
		}
		c.zero = append(c.zero, f.Type.Zero())
		if f.Type.Kind == KindStruct {
			c.fresh = append(c.fresh, i)
		}
	}
	var err error
	if c.index, err = indexFields(c.all); err != nil {
		return fmt.Errorf("%s: %w", c.ID, err)
	}
	return nil
}

func finishException(e *Exception) error {
	var chain []*Exception
	for x := e; x != nil; x = x.Base {
		if len(chain) >= maxInheritance {
			return fmt.Errorf("%s: inheritance has a cycle", e.ID)
		}
		chain = append(chain, x)
	}
	for _, x := range slices.Backward(chain) {
		e.all = append(e.all, x.Fields...)
	}
	for _, f := range e.all {
		if err := measure(f.Type, 0); err != nil {
			return err
		}
		e.usesClasses = e.usesClasses || f.Type.usesClasses
	}
	var err error
	if e.index, err = indexFields(e.all); err != nil {
		return fmt.Errorf("%s: %w", e.ID, err)
	}
	return nil
}
