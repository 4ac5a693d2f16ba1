package repository

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"omerods/internal/sandbox/store"
)

// annotate links what the files bring along for an object to it. Objects that
// nothing can be linked to are left alone.
func (p *parts) annotate(row *store.Row, ids []string) error {
	link := row.Class.Root.Name + "AnnotationLink"
	if p.set == nil || p.a.Tx().Model().Class(link) == nil {
		return nil
	}
	for _, id := range ids {
		note, err := p.note(id)
		if err != nil {
			return err
		}
		if note == nil {
			continue
		}
		if _, err := p.a.Create(link, store.Values{"parent": row, "child": note}); err != nil {
			return err
		}
	}
	return nil
}

// note makes an annotation of the files, once for all that refer to it; nil for
// one that is not there, or of a kind that is left out.
func (p *parts) note(id string) (*store.Row, error) {
	n, ok := p.set.Annotations[id]
	if row := p.notes[id]; row != nil || !ok {
		return row, nil
	}
	kind, field := n.Kind, ""
	var value any = n.Value
	var err error
	switch n.Kind {
	case "TagAnnotation", "CommentAnnotation":
		field = "textValue"
	case "XMLAnnotation":
		kind, field = "XmlAnnotation", "textValue"
	case "TermAnnotation":
		field = "termValue"
	case "LongAnnotation":
		field = "longValue"
		value, err = strconv.ParseInt(n.Value, 10, 64)
	case "DoubleAnnotation":
		field = "doubleValue"
		value, err = strconv.ParseFloat(n.Value, 64)
	case "BooleanAnnotation":
		field = "boolValue"
		value, err = strconv.ParseBool(n.Value)
	case "TimestampAnnotation":
		field = "timeValue"
		value, err = time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(n.Value, "Z"))
	case "MapAnnotation":
		field = "mapValue"
		pairs := []store.NamedValue{}
		for _, p := range n.Pairs {
			pairs = append(pairs, store.NamedValue{Name: p[0], Value: p[1]})
		}
		value = pairs
	default:
		return nil, nil
	}
	if err != nil {
		return nil, &Failure{"error-on-init", fmt.Errorf("a %s: %w", n.Kind, err)}
	}
	v := store.Values{field: value}
	if n.NS != "" {
		v["ns"] = n.NS
	}
	if n.Description != "" {
		v["description"] = n.Description
	}
	row, err := p.a.Create(kind, v)
	if err != nil {
		return nil, err
	}
	p.notes[id] = row
	return row, p.annotate(row, n.Annotations)
}
