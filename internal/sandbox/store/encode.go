package store

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// storedRow is a row in the journal. Properties go by name, so that a member
// added to the model later reads as null.
type storedRow struct {
	Class    string                     `json:"c"`
	ID       int64                      `json:"i"`
	Gone     bool                       `json:"gone,omitempty"`
	Version  int32                      `json:"v,omitempty"`
	Details  []int64                    `json:"d,omitempty"` // owner, group, created, updated, external, permissions
	Position int32                      `json:"x,omitempty"`
	Values   map[string]json.RawMessage `json:"p,omitempty"`
}

func store(r *Row) storedRow {
	sr := storedRow{
		Class: r.Class.Name, ID: r.ID, Version: r.Version, Position: r.Position,
		Details: []int64{r.Owner, r.Group, r.Created, r.Updated, r.External, r.Perm},
		Values:  make(map[string]json.RawMessage),
	}
	for i, p := range r.Class.stored {
		if v := r.Values[i]; v != nil {
			sr.Values[p.Name] = encodeValue(v)
		}
	}
	return sr
}

// storedQuantity and the text form of doubles carry NaN and the infinities,
// which JSON numbers cannot.
type storedQuantity struct {
	Value string `json:"v"`
	Unit  int32  `json:"u"`
}

func formatDouble(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func encodeValue(v any) json.RawMessage {
	switch x := v.(type) {
	case float64:
		v = formatDouble(x)
	case Quantity:
		v = storedQuantity{formatDouble(x.Value), x.Unit}
	case string:
		// Text may hold bytes that are no UTF-8, which JSON would replace.
		v = strconv.QuoteToASCII(x)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // only types listed with Kind get here, and they all marshal
	}
	return out
}

func (sr storedRow) row(c *Class) (*Row, error) {
	r := NewRow(c)
	r.ID, r.Version, r.Position = sr.ID, sr.Version, sr.Position
	if len(sr.Details) == 6 {
		d := sr.Details
		r.Owner, r.Group, r.Created, r.Updated, r.External, r.Perm = d[0], d[1], d[2], d[3], d[4], d[5]
	}
	for name, raw := range sr.Values {
		p := c.props[name]
		if p == nil || !p.Stored() {
			continue
		}
		v, err := decodeValue(p.Kind, raw)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %s: %w", c.Name, sr.ID, name, err)
		}
		r.Values[p.slot] = v
	}
	return r, nil
}

func decodeValue(kind Kind, raw json.RawMessage) (any, error) {
	switch kind {
	case KindString:
		s, err := decode[string](raw)
		if err != nil {
			return nil, err
		}
		return strconv.Unquote(s.(string))
	case KindInt:
		return decode[int32](raw)
	case KindLong, KindToOne, KindPermissions:
		return decode[int64](raw)
	case KindDouble:
		s, err := decode[string](raw)
		if err != nil {
			return nil, err
		}
		return strconv.ParseFloat(s.(string), 64)
	case KindBool:
		return decode[bool](raw)
	case KindTime:
		return decode[Time](raw)
	case KindBytes:
		return decode[[]byte](raw)
	case KindStrings:
		return decode[[]string](raw)
	case KindNamedValues:
		return decode[[]NamedValue](raw)
	case KindQuantity:
		s, err := decode[storedQuantity](raw)
		if err != nil {
			return nil, err
		}
		q := s.(storedQuantity)
		f, err := strconv.ParseFloat(q.Value, 64)
		return Quantity{f, q.Unit}, err
	}
	return nil, fmt.Errorf("kind %d is not stored", kind)
}

func decode[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}
