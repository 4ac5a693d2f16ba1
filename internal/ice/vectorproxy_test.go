package ice_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"

	"omerods/internal/ice"
)

// diffProxy compares a proxy with the recorded text of one.
func diffProxy(want map[string]any, p *ice.Proxy) string {
	if w, ok := want["$proxy"].(*ice.Proxy); ok {
		if !reflect.DeepEqual(w, p) {
			return fmt.Sprintf(": got proxy %s, want %s", p, w)
		}
		return ""
	}
	text, _ := want["$proxy"].(string)
	if got := proxyString(p); got != text {
		return fmt.Sprintf(": got proxy %s, want %s", got, text)
	}
	if enc, _ := want["encoding"].(string); enc != p.Encoding.String() {
		return fmt.Sprintf(": got proxy encoding %s, want %s", p.Encoding, enc)
	}
	return ""
}

// proxyString writes a proxy as Ice does.
func proxyString(p *ice.Proxy) string {
	s := strings.ReplaceAll(p.Identity.String(), "'", `\'`)
	if strings.ContainsAny(s, " :@") {
		s = `"` + s + `"`
	}
	if p.Facet != "" {
		s += " -f " + p.Facet
	}
	s += [...]string{" -t", " -o", " -O", " -d", " -D"}[p.Mode]
	if p.Secure {
		s += " -s"
	}
	s += " -e " + p.Encoding.String()
	for _, ep := range p.Endpoints {
		s += ":" + endpointString(ep)
	}
	if p.AdapterID != "" {
		s += " @ " + p.AdapterID
	}
	return s
}

func endpointString(ep ice.Endpoint) string {
	// The runtime that recorded the text had no TLS and kept these opaque.
	name, ok := map[int16]string{1: "tcp", 3: "udp", 4: "ws"}[ep.Type]
	if !ok {
		return fmt.Sprintf("opaque -t %d -e %s -v %s", ep.Type, ep.Encoding, base64.StdEncoding.EncodeToString(ep.Bytes))
	}
	b := ep.Bytes
	str := func() string {
		n := int(b[0])
		s := string(b[1 : 1+n])
		b = b[1+n:]
		return s
	}
	num := func() int32 {
		n := int32(binary.LittleEndian.Uint32(b))
		b = b[4:]
		return n
	}
	s := name + " -h " + str()
	s += fmt.Sprintf(" -p %d", num())
	if ep.Type == ice.EndpointUDP {
		return s
	}
	if timeout := num(); timeout == -1 {
		s += " -t infinite"
	} else {
		s += fmt.Sprintf(" -t %d", timeout)
	}
	compress := b[0] != 0
	b = b[1:]
	if compress {
		s += " -z"
	}
	if ep.Type == ice.EndpointWS {
		s += " -r " + str()
	}
	return s
}
