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
	"omerods/internal/sandbox/blitz"
	"omerods/peers/protocol"
)

// TestClientUsesOMERO runs Ice's client against the whole sandbox.
func TestClientUsesOMERO(t *testing.T) {
	ws := listen(t)
	var called protocol.Calls
	sb, err := sandbox.Start(t.Context(), sandbox.Config{OMEROFault: func(op string, _ int64) blitz.Fault {
		called.Note(op)
		return blitz.FaultNone
	}})
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
	if t.Failed() || !protocol.WholeRun() {
		return
	}
	table, err := protocol.Read("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Column(protocol.Ice, called.Seen); err != nil {
		t.Errorf("docs/protocol.md: %v", err)
	}
}
