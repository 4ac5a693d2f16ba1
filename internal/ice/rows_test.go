package ice_test

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// told describes instances, so that rows can be compared.
var told = ice.Cells{
	Member: func(c *ice.Class, v any) any { return fmt.Sprintf("%s %T %v", c.ID, v, v) },
	Object: func(o *ice.Object) any {
		if o.Class == nil {
			return strings.Join(o.Unknown, " ")
		}
		var b strings.Builder
		b.WriteString(o.Class.ID)
		for _, v := range o.Values {
			describe(&b, v, 3)
		}
		return b.String()
	},
}

// describe writes a value; objects to some depth, for they may have cycles.
func describe(b *strings.Builder, v any, depth int) {
	switch v := v.(type) {
	case *ice.Object:
		if depth == 0 || v.Class == nil {
			b.WriteString(" *")
			return
		}
		b.WriteString(" {" + v.Class.ID)
		for _, x := range v.Values {
			describe(b, x, depth-1)
		}
		b.WriteString("}")
	case []any:
		for _, x := range v {
			describe(b, x, depth)
		}
	case ice.Dict:
		for _, p := range v {
			describe(b, p.Key, depth)
			describe(b, p.Value, depth)
		}
	case *ice.Record:
		describe(b, v.Values, depth)
	default:
		fmt.Fprintf(b, " %T %v", v, v)
	}
}

// slowRows makes rows of the instances that the general decoder gives.
func slowRows(fields []ice.Field, data []byte) ([][]any, error) {
	values, err := slice.Definitions().DecodeParams(fields, data)
	if err != nil {
		return nil, err
	}
	list := values[0].([]any)
	rows := make([][]any, len(list))
	for i, row := range list {
		rows[i] = make([]any, len(row.([]any)))
		for j, v := range row.([]any) {
			o, ok := v.(*ice.Object)
			switch {
			case !ok:
			case o.Class != nil && len(o.Class.AllFields()) == 1 && o.Class.AllFields()[0].Type.Kind <= ice.KindString:
				rows[i][j] = told.Member(o.Class, o.Values[0])
			default:
				rows[i][j] = told.Object(o)
			}
		}
	}
	return rows, nil
}

func rowFields() []ice.Field {
	return slice.Definitions().Interface("::omero::api::IQuery").Operation("projection").Results()
}

// sameRows compares both decoders.
func sameRows(t *testing.T, data []byte) [][]any {
	t.Helper()
	got, _, err := ice.DecodeRows[[]any](slice.Definitions(), rowFields(), data, told)
	want, wantErr := slowRows(rowFields(), data)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("rows give %v, objects %v", err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	return got
}

// mixedRows have cells that are shared, null, plain, and objects that refer to
// cells of other rows.
func mixedRows(tb testing.TB, enc ice.Encoding) []byte {
	tb.Helper()
	d := slice.Definitions()
	value := func(class string, v any) *ice.Object { return d.New("::omero::"+class).Set("val", v) }
	shared, name, size := value("RLong", int64(7)), value("RString", "MICROMETER"), value("RDouble", 0.5)
	length := value("RMap", ice.Dict{{Key: "unit", Value: name}, {Key: "value", Value: size}})
	list := value("RList", []any{shared, name, length, nil})
	image := d.New("::omero::model::Image").Set("name", name)
	rows := []any{
		[]any{shared, name, nil, value("RTime", int64(1)), value("RBool", true)},
		[]any{},
		[]any{length, size, value("RInt", int32(-1)), value("RFloat", float32(2))},
		[]any{list, shared, d.New("::omero::RObject").Set("val", image)},
	}
	data, err := d.EncodeParams(enc, rowFields(), []any{rows})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestDecodeRows(t *testing.T) {
	for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
		rows := sameRows(t, mixedRows(t, enc))
		if len(rows) != 4 || rows[0][0] != "::omero::RLong int64 7" || rows[0][2] != nil || rows[3][1] != rows[0][0] {
			t.Errorf("%s: got %v", enc, rows)
		}
	}
	// Cut off anywhere, and with any byte changed, both decoders say the same.
	data := mixedRows(t, ice.Encoding10)
	for i := range data {
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			changed := append([]byte(nil), data...)
			changed[i] = b
			sameRows(t, changed)
		}
	}
	if _, _, err := ice.DecodeRows[[]any](slice.Definitions(), rowFields()[:0], data, told); err == nil {
		t.Error("rows of nothing were decoded")
	}
}

// FuzzDecodeRows compares the decoder of rows with that of all else.
func FuzzDecodeRows(f *testing.F) {
	seeds(f, func(m *vectorMessage, _ []byte) {
		data, err := hex.DecodeString(m.Result)
		if err != nil {
			f.Fatal(err)
		}
		if m.Operation == "projection" && len(data) > 6 {
			f.Add(data)
		}
	})
	f.Add(mixedRows(f, ice.Encoding10))
	f.Add(mixedRows(f, ice.Encoding11))
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, len(data), func() { sameRows(t, data) })
	})
}
