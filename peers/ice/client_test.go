//go:build peer

package ice_test

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"omerods/internal/ice"
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

// everything is what client.py has for clients with usual settings.
var everything = []string{"Types", "Classes", "Failures", "Load", "Connections"}

func runClient(t *testing.T, scheme string, port int, args ...string) {
	t.Helper()
	runPython(t, nil, append([]string{"client.py", endpoint(scheme, port), wholeMessages}, args...)...)
}

func TestClientOverTCP(t *testing.T) {
	e := serveEcho(t, iceserver.Config{})
	runClient(t, "tcp", e.port, everything...)
}

func TestClientOverTLS(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	e := serveEcho(t, iceserver.Config{TLS: serverTLS(t, dir)})
	runClient(t, "ssl", e.port, append(sslClient(dir), everything...)...)
}

func TestClientOverWebSocket(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	plain, secure := serveEcho(t, iceserver.Config{}), serveEcho(t, iceserver.Config{TLS: serverTLS(t, dir)})
	runClient(t, "ws", plain.wsPort, everything...)
	runClient(t, "wss", secure.wsPort, append(sslClient(dir), "Types", "Classes", "Failures", "Load.test_in_flight",
		"Load.test_sizes", "Connections")...)
}

// TestClientOverTLSVersions has the server insist on a version.
func TestClientOverTLSVersions(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			e := serveEcho(t, iceserver.Config{TLS: serverTLS(t, dir, version)})
			runClient(t, "ssl", e.port, append(sslClient(dir), "Types")...)
		})
	}
}

// TestClientCompresses has the client compress its requests.
func TestClientCompresses(t *testing.T) {
	e := serveEcho(t, iceserver.Config{})
	r := newRelay(t, ice.Address{Host: "127.0.0.1", Port: e.port}, 0)
	runClient(t, "tcp", r.address("tcp").Port, "--Ice.Override.Compress=1",
		"Types", "Classes", "Failures", "Load.test_in_flight", "Load.test_sizes", "Load.test_oneway_and_batch")
	if !slices.ContainsFunc(r.requests(), compressed) {
		t.Errorf("the client compressed nothing: %v", r.requests())
	}
}

// TestClientSendsSliced has the client send classes in the sliced format.
func TestClientSendsSliced(t *testing.T) {
	e := serveEcho(t, iceserver.Config{})
	runClient(t, "tcp", e.port, "--Ice.Default.SlicedFormat=1", "Classes")
}

// TestClientKnowsMore has a client with classes that the server lacks call
// both servers, who do the same.
func TestClientKnowsMore(t *testing.T) {
	t.Run("Ice's server", func(t *testing.T) {
		p := start(t, []string{"PEER_PASSWORD=" + rand.Text(), "PEER_SLICE=peer.ice"}, python, "server.py")
		runClient(t, "tcp", serverPort(t, p), "Knowing")
	})
	t.Run("the sandbox's server", func(t *testing.T) {
		e := serveKnowing(t, iceserver.Config{}, defs())
		runClient(t, "tcp", e.port, "Knowing")
	})
}

// TestClientSendsHeartbeats has the client send nothing else.
func TestClientSendsHeartbeats(t *testing.T) {
	e := serveEcho(t, iceserver.Config{IdleTimeout: 3 * time.Second})
	runClient(t, "tcp", e.port, "--Ice.ACM.Client.Timeout=2", "--Ice.ACM.Client.Heartbeat=3", "--Ice.ACM.Client.Close=0",
		"Quiet.test_heartbeats")
}

// TestClientWaitsForLongCall has the client end connections on which it waits
// for an answer and hears nothing for two seconds.
func TestClientWaitsForLongCall(t *testing.T) {
	e := serveEcho(t, iceserver.Config{HeartbeatInterval: 250 * time.Millisecond})
	runClient(t, "tcp", e.port, "--Ice.ACM.Client.Timeout=2", "Quiet.test_long_call")
}
