//go:build peer

package ice_test

import (
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"

	"omerods/internal/sandbox"
)

// TestClientUsesOMERO runs Ice's client against the whole sandbox.
func TestClientUsesOMERO(t *testing.T) {
	ws := listen(t)
	sb, err := sandbox.Start(t.Context(), sandbox.Config{})
	if err != nil {
		ws.Close()
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- sb.OMERO().ServeWebSocket(ws) }()
	t.Cleanup(func() {
		if err := errors.Join(sb.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	at, err := url.Parse(sb.OMEROAddress())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	user := sb.Users()[0]
	env := []string{"PEER_USER=" + user.Name, "PEER_PASSWORD=" + user.Password}
	for scheme, port := range map[string]int{"ssl": port, "wss": ws.Addr().(*net.TCPAddr).Port} {
		t.Run(scheme, func(t *testing.T) {
			args := []string{"blitz.py", endpoint(scheme, port), wholeMessages}
			runPython(t, env, append(args, sslClient(filepath.Dir(sb.CAFile()))...)...)
		})
	}
}
