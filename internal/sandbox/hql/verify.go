package hql

// verify checks what the database or Hibernate would refuse about a whole
// select.
func (p *plan) verify() error {
	for _, v := range p.scope.vars {
		if v.fetch {
			if err := p.verifyFetch(v); err != nil {
				return err
			}
		}
	}
	if p.grouped() {
		if err := p.verifyGroups(); err != nil {
			return err
		}
	}
	if p.distinct {
		return p.verifyDistinct()
	}
	return nil
}

// verifyFetch demands that the owner of a fetched association is part of the
// result.
func (p *plan) verifyFetch(v *variable) error {
	for at := v.source; at != nil; at = at.source {
		for _, c := range p.items {
			if own, ok := c.x.(*varValue); ok && own.v == at {
				return nil
			}
		}
		if !at.fetch && !at.hidden {
			break
		}
	}
	return errorf("query specified join fetching, but the owner of the fetched association was not present in the select list: %s", v.prop)
}

func (p *plan) columns() []bound {
	var out []bound
	var add func([]column)
	add = func(list []column) {
		for _, c := range list {
			if c.x != nil {
				out = append(out, c.x)
			}
			add(c.entries)
		}
	}
	add(p.items)
	return out
}

// verifyGroups demands that what is selected next to aggregates is grouped by,
// or depends on a grouped id.
func (p *plan) verifyGroups() error {
	keys := make(map[string]bool)
	whole := make(map[*variable]bool)
	for _, g := range p.group {
		keys[g.key()] = true
		switch n := g.(type) {
		case *varValue:
			whole[n.v] = true
		case *propValue:
			if n.prop.Name == "id" {
				whole[n.v] = true
			}
		}
	}
	var check func(b bound) error
	check = func(b bound) error {
		if _, ok := b.(*aggregate); ok || keys[b.key()] {
			return nil
		}
		if l, ok := b.(leaf); ok {
			if v := l.variable(); v.scope == p.scope && !whole[v] {
				return errorf("a column must appear in the group by clause or be used in an aggregate function: %s", describe(l))
			}
		}
		for _, c := range b.children() {
			if err := check(c); err != nil {
				return err
			}
		}
		return nil
	}
	all := p.columns()
	if p.having != nil {
		all = append(all, p.having)
	}
	for _, o := range p.order {
		all = append(all, o.x)
	}
	for _, b := range all {
		if err := check(b); err != nil {
			return err
		}
	}
	return nil
}

// verifyDistinct demands that a distinct result is sorted by what it shows.
func (p *plan) verifyDistinct() error {
	keys := make(map[string]bool)
	whole := make(map[*variable]bool)
	for _, b := range p.columns() {
		keys[b.key()] = true
		if v, ok := b.(*varValue); ok {
			whole[v.v] = true
		}
	}
	for _, v := range p.scope.vars {
		whole[v] = whole[v] || v.fetch
	}
	for _, o := range p.order {
		if keys[o.x.key()] {
			continue
		}
		l, ok := o.x.(leaf)
		if !ok || !whole[l.variable()] {
			return errorf("for select distinct, order by expressions must appear in the select list: %s", describe(o.x))
		}
	}
	return nil
}

// describe names an expression in a message.
func describe(b bound) string {
	l, ok := b.(leaf)
	if !ok {
		return "an expression of type " + b.typ().String()
	}
	name := l.variable().name
	switch n := b.(type) {
	case *propValue:
		return name + "." + n.prop.Name
	case *refValue:
		return name + "." + n.prop.Name
	case *elementPart:
		return name + "." + n.part
	}
	return name
}
