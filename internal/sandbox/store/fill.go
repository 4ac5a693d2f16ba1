package store

import (
	"fmt"
	"time"
)

// Fill sets properties of a row that is not yet stored from plain Go values.
// Besides the types that Kind documents it takes int for numbers, time.Time,
// *Row for associations, and a string for an association to an enumeration.
func (t *Tx) Fill(row *Row, v Values) error {
	for name, value := range v {
		p := row.Class.props[name]
		if p == nil || !p.Stored() {
			return fmt.Errorf("%s has no property %s", row.Class.Name, name)
		}
		x, err := t.convert(p, value)
		if err != nil {
			return err
		}
		row.Values[p.slot] = x
	}
	return nil
}

func (t *Tx) convert(p *Property, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch p.Kind {
	case KindString:
		if s, ok := v.(string); ok {
			return s, nil
		}
	case KindBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case KindInt:
		if n, ok := integer(v); ok {
			return int32(n), nil
		}
	case KindLong:
		if n, ok := integer(v); ok {
			return n, nil
		}
	case KindDouble:
		if f, ok := v.(float64); ok {
			return f, nil
		}
		if n, ok := integer(v); ok {
			return float64(n), nil
		}
	case KindTime:
		switch x := v.(type) {
		case Time:
			return x, nil
		case time.Time:
			return Time(x.UnixMilli()), nil
		}
	case KindBytes:
		if b, ok := v.([]byte); ok {
			return b, nil
		}
	case KindStrings:
		if s, ok := v.([]string); ok {
			return s, nil
		}
	case KindNamedValues:
		if n, ok := v.([]NamedValue); ok {
			return n, nil
		}
	case KindQuantity:
		if q, ok := v.(Quantity); ok {
			return q, nil
		}
	case KindToOne:
		return t.reference(p, v)
	}
	return nil, fmt.Errorf("%s: cannot hold a %T", p, v)
}

func (t *Tx) reference(p *Property, v any) (any, error) {
	switch x := v.(type) {
	case *Row:
		return x.ID, nil
	case string:
		if p.Target.Enum {
			if id := t.Enum(p.Target.Name, x); id != None {
				return id, nil
			}
			return nil, fmt.Errorf("%s: no %s %q", p, p.Target.Name, x)
		}
	}
	if n, ok := integer(v); ok {
		return n, nil
	}
	return nil, fmt.Errorf("%s: cannot hold a %T", p, v)
}

func integer(v any) (int64, bool) {
	switch x := v.(type) {
	case int:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}
