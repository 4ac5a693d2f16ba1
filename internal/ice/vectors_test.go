package ice_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// A vector is a recorded conversation of real Ice runtimes.
type vector struct {
	Name     string
	Encoding string
	Messages []vectorMessage
}

type vectorRequest struct {
	Identity       ice.Identity
	Facet          []string
	Operation      string
	Mode           ice.Mode
	Context        [][2]string
	ParamsEncoding string
	Params         string
}

type vectorMessage struct {
	vectorRequest
	Type           string
	Direction      string
	Compression    byte
	Size           int
	Hex            string
	Uncompressed   string `json:"uncompressedHex"`
	RequestID      int32  `json:"requestId"`
	Count          int
	Requests       []vectorRequest
	Status         byte
	ResultEncoding string
	Result         string
	Message        string
	Value          json.RawMessage
	ValueMeaning   string
}

// vectorFiles is how many vectors there are; each must be checked.
const vectorFiles = 213

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		ok := t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			if n := checkVector(t, &v); n != len(v.Messages) || n == 0 {
				t.Errorf("checked %d of %d messages", n, len(v.Messages))
			}
		})
		if ok {
			checked++
		}
	}
	if checked != vectorFiles {
		t.Errorf("checked %d vectors, want %d", checked, vectorFiles)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkVector returns how many messages it looked at.
func checkVector(t *testing.T, v *vector) (n int) {
	calls := make(map[string]*ice.Operation) // by direction of the reply and id
	for i := range v.Messages {
		m := &v.Messages[i]
		raw := unhex(t, m.Hex)
		h, err := ice.ParseHeader(raw, 1<<20)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if h.Size != m.Size || h.Compression != m.Compression || h.Size != len(raw) {
			t.Errorf("message %d: got header %+v, want size %d, compression %d", i, h, m.Size, m.Compression)
		}
		body, err := ice.Decompress(h, raw[ice.HeaderBytes:], 1<<20)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if m.Compression == 2 {
			raw = unhex(t, m.Uncompressed)
			if !bytes.Equal(body, raw[ice.HeaderBytes:]) {
				t.Errorf("message %d: decompression differs", i)
			}
		}
		msg, err := ice.ParseMessage(h, body)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		// A sender may set the byte that only says what answers it accepts.
		raw[9] = 0
		switch m.Type {
		case "request":
			checkRequest(t, msg.Requests[0], &m.vectorRequest)
			if msg.Requests[0].ID != m.RequestID {
				t.Errorf("got request %d, want %d", msg.Requests[0].ID, m.RequestID)
			}
			again, err := msg.Requests[0].Encode()
			sameBytes(t, raw, again, err)
			op := operationOf(t, msg.Requests[0])
			calls[fmt.Sprint(m.Direction, m.RequestID)] = op
			if m.Value != nil {
				checkParams(t, v, m, op, msg.Requests[0])
			}
		case "batchRequest":
			if !msg.Batch || len(msg.Requests) != len(m.Requests) || m.Count != len(m.Requests) {
				t.Fatalf("got %d requests, want %d", len(msg.Requests), m.Count)
			}
			for k, r := range msg.Requests {
				checkRequest(t, r, &m.Requests[k])
			}
			again, err := ice.EncodeBatch(msg.Requests)
			sameBytes(t, raw, again, err)
		case "reply":
			asked := "client-to-server"
			if m.Direction == asked {
				asked = "server-to-client"
			}
			checkReply(t, v, m, calls[fmt.Sprint(asked, m.RequestID)], msg.Reply)
			again, err := msg.Reply.Encode()
			sameBytes(t, raw, again, err)
		case "validateConnection":
			sameBytes(t, raw, ice.ValidateMessage(), nil)
		case "closeConnection":
			if !msg.Close {
				t.Error("not recognised as the end of the connection")
			}
			sameBytes(t, raw, ice.CloseMessage(), nil)
		default:
			t.Fatalf("message type %q", m.Type)
		}
		n++
	}
	return n
}

func sameBytes(t *testing.T, want, got []byte, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("encode: %v", err)
	} else if !bytes.Equal(want, got) {
		t.Errorf("encoded\n%x, want\n%x", got, want)
	}
}

func checkRequest(t *testing.T, got *ice.Request, want *vectorRequest) {
	t.Helper()
	if got.Identity != want.Identity || got.Operation != want.Operation || got.Mode != want.Mode {
		t.Errorf("got request %+v, want %+v", got, want)
	}
	if !slices.Equal(got.Facet, want.Facet) && len(got.Facet)+len(want.Facet) > 0 {
		t.Errorf("got facet %q, want %q", got.Facet, want.Facet)
	}
	var context [][2]string
	for _, c := range got.Context {
		context = append(context, [2]string{c.Key, c.Value})
	}
	if !slices.Equal(context, want.Context) && len(context)+len(want.Context) > 0 {
		t.Errorf("got context %q, want %q", context, want.Context)
	}
	if hex.EncodeToString(got.Params) != want.Params {
		t.Errorf("got parameters %x, want %s", got.Params, want.Params)
	}
	enc, err := ice.EncapsulationEncoding(got.Params)
	if err != nil || enc.String() != want.ParamsEncoding {
		t.Errorf("got encoding %s (%v), want %s", enc, err, want.ParamsEncoding)
	}
}

// services maps what the identities of the recorded objects end in to their
// interfaces.
var services = []struct{ pattern, iface string }{
	{`^router$`, "::Glacier2::Router"},
	{`IAdmin$`, "::omero::api::IAdmin"},
	{`IQuery$`, "::omero::api::IQuery"},
	{`IConfig$`, "::omero::api::IConfig"},
	{`IUpdate$`, "::omero::api::IUpdate"},
	{`ISession$`, "::omero::api::ISession"},
	{`RawFileStore$`, "::omero::api::RawFileStore"},
	{`SharedResources$`, "::omero::grid::SharedResources"},
	{`^ImportProcess-`, "::omero::grid::ImportProcess"},
	{`^ManagedRepository-`, "::omero::grid::ManagedRepository"},
	{`^IHandle-`, "::omero::cmd::Handle"},
	{`^9a1f0c52-`, "::omero::api::ServiceFactory"},
	{`^5b0c2f6e-`, "::omero::api::ClientCallback"},
	{`^nosuch$`, "::omero::api::IConfig"},
}

// operationOf finds the operation of a recorded request, nil for the one that
// does not exist.
func operationOf(t *testing.T, r *ice.Request) *ice.Operation {
	t.Helper()
	for _, s := range services {
		if regexp.MustCompile(s.pattern).MatchString(r.Identity.Name) {
			op := slice.Definitions().Interface(s.iface).Operation(r.Operation)
			if op == nil && r.Operation != "size" {
				t.Errorf("%s has no operation %s", s.iface, r.Operation)
			}
			return op
		}
	}
	t.Fatalf("no interface for %s", r.Identity)
	return nil
}

// undecodable are the vectors whose receiver could not decode them.
var undecodable = map[string]bool{"slicing.unknown-derived1.1": true}

func checkParams(t *testing.T, v *vector, m *vectorMessage, op *ice.Operation, r *ice.Request) {
	t.Helper()
	if op == nil {
		return
	}
	want := readJSON(t, m.Value)
	values, err := slice.Definitions().DecodeParamsExact(op.In, r.Params)
	if undecodable[v.Name+v.Encoding] {
		if err == nil {
			t.Error("an unknown class in the compact format was decoded")
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", r.Operation, err)
	}
	sameValue(t, r.Operation, want, jsonParams(op.In, values))
	if v.Name == "slicing.unknown-derived" || v.Name == "slicing.unknown-derived-sliced" {
		checkSliced(t, values[0])
		return
	}
	checkAgain(t, v, op.In, values, r.Params)
}

// checkSliced looks at an instance whose most derived classes are unknown.
func checkSliced(t *testing.T, v any) {
	t.Helper()
	o := v.(*ice.Object)
	want := []string{"::omero::model::FancierProject", "::omero::model::FancyProject"}
	if !slices.Equal(o.Unknown, want) || o.Mismatch {
		t.Errorf("got unknown %q, mismatch %v, want %q", o.Unknown, o.Mismatch, want)
	}
}

// checkAgain encodes decoded values and compares with what was recorded.
func checkAgain(t *testing.T, v *vector, fields []ice.Field, values []any, recorded []byte) {
	t.Helper()
	enc, err := ice.EncapsulationEncoding(recorded)
	if err != nil {
		t.Fatal(err)
	}
	d := slice.Definitions()
	classes := slices.ContainsFunc(fields, func(f ice.Field) bool { return f.Type.UsesClasses() })
	encode := d.EncodeParams
	if strings.HasSuffix(v.Name, "-sliced") {
		encode = d.EncodeParamsSliced
	}
	again, err := encode(enc, fields, values)
	if err != nil {
		t.Fatal(err)
	}
	if !classes || enc == ice.Encoding11 {
		sameBytes(t, recorded, again, nil)
		return
	}
	// The order of instances is free; the meaning is not.
	second, err := d.DecodeParamsExact(fields, again)
	if err != nil {
		t.Fatal(err)
	}
	sameValue(t, "encoded again", jsonParams(fields, values), jsonParams(fields, second))
}

func checkReply(t *testing.T, v *vector, m *vectorMessage, op *ice.Operation, r *ice.Reply) {
	t.Helper()
	if r.ID != m.RequestID || r.Status != m.Status || r.Text != m.Message {
		t.Errorf("got reply %d status %d %q, want %d, %d, %q", r.ID, r.Status, r.Text, m.RequestID, m.Status, m.Message)
	}
	if r.Identity != m.Identity || r.Operation != m.Operation || strings.Join(r.Facet, "/") != strings.Join(m.Facet, "/") {
		t.Errorf("got %+v, want %+v", r, m.vectorRequest)
	}
	if hex.EncodeToString(r.Params) != m.Result {
		t.Errorf("got result %x, want %s", r.Params, m.Result)
	}
	if m.Value == nil || r.Status > ice.StatusUserException || op == nil {
		return
	}
	if r.Status == ice.StatusUserException {
		checkException(t, v, m, op, r)
		return
	}
	values, err := slice.Definitions().DecodeParamsExact(op.Results(), r.Params)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	got := jsonParams(op.Results(), values)
	if len(values) > 1 {
		// Recorded as "result, then out parameters".
		slices.Reverse(got)
		sameValue(t, op.Name, readJSON(t, m.Value), got)
	} else if len(values) == 1 {
		sameValue(t, op.Name, readJSON(t, m.Value), got[0])
	} else if string(m.Value) != "null" {
		t.Errorf("%s returns nothing, want %s", op.Name, m.Value)
	}
	checkAgain(t, v, op.Results(), values, r.Params)
}

func checkException(t *testing.T, v *vector, m *vectorMessage, op *ice.Operation, r *ice.Reply) {
	t.Helper()
	d := slice.Definitions()
	ex, err := d.DecodeException(r.Params)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	j := &jsonWriter{}
	members := j.members(ex.Exception.AllFields(), ex.Values)
	want := readJSON(t, m.Value)
	if want == "Ice.UnknownUserException" {
		if op.Throwable(ex.Exception) {
			t.Errorf("%s throws %s", op.Name, ex.Exception.ID)
		}
		return
	}
	if !op.Throwable(ex.Exception) {
		t.Errorf("%s does not throw %s", op.Name, ex.Exception.ID)
	}
	sameValue(t, op.Name, want, map[string]any{"$exception": ex.IDs[0], "members": members})

	enc, err := ice.EncapsulationEncoding(r.Params)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.EncodeException(enc, op.Sliced, ex.Exception, ex.Values)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(v.Name, "exc.Unregistered") || enc == ice.Encoding11 {
		sameBytes(t, r.Params, again, nil)
		return
	}
	second, err := d.DecodeException(again)
	if err != nil {
		t.Fatal(err)
	}
	sameValue(t, "encoded again", members, (&jsonWriter{}).members(second.Exception.AllFields(), second.Values))
}
