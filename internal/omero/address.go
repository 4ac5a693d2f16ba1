package omero

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"omerods/internal/ice"
)

// defaultPorts are those of OMERO's router, and of the web for WebSocket.
var defaultPorts = map[string]int{"ssl": 4064, "tcp": 4063, "ws": 80, "wss": 443}

// parseAddress reads "host", "host:port" or "scheme://host:port/path".
func parseAddress(s string) (ice.Address, error) {
	if !strings.Contains(s, "://") {
		s = "ssl://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ice.Address{}, fmt.Errorf("address %q is none", s)
	}
	port, known := defaultPorts[u.Scheme]
	if !known {
		return ice.Address{}, fmt.Errorf("address %q: scheme is none of ssl, tcp, wss, ws", s)
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return ice.Address{}, fmt.Errorf("address %q: bad port", s)
		}
	}
	a := ice.Address{Scheme: u.Scheme, Host: u.Hostname(), Port: port}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		a.Path = u.EscapedPath()
		if a.Path == "" {
			a.Path = "/"
		}
	} else if u.Path != "" && u.Path != "/" {
		return ice.Address{}, fmt.Errorf("address %q: a path makes sense with ws and wss only", s)
	}
	return a, nil
}

// checkPlain refuses to send a password over an open line to another machine.
func checkPlain(a ice.Address, allow bool) error {
	if a.Scheme == "ssl" || a.Scheme == "wss" || allow || isLoopback(a.Host) {
		return nil
	}
	return fmt.Errorf("connection to %s would not be encrypted", a.Host)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
