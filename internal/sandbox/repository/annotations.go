package repository

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// addAnnotation makes an annotation that a file brought along and links it to
// the image.
func addAnnotation(a *store.Author, image *store.Row, n *imaging.Annotation) error {
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
		return nil
	}
	if err != nil {
		return &Failure{"error-on-init", fmt.Errorf("a %s: %w", n.Kind, err)}
	}
	v := store.Values{field: value}
	if n.NS != "" {
		v["ns"] = n.NS
	}
	if n.Description != "" {
		v["description"] = n.Description
	}
	row, err := a.Create(kind, v)
	if err != nil {
		return err
	}
	_, err = a.Create("ImageAnnotationLink", store.Values{"parent": image, "child": row})
	return err
}
