//go:build peer

package ice_test

import (
	"net/url"
	"path/filepath"
	"strconv"
	"testing"

	"omerods/internal/sandbox"
)

// TestClientUsesOMERO runs Ice's client against the whole sandbox.
func TestClientUsesOMERO(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Close(); err != nil {
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
	args := []string{"blitz.py", endpoint("ssl", port), wholeMessages}
	runPython(t, env, append(args, sslClient(filepath.Dir(sb.CAFile()))...)...)
}
