package ice

import (
	"bytes"
	"testing"
)

func TestProxyInBothEncodings(t *testing.T) {
	d := parse(t, shapes)
	fields := []Field{{Name: "p", Type: &Type{Kind: KindProxy, minBytes: 2}}}
	p := &Proxy{Identity: Identity{"n", "c"}, Facet: "f", Mode: Oneway, Secure: true, Endpoints: []Endpoint{
		NewTCPEndpoint(EndpointSSL, "host", 4064),
		{Type: 99, Encoding: Encoding{1, 0}, Bytes: []byte{1, 2}},
	}}
	data, err := d.EncodeParams(Encoding11, fields, []any{p})
	if err != nil {
		t.Fatal(err)
	}
	first, err := d.DecodeParams(fields, data)
	if err != nil {
		t.Fatal(err)
	}
	in11 := first[0].(*Proxy)
	if in11.Endpoints[0].Encoding != Encoding11 || in11.Endpoints[1].Encoding != Encoding10 {
		t.Errorf("got endpoints %v", in11.Endpoints)
	}
	if data, err = d.EncodeParams(Encoding10, fields, []any{in11}); err != nil {
		t.Fatal(err)
	}
	second, err := d.DecodeParams(fields, data)
	if err != nil {
		t.Fatal(err)
	}
	in10 := second[0].(*Proxy)
	if in10.Endpoints[0].Encoding != Encoding10 || !bytes.Equal(in10.Endpoints[0].Bytes, p.Endpoints[0].Bytes) ||
		in10.Facet != "f" || !in10.Secure || in10.Mode != Oneway || in10.Identity != p.Identity {
		t.Errorf("got %+v, want %+v", in10, p)
	}
	if got := in10.String(); got != "c/n -f f at host:4064 at endpoint of type 99" {
		t.Errorf("got %q", got)
	}
}

func TestBytesAreNotCopied(t *testing.T) {
	d := parse(t, shapes)
	fields := []Field{{Name: "b", Type: d.types["::demo::Bytes"]}}
	data, err := d.EncodeParams(Encoding10, fields, []any{make([]byte, 1000)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.DecodeParams(fields, data)
	if err != nil {
		t.Fatal(err)
	}
	b := got[0].([]byte)
	data[len(data)-1] = 42
	if b[999] != 42 || cap(b) != 1000 {
		t.Errorf("got %d, capacity %d: the bytes were copied or can be appended to", b[999], cap(b))
	}
}
