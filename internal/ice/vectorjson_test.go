package ice_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strconv"
	"testing"

	"omerods/internal/ice"
)

// readJSON reads a recorded value. Numbers stay text, so that none is rounded.
func readJSON(t *testing.T, raw json.RawMessage) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// jsonWriter turns values into the form in which they were recorded.
type jsonWriter struct{ ids map[*ice.Object]int }

func jsonParams(fields []ice.Field, values []any) []any {
	j := &jsonWriter{}
	out := make([]any, len(values))
	for i, f := range fields {
		out[i] = j.value(f.Type, values[i])
		if f.Optional && values[i] == nil {
			out[i] = map[string]any{"$unset": true}
		}
	}
	return out
}

func (j *jsonWriter) members(fields []ice.Field, values []any) map[string]any {
	m := make(map[string]any)
	for i, f := range fields {
		m[f.Name] = j.value(f.Type, values[i])
	}
	return m
}

func (j *jsonWriter) value(t *ice.Type, v any) any {
	switch x := v.(type) {
	case nil, bool, string:
		return x
	case byte, int16, int64:
		return json.Number(fmt.Sprint(x))
	case int32:
		if t.Kind == ice.KindEnum {
			return map[string]any{"$enum": t.Name, "name": t.Enum.Name(x), "value": json.Number(fmt.Sprint(x))}
		}
		return json.Number(fmt.Sprint(x))
	case float32:
		return json.Number(strconv.FormatFloat(float64(x), 'g', -1, 64))
	case float64:
		return json.Number(strconv.FormatFloat(x, 'g', -1, 64))
	case []byte:
		return map[string]any{"$bytes": hex.EncodeToString(x)}
	case ice.Dict:
		pairs := []any{}
		for _, p := range x {
			pairs = append(pairs, []any{j.value(t.Key, p.Key), j.value(t.Elem, p.Value)})
		}
		return map[string]any{"$dict": pairs}
	case *ice.Record:
		return map[string]any{"$struct": t.Name, "members": j.members(x.Struct.Fields, x.Values)}
	case *ice.Object:
		if j.ids == nil {
			j.ids = make(map[*ice.Object]int)
		}
		if id, seen := j.ids[x]; seen {
			return map[string]any{"$ref": json.Number(fmt.Sprint(id))}
		}
		j.ids[x] = len(j.ids) + 1
		id := json.Number(fmt.Sprint(j.ids[x]))
		return map[string]any{"$id": id, "$type": x.Class.ID, "members": j.members(x.Class.AllFields(), x.Values)}
	case *ice.Proxy:
		return map[string]any{"$proxy": x}
	}
	list := []any{}
	for s, i := reflect.ValueOf(v), 0; i < s.Len(); i++ {
		list = append(list, j.value(t.Elem, s.Index(i).Interface()))
	}
	return list
}

// graphs remembers which instance of one graph stands for which of another.
// Both sides number instances by their own order of printing.
type graphs struct {
	wantByID, gotByID map[string]any
	pairs             map[any]any
}

// sameValue compares a recorded value with a decoded one: graphs by following
// references, dictionaries as sets.
func sameValue(t *testing.T, what string, want, got any) {
	t.Helper()
	g := &graphs{wantByID: map[string]any{}, gotByID: map[string]any{}, pairs: map[any]any{}}
	collectIDs(want, g.wantByID)
	collectIDs(got, g.gotByID)
	if diff := g.diff(want, got); diff != "" {
		t.Errorf("%s%s", what, diff)
	}
}

func collectIDs(v any, into map[string]any) {
	switch x := v.(type) {
	case map[string]any:
		if id, ok := x["$id"]; ok {
			into[fmt.Sprint(id)] = x
		}
		for _, m := range x {
			collectIDs(m, into)
		}
	case []any:
		for _, m := range x {
			collectIDs(m, into)
		}
	}
}

func deref(v any, ids map[string]any) any {
	if m, ok := v.(map[string]any); ok {
		if r, ok := m["$ref"]; ok {
			return ids[fmt.Sprint(r)]
		}
	}
	return v
}

// diff returns "" when the values are the same, else where they differ.
func (g *graphs) diff(want, got any) string {
	want, got = deref(want, g.wantByID), deref(got, g.gotByID)
	switch w := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf(": got %v, want %v", got, want)
		}
		return g.diffMap(w, m)
	case []any:
		l, ok := got.([]any)
		if !ok || len(l) != len(w) {
			return fmt.Sprintf(": got %v, want %v", got, want)
		}
		for i := range w {
			if d := g.diff(w[i], l[i]); d != "" {
				return fmt.Sprintf("[%d]%s", i, d)
			}
		}
		return ""
	case json.Number:
		n, ok := got.(json.Number)
		if ok && (n == w || sameFloat(w, n)) {
			return ""
		}
		return fmt.Sprintf(": got %v, want %v", got, want)
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf(": got %v, want %v", got, want)
	}
	return ""
}

func sameFloat(a, b json.Number) bool {
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	_, err3 := a.Int64()
	return err1 == nil && err2 == nil && err3 != nil && x == y || err1 == nil && err2 == nil && x == y && math.Abs(x) < 1<<53
}

func (g *graphs) diffMap(want, got map[string]any) string {
	if p, ok := got["$proxy"].(*ice.Proxy); ok {
		return diffProxy(want, p)
	}
	if pairs, ok := want["$dict"].([]any); ok {
		return g.diffDict(pairs, got)
	}
	if id, ok := want["$id"]; ok {
		key := fmt.Sprint(id)
		if other, seen := g.pairs[key]; seen {
			if other != fmt.Sprint(got["$id"]) {
				return ": another instance"
			}
			return ""
		}
		g.pairs[key] = fmt.Sprint(got["$id"])
	}
	if len(want) != len(got) {
		return fmt.Sprintf(": got %v, want %v", got, want)
	}
	for k := range want {
		if k == "$id" {
			continue
		}
		if _, ok := got[k]; !ok {
			return fmt.Sprintf(": no %s", k)
		}
		if d := g.diff(want[k], got[k]); d != "" {
			return "." + k + d
		}
	}
	return ""
}

func (g *graphs) diffDict(want []any, got map[string]any) string {
	have, _ := got["$dict"].([]any)
	if len(have) != len(want) {
		return fmt.Sprintf(": got %v, want %v", have, want)
	}
	key := func(p any) string { return fmt.Sprint(p.([]any)[0]) }
	byKey := func(l []any) []any {
		l = append([]any(nil), l...)
		sort.Slice(l, func(i, j int) bool { return key(l[i]) < key(l[j]) })
		return l
	}
	return g.diff(byKey(want), byKey(have))
}
