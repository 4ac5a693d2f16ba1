package ice

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// Identity names an object within a server.
type Identity struct{ Name, Category string }

// String returns "category/name", slashes in either escaped. Where identities
// are made of session keys, it must not be logged.
func (i Identity) String() string {
	esc := func(s string) string { return strings.ReplaceAll(s, "/", `\/`) }
	if i.Category == "" {
		return esc(i.Name)
	}
	return esc(i.Category) + "/" + esc(i.Name)
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// redacted returns the name for logs: UUIDs, which may be session keys, and
// the category, which often is one, are left out.
func (i Identity) redacted() string { return uuid.ReplaceAllString(i.Name, "*") }

// Types of endpoints.
const (
	EndpointTCP = 1
	EndpointSSL = 2
	EndpointUDP = 3
	EndpointWS  = 4
	EndpointWSS = 5
)

// Endpoint is an address inside a proxy. It is kept as it came and written
// back unchanged: behind a router nobody dials it.
type Endpoint struct {
	Type     int16
	Encoding Encoding // of Bytes
	Bytes    []byte   // content of the encapsulation, without its header
}

// Invocation modes of a proxy.
const (
	Twoway        = 0
	Oneway        = 1
	BatchOneway   = 2
	Datagram      = 3
	BatchDatagram = 4
)

// Proxy is a reference to an object on a server.
type Proxy struct {
	Identity
	Facet     string
	Mode      byte
	Secure    bool
	Protocol  Encoding // version of the protocol; zero stands for 1.0
	Encoding  Encoding // that the server prefers; zero stands for 1.0
	Endpoints []Endpoint
	AdapterID string // instead of endpoints; empty for a well-known object
}

// NewTCPEndpoint returns the endpoint of a plain or TLS address with no
// timeout. kind is EndpointTCP or EndpointSSL.
func NewTCPEndpoint(kind int16, host string, port int) Endpoint {
	e := &encoder{}
	e.string(host)
	e.int(int32(port))
	e.int(-1)
	e.bool(false)
	return Endpoint{Type: kind, Encoding: Encoding10, Bytes: e.buf}
}

// hostPort reports whether the endpoint starts with a host and a port. The
// content of such endpoints is the same in all encodings.
func (ep *Endpoint) hostPort() bool {
	switch ep.Type {
	case EndpointTCP, EndpointSSL, EndpointWS, EndpointWSS:
		return true
	}
	return false
}

func (e *encoder) proxy(p *Proxy) {
	if p == nil {
		e.string("")
		e.string("")
		return
	}
	if p.Name == "" {
		e.fail("a proxy without a name")
		return
	}
	e.string(p.Name)
	e.string(p.Category)
	if p.Facet == "" {
		e.size(0)
	} else {
		e.size(1)
		e.string(p.Facet)
	}
	e.buf = append(e.buf, p.Mode)
	e.bool(p.Secure)
	if e.enc == Encoding11 {
		protocol, encoding := p.Protocol, p.Encoding
		if protocol == (Encoding{}) {
			protocol = Encoding10
		}
		if encoding == (Encoding{}) {
			encoding = Encoding10
		}
		e.buf = append(e.buf, protocol.Major, protocol.Minor, encoding.Major, encoding.Minor)
	}
	e.size(len(p.Endpoints))
	for i := range p.Endpoints {
		e.endpoint(&p.Endpoints[i])
	}
	if len(p.Endpoints) == 0 {
		e.string(p.AdapterID)
	}
}

func (e *encoder) endpoint(ep *Endpoint) {
	enc := ep.Encoding
	if ep.hostPort() {
		enc = e.enc
	}
	e.buf = append(e.buf, byte(ep.Type), byte(ep.Type>>8))
	e.int(int32(len(ep.Bytes) + encapsulationHeader))
	e.buf = append(e.buf, enc.Major, enc.Minor)
	e.buf = append(e.buf, ep.Bytes...)
}

// proxy reads a proxy; nil for the nil proxy. The result shares no memory with
// the message, which may be large and short-lived.
func (d *decoder) proxy() *Proxy {
	p := &Proxy{Protocol: Encoding10, Encoding: Encoding10}
	p.Name, p.Category = d.string(), d.string()
	if p.Identity == (Identity{}) {
		return nil
	}
	if p.Name == "" {
		d.fail("proxy without a name")
		return nil
	}
	switch n := d.size(1); n {
	case 0:
	case 1:
		p.Facet = d.string()
	default:
		d.fail("proxy with %d facets", n)
	}
	if p.Mode = d.byte(); p.Mode > BatchDatagram {
		d.fail("proxy mode %d", p.Mode)
	}
	p.Secure = d.bool()
	if d.enc == Encoding11 {
		p.Protocol = Encoding{d.byte(), d.byte()}
		p.Encoding = Encoding{d.byte(), d.byte()}
	}
	n := d.size(2 + encapsulationHeader)
	for range n {
		if d.err != nil {
			return nil
		}
		p.Endpoints = append(p.Endpoints, d.endpoint())
	}
	if n == 0 {
		p.AdapterID = d.string()
	}
	if d.err != nil {
		return nil
	}
	return p
}

func (d *decoder) endpoint() Endpoint {
	ep := Endpoint{Type: d.short()}
	n := d.int()
	if n < encapsulationHeader {
		d.fail("endpoint of %d bytes", n)
		return ep
	}
	ep.Encoding = Encoding{d.byte(), d.byte()}
	ep.Bytes = append([]byte(nil), d.bytes(int(n)-encapsulationHeader)...)
	return ep
}

// String describes the proxy. Like its identity it may hold a session key.
func (p *Proxy) String() string {
	if p == nil {
		return "nil proxy"
	}
	s := p.Identity.String()
	if p.Facet != "" {
		s += " -f " + p.Facet
	}
	for i := range p.Endpoints {
		s += " at " + p.Endpoints[i].String()
	}
	if p.AdapterID != "" {
		s += " @ " + p.AdapterID
	}
	return s
}

// String returns "host:port", or the type of an endpoint that has neither.
func (ep *Endpoint) String() string {
	if ep.hostPort() {
		d := &decoder{buf: ep.Bytes, end: len(ep.Bytes)}
		host, port := d.string(), d.int()
		if d.err == nil {
			return net.JoinHostPort(host, strconv.Itoa(int(port)))
		}
	}
	return fmt.Sprintf("endpoint of type %d", ep.Type)
}
