package pack

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// get is the value of an attribute without a prefix, "" when it has none.
func (e *element) get(name string) string {
	v, _ := e.lookup(name)
	return v
}

func (e *element) lookup(name string) (string, bool) {
	for i := range e.attr {
		if a := &e.attr[i]; a.Name.Local == name && a.Name.Space == "" {
			return a.Value, true
		}
	}
	return "", false
}

func (e *element) id(name string) ID { return ID(strings.TrimSpace(e.get(name))) }

func (e *element) ids(name string) []ID {
	var ids []ID
	for f := range strings.FieldsSeq(e.get(name)) {
		ids = append(ids, ID(f))
	}
	return ids
}

func (e *element) int64(name string, otherwise int64) int64 {
	v, ok := e.lookup(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil {
		e.invalid("%s is %q, no number", name, clip(v))
	}
	return n
}

func (e *element) int(name string) int { return int(e.int64(name, 0)) }

func (e *element) optInt(name string) *int {
	if _, ok := e.lookup(name); !ok {
		return nil
	}
	return new(e.int(name))
}

func (e *element) color(name string) *int32 {
	if _, ok := e.lookup(name); !ok {
		return nil
	}
	n := e.int64(name, 0)
	if n < math.MinInt32 || n > math.MaxUint32 {
		e.invalid("%s is %d, no colour", name, n)
	}
	return new(int32(n))
}

func parseFloat(s string) (float64, error) {
	s = strings.TrimSpace(s)
	switch s {
	case "INF":
		return math.Inf(1), nil
	case "-INF":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(s, 64)
}

func (e *element) float(name string) float64 {
	v, ok := e.lookup(name)
	if !ok {
		return 0
	}
	f, err := parseFloat(v)
	if err != nil {
		e.invalid("%s is %q, no number", name, clip(v))
	}
	return f
}

func (e *element) optFloat(name string) *float64 {
	if _, ok := e.lookup(name); !ok {
		return nil
	}
	return new(e.float(name))
}

func (e *element) quantity(name, unit string) *Quantity {
	if _, ok := e.lookup(name); !ok {
		return nil
	}
	q := &Quantity{Value: e.float(name), Unit: unit}
	if u := e.get(name + "Unit"); u != "" {
		q.Unit = u
	}
	return q
}

func (e *element) optText(name string) *string {
	v, ok := e.lookup(name)
	if !ok {
		return nil
	}
	return &v
}

func (e *element) optBool(name string) *bool {
	if _, ok := e.lookup(name); !ok {
		return nil
	}
	return new(e.flag(name))
}

func parseBool(s string) (bool, error) { return strconv.ParseBool(strings.TrimSpace(s)) }

func (e *element) flag(name string) bool {
	v, ok := e.lookup(name)
	if !ok {
		return false
	}
	b, err := parseBool(v)
	if err != nil {
		e.invalid("%s is %q, not true or false", name, clip(v))
	}
	return b
}

func (e *element) time(name string) time.Time {
	v, ok := e.lookup(name)
	if !ok {
		return time.Time{}
	}
	t, err := parseTime(v)
	if err != nil {
		e.fail(err)
	}
	return t
}
