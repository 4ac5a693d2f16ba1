//go:build peer

package ice_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"omerods/internal/sandbox/iceserver"
)

// runPython runs a script of tests, which must find some and fail in none.
func runPython(t *testing.T, env []string, args ...string) {
	t.Helper()
	p := start(t, env, python, args...)
	<-p.done
	if p.err != nil {
		t.Fatalf("%s: %v", args[0], p.err)
	}
	if ran := regexp.MustCompile(`(?m)^Ran (\d+) test`).FindStringSubmatch(p.output()); ran == nil || ran[1] == "0" {
		t.Errorf("%s ran no tests:\n%s", args[0], p.output())
	}
}

func endpoint(scheme string, port int) string {
	return fmt.Sprintf("%s -h 127.0.0.1 -p %d", scheme, port)
}

// sslClient makes Ice's client verify the server.
func sslClient(dir string) []string {
	return []string{
		"--Ice.Plugin.IceSSL=IceSSL:createIceSSL", "--IceSSL.CAs=" + filepath.Join(dir, "server.crt"), "--IceSSL.VerifyPeer=2",
		"--IceSSL.CheckCertName=1", "--IceSSL.Protocols=TLS1_2,TLS1_3", "--IceSSL.ProtocolVersionMax=TLS1_3",
	}
}

const wholeMessages = "--Ice.MessageSizeMax=131072"

func TestClientOverTCP(t *testing.T) {
	e := serveEcho(t, iceserver.Config{})
	runPython(t, nil, "client.py", endpoint("tcp", e.port), wholeMessages)
}

func TestClientOverTLS(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	e := serveEcho(t, iceserver.Config{TLS: serverTLS(t, dir)})
	runPython(t, nil, append(append([]string{"client.py", endpoint("ssl", e.port), wholeMessages}, sslClient(dir)...),
		"Types", "Classes", "Failures", "Load", "Connections")...)
}

// TestClientWaitsForLongCall has the client end connections on which it waits
// for an answer and hears nothing for a second.
func TestClientWaitsForLongCall(t *testing.T) {
	e := serveEcho(t, iceserver.Config{HeartbeatInterval: time.Second})
	runPython(t, nil, "client.py", endpoint("tcp", e.port), "--Ice.ACM.Client.Timeout=1", "Connections.test_long_call")
}
