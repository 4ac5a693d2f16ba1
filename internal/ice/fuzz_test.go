package ice_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// seeds gives a fuzz target every recorded message.
func seeds(f *testing.F, add func(m *vectorMessage, raw []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			f.Fatal(err)
		}
		for i := range v.Messages {
			raw, err := hex.DecodeString(v.Messages[i].Hex)
			if err != nil {
				f.Fatal(err)
			}
			add(&v.Messages[i], raw)
		}
	}
}

// FuzzDecodeMessage checks that a message that can be read is written again to
// the same bytes.
func FuzzDecodeMessage(f *testing.F) {
	seeds(f, func(_ *vectorMessage, raw []byte) { f.Add(raw) })
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m *ice.Message
		var err error
		bounded(t, len(raw), func() { m, err = ice.ReadMessage(bytes.NewReader(raw), 64<<20) })
		if err != nil || raw[9] == 2 {
			return
		}
		var again []byte
		switch {
		case m.Reply != nil:
			again, err = m.Reply.Encode()
		case m.Batch:
			again, err = ice.EncodeBatch(m.Requests)
		case len(m.Requests) == 1:
			again, err = m.Requests[0].Encode()
		default:
			return
		}
		// Sizes need not be written in their shortest form.
		if err != nil || len(again) > len(raw) {
			t.Errorf("encoded %x (%v), read %x", again, err, raw)
		}
	})
}

// fuzzedFields are the parameters and results that hold the most different
// types.
func fuzzedFields() [][]ice.Field {
	d := slice.Definitions()
	op := func(iface, name string) *ice.Operation { return d.Interface(iface).Operation(name) }
	return [][]ice.Field{
		op("::omero::api::IQuery", "projection").Results(),
		op("::omero::api::IQuery", "projection").In,
		op("::omero::api::IUpdate", "saveAndReturnArray").In,
		op("::omero::cmd::Handle", "getResponse").Results(),
		op("::omero::grid::SharedResources", "repositories").Results(),
		op("::omero::api::ServiceFactory", "subscribe").In,
		op("::Glacier2::Router", "getClientProxy").Results(),
		op("::omero::grid::ManagedRepository", "importFileset").In,
	}
}

// FuzzDecodeParams checks that decoding never fails badly, and that what was
// decoded can be encoded and decoded again in both encodings.
func FuzzDecodeParams(f *testing.F) {
	fields := fuzzedFields()
	seeds(f, func(m *vectorMessage, _ []byte) {
		for _, text := range []string{m.Params, m.Result} {
			data, err := hex.DecodeString(text)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) > 6 && m.Status == 0 {
				for i := range fields {
					f.Add(uint8(i), data)
				}
			}
		}
	})
	d := slice.Definitions()
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		params := fields[int(which)%len(fields)]
		var values []any
		var err error
		bounded(t, len(data), func() {
			if _, err = d.DecodeParams(params, data); err == nil {
				values, err = d.DecodeParamsExact(params, data)
			}
		})
		if err != nil {
			return
		}
		for _, encode := range []func(ice.Encoding, []ice.Field, []any) ([]byte, error){d.EncodeParams, d.EncodeParamsSliced} {
			for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
				once, err := encode(enc, params, values)
				if err != nil {
					continue // an unknown class, an unnamed enumerator, too deep
				}
				same, err := d.DecodeParamsExact(params, once)
				if err != nil {
					t.Errorf("%s: encoded %x, which does not decode: %v", enc, once, err)
					continue
				}
				// Numbers are given in the order of references, so that equal
				// graphs have equal bytes.
				if twice, err := encode(enc, params, same); err != nil || !bytes.Equal(once, twice) {
					t.Errorf("%s: encoded %x, decoded, encoded %x, %v", enc, once, twice, err)
				}
			}
		}
	})
}

// FuzzProxy reads proxies: they say who they are, and are written as they
// came.
func FuzzProxy(f *testing.F) {
	d := slice.Definitions()
	fields := d.Interface("::omero::api::ServiceFactory").Operation("getQueryService").Results()
	seeds(f, func(m *vectorMessage, _ []byte) {
		for _, text := range []string{m.Params, m.Result} {
			data, err := hex.DecodeString(text)
			if err != nil {
				f.Fatal(err)
			}
			if _, err := d.DecodeParams(fields, data); err == nil {
				f.Add(data)
			}
		}
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		var values []any
		var err error
		bounded(t, len(data), func() { values, err = d.DecodeParams(fields, data) })
		if err != nil {
			return
		}
		p, _ := values[0].(*ice.Proxy)
		_ = p.String()
		for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
			once, err := d.EncodeParams(enc, fields, values)
			if err != nil {
				t.Fatalf("%v is not encoded: %v", p, err)
			}
			same, err := d.DecodeParams(fields, once)
			if err != nil {
				t.Fatalf("encoded %x, which does not decode: %v", once, err)
			}
			if twice, err := d.EncodeParams(enc, fields, same); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("encoded %x, decoded, encoded %x, %v", once, twice, err)
			}
		}
	})
}

// FuzzDecodeException does the same for exceptions.
func FuzzDecodeException(f *testing.F) {
	seeds(f, func(m *vectorMessage, _ []byte) {
		if m.Type != "reply" || m.Status != 1 {
			return
		}
		data, err := hex.DecodeString(m.Result)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	})
	d := slice.Definitions()
	f.Fuzz(func(t *testing.T, data []byte) {
		var ex *ice.UserException
		var err error
		bounded(t, len(data), func() { ex, err = d.DecodeException(data) })
		if err != nil || ex.Exception == nil {
			return
		}
		_ = ex.Error()
		again, err := d.EncodeException(ice.Encoding10, false, ex.Exception, ex.Values)
		if err != nil {
			return
		}
		if _, err := d.DecodeException(again); err != nil {
			t.Errorf("encoded %x, which does not decode: %v", again, err)
		}
	})
}

// FuzzDecodeSlice checks that no Slice file makes the parser fail badly.
func FuzzDecodeSlice(f *testing.F) {
	f.Add(`module m { class A extends B { int x; }; class B { A a; }; };`)
	f.Add(`module m { interface I { ["x"] idempotent int f(out optional(1) bool b, int c) throws E; }; exception E { }; };`)
	f.Add(`module m { enum E { A, B = 7 }; struct S { E e; }; dictionary<string, S> D; sequence<Object*> P; };`)
	f.Fuzz(func(t *testing.T, src string) {
		bounded(t, len(src), func() {
			d, err := ice.ParseSlice(map[string][]byte{"f": []byte(src)})
			if err != nil {
				return
			}
			for _, c := range d.Classes() {
				c.New()
			}
		})
	})
}
