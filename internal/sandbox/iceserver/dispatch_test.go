package iceserver_test

import (
	"context"
	"errors"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

const demo = `
module demo {
  class Base { int x; };
  exception Known { string text; };
  exception Derived extends Known { int code; };
  exception Other { };
  interface Parent { void plain(); };
  interface Service extends Parent {
    idempotent string repeat(string text, int times, out int length) throws Known;
    void take(Base b);
    ["format:sliced"] Base give() throws Known;
  };
};`

func dispatch(t *testing.T, req *ice.Request, impl iceserver.Impl) (*ice.Definitions, *ice.Reply) {
	t.Helper()
	d, err := ice.ParseSlice(map[string][]byte{"demo": []byte(demo)})
	if err != nil {
		t.Fatal(err)
	}
	if impl == nil {
		impl = func(context.Context, *ice.Operation, []any, map[string]string) ([]any, error) {
			t.Errorf("%s was executed", req.Operation)
			return nil, nil
		}
	}
	return d, iceserver.Dispatch(context.Background(), d, d.Interface("::demo::Service"), req, impl)
}

func TestDispatch(t *testing.T) {
	for _, enc := range []ice.Encoding{ice.Encoding10, ice.Encoding11} {
		d, err := ice.ParseSlice(map[string][]byte{"demo": []byte(demo)})
		if err != nil {
			t.Fatal(err)
		}
		op := d.Interface("::demo::Service").Operation("repeat")
		params, err := d.EncodeParams(enc, op.In, []any{"ab", int32(2)})
		if err != nil {
			t.Fatal(err)
		}
		req := &ice.Request{Operation: "repeat", Mode: ice.Idempotent, Params: params,
			Context: []ice.ContextEntry{{Key: "k", Value: "v"}}}
		_, reply := dispatch(t, req, func(_ context.Context, op *ice.Operation, args []any, c map[string]string) ([]any, error) {
			if op.Name != "repeat" || args[0] != "ab" || args[1] != int32(2) || c["k"] != "v" {
				t.Errorf("got %s %v %v", op.Name, args, c)
			}
			return []any{int32(4), "abab"}, nil
		})
		if got, _ := ice.EncapsulationEncoding(reply.Params); got != enc {
			t.Errorf("got a reply in encoding %s, want %s", got, enc)
		}
		results, err := d.DecodeReply(op, reply)
		if err != nil || results[0] != int32(4) || results[1] != "abab" {
			t.Errorf("got %v (%v)", results, err)
		}
	}
}

func TestDispatchRefuses(t *testing.T) {
	empty := ice.EmptyEncapsulation(ice.Encoding10)
	// An instance with a slice longer than the class.
	longer := []byte("\xff\xff\xff\xff\x01\x01\x00\x00\x00\x00\x0c::demo::Base\x09\x00\x00\x00\x01\x00\x00\x00\x00" +
		"\x00\x0d::Ice::Object\x05\x00\x00\x00\x00\x00")
	longer = append([]byte{byte(len(longer) + 6), 0, 0, 0, 1, 0}, longer...)
	rows := map[string]struct {
		req  ice.Request
		want byte
	}{
		"no such operation":       {ice.Request{Operation: "missing", Params: empty}, ice.StatusOperationNotExist},
		"normal for idempotent":   {ice.Request{Operation: "repeat", Params: empty}, ice.StatusUnknownLocal},
		"idempotent for normal":   {ice.Request{Operation: "take", Mode: ice.Idempotent, Params: empty}, ice.StatusUnknownLocal},
		"nonmutating for normal":  {ice.Request{Operation: "plain", Mode: ice.Nonmutating, Params: empty}, ice.StatusUnknownLocal},
		"normal for ice_ping":     {ice.Request{Operation: "ice_ping", Params: empty}, ice.StatusUnknownLocal},
		"parameters missing":      {ice.Request{Operation: "repeat", Mode: ice.Idempotent, Params: empty}, ice.StatusUnknownLocal},
		"parameters too many":     {ice.Request{Operation: "plain", Params: []byte{8, 0, 0, 0, 1, 0, 1, 1}}, ice.StatusUnknownLocal},
		"unknown encoding":        {ice.Request{Operation: "plain", Params: []byte{6, 0, 0, 0, 1, 2}}, ice.StatusUnknownLocal},
		"class of another shape":  {ice.Request{Operation: "take", Params: longer}, ice.StatusUnknownLocal},
		"encapsulation malformed": {ice.Request{Operation: "plain", Params: []byte{1}}, ice.StatusUnknownLocal},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			r.req.Identity = ice.Identity{Name: "o", Category: "c"}
			_, reply := dispatch(t, &r.req, nil)
			if reply.Status != r.want {
				t.Errorf("got status %d %q, want %d", reply.Status, reply.Text, r.want)
			}
			if r.want == ice.StatusOperationNotExist && (reply.Identity != r.req.Identity || reply.Operation != r.req.Operation) {
				t.Errorf("got %+v, want it to name the object and the operation", reply)
			}
		})
	}
}

func TestDispatchErrors(t *testing.T) {
	give := &ice.Request{Operation: "give", Params: ice.EmptyEncapsulation(ice.Encoding11)}
	rows := map[string]struct {
		err  error
		want byte
	}{
		"declared":         {&iceserver.Exception{ID: "::demo::Known", Values: map[string]any{"text": "x"}}, ice.StatusUserException},
		"derived":          {&iceserver.Exception{ID: "::demo::Derived", Values: map[string]any{"text": "x"}}, ice.StatusUserException},
		"wrapped":          {errors.Join(errors.New("y"), &iceserver.Exception{ID: "::demo::Known"}), ice.StatusUserException},
		"not declared":     {&iceserver.Exception{ID: "::demo::Other"}, ice.StatusUnknownUser},
		"not defined":      {&iceserver.Exception{ID: "::demo::Nowhere"}, ice.StatusUnknownUser},
		"value of no kind": {&iceserver.Exception{ID: "::demo::Known", Values: map[string]any{"text": 5}}, ice.StatusUnknownLocal},
		"does not exist":   {iceserver.ErrNotExist, ice.StatusObjectNotExist},
		"anything else":    {errors.New("x"), ice.StatusUnknown},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			d, reply := dispatch(t, give, func(context.Context, *ice.Operation, []any, map[string]string) ([]any, error) {
				return nil, r.err
			})
			if reply.Status != r.want {
				t.Fatalf("got status %d %q, want %d", reply.Status, reply.Text, r.want)
			}
			if r.want != ice.StatusUserException {
				return
			}
			_, err := d.DecodeReply(d.Interface("::demo::Service").Operation("give"), reply)
			var ex *ice.UserException
			if !errors.As(err, &ex) || !ex.IsA("::demo::Known") {
				t.Errorf("got %v, want the exception", err)
			}
		})
	}
	_, reply := dispatch(t, give, func(context.Context, *ice.Operation, []any, map[string]string) ([]any, error) {
		return []any{"text"}, nil
	})
	if reply.Status != ice.StatusUnknownLocal {
		t.Errorf("a result of the wrong type: got status %d", reply.Status)
	}
}

func TestObjectOperations(t *testing.T) {
	d, err := ice.ParseSlice(map[string][]byte{"demo": []byte(demo)})
	if err != nil {
		t.Fatal(err)
	}
	service := d.Interface("::demo::Service")
	for _, mode := range []ice.Mode{ice.Nonmutating, ice.Idempotent} {
		call := func(name string, args ...any) any {
			t.Helper()
			op := service.Operation(name)
			params, err := d.EncodeParams(ice.Encoding10, op.In, args)
			if err != nil {
				t.Fatal(err)
			}
			_, reply := dispatch(t, &ice.Request{Operation: name, Mode: mode, Params: params}, nil)
			results, err := d.DecodeReply(op, reply)
			if err != nil {
				t.Fatal(err)
			}
			if len(results) == 0 {
				return nil
			}
			return results[0]
		}
		call("ice_ping")
		if got := call("ice_id"); got != "::demo::Service" {
			t.Errorf("got id %v", got)
		}
		if got := call("ice_ids").([]string); len(got) != 3 || got[0] != "::Ice::Object" || got[1] != "::demo::Parent" {
			t.Errorf("got ids %v", got)
		}
		if call("ice_isA", "::demo::Parent") != true || call("ice_isA", "::demo::Other") != false {
			t.Error("ice_isA is wrong")
		}
	}
}
