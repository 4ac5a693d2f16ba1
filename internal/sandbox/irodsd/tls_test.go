package irodsd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cyverse/go-irodsclient/irods/connection"
	"github.com/cyverse/go-irodsclient/irods/types"
)

// testSecret is the shared secret of raw TLS sessions.
var testSecret = []byte("0123456789abcdef0123456789abcdef")

// selfSigned makes a certificate for 127.0.0.1 and its PEM file.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func withTLS(t *testing.T, p Policy) func(*Config) {
	cert, _ := selfSigned(t)
	return func(c *Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		c.Negotiation = p
	}
}

// rawTLS connects with negotiation and sets up the shared secret.
func rawTLS(t *testing.T, addr net.Addr) *raw {
	t.Helper()
	r := rawDial(t, addr)
	r.sendRaw(pack("RODS_CONNECT", 0, startupPack("alice", "alice", "rods4.3.0", "x;request_server_negotiation"), nil))
	if m := r.receive(); m.kind != "RODS_CS_NEG_T" {
		t.Fatalf("negotiation: %+v", m)
	}
	r.sendRaw(pack("RODS_CS_NEG_T", 0, "<CS_NEG_PI><status>1</status><result>cs_neg_result_kw=CS_NEG_USE_SSL;</result></CS_NEG_PI>", nil))
	if m := r.receive(); m.kind != "RODS_VERSION" {
		t.Fatalf("version: %+v", m)
	}
	c := tls.Client(r.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	r.Conn = c
	head := fmt.Sprintf("<MsgHeader_PI><type>AES-256-CBC</type><msgLen>%d</msgLen><errorLen>8</errorLen><bsLen>16</bsLen><intInfo>0</intInfo></MsgHeader_PI>", len(testSecret))
	r.sendRaw(append([]byte{0, 0, 0, byte(len(head))}, head...))
	r.sendRaw(pack("SHARED_SECRET", 0, string(testSecret), nil))
	return r
}

func TestNegotiation(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		option string
		result string // of the client, if it negotiates
		want   string // status in the version
	}{
		{Refuse, "x", "", "0"},
		{DontCare, "x", "", "0"},
		{Require, "x", "", "-169000"},
		{Refuse, "request_server_negotiation", "CS_NEG_USE_TCP", "0"},
		{Refuse, "request_server_negotiation", "CS_NEG_USE_SSL", "-169000"},
		{DontCare, "x;request_server_negotiation", "CS_NEG_USE_TCP", "0"},
		{DontCare, "x;request_server_negotiation", "CS_NEG_USE_SSL", "0"},
		{Require, "x;request_server_negotiation", "CS_NEG_USE_TCP", "-169000"},
		{DontCare, "x;request_server_negotiation", "CS_NEG_FAILURE", "-169000"},
	} {
		_, addr := startServer(t, withTLS(t, c.policy))
		r := rawDial(t, addr)
		r.sendRaw(pack("RODS_CONNECT", 0, startupPack("alice", "alice", "rods4.3.0", c.option), nil))
		m := r.receive()
		if c.result != "" {
			if m.kind != "RODS_CS_NEG_T" || field(m.body, "result") != string(c.policy) {
				t.Errorf("%+v: announced %+v", c, m)
			}
			r.sendRaw(pack("RODS_CS_NEG_T", 0, "<CS_NEG_PI><status>1</status><result>cs_neg_result_kw="+c.result+";</result></CS_NEG_PI>", nil))
			m = r.receive()
		}
		if m.kind != "RODS_VERSION" || field(m.body, "status") != c.want {
			t.Errorf("%+v: got %+v", c, m)
		}
	}
}

func TestGoClientTLSAndPAM(t *testing.T) {
	cert, ca := selfSigned(t)
	_, addr := startServer(t, func(c *Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		c.Negotiation = Require
		c.PAM = func(user, password string) bool { return user == "alice" && password == "pam-secret" }
	})
	connect := func(scheme types.AuthScheme, password string) (*connection.IRODSConnection, error) {
		a, err := types.CreateIRODSAccount("127.0.0.1", addr.Port, "alice", "tempZone", scheme, password, "")
		if err != nil {
			t.Fatal(err)
		}
		a.SetCSNegotiation(true, types.CSNegotiationPolicyRequestSSL)
		a.SetSSLConfiguration(&types.IRODSSSLConfig{
			CACertificateFile: ca, EncryptionKeySize: 32, EncryptionAlgorithm: "AES-256-CBC", EncryptionSaltSize: 8,
			EncryptionNumHashRounds: 16, VerifyServer: types.SSLVerifyServerHostname,
		})
		c, err := connection.NewIRODSConnection(a, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c, c.Connect()
	}
	c, err := connect(types.AuthSchemeNative, alicePassword)
	if err != nil {
		t.Fatal(err)
	}
	if !c.IsSSL() {
		t.Error("not encrypted")
	}
	write(t, c, home+"/o", "over TLS", nil)
	if got := read(t, c, home+"/o"); got != "over TLS" {
		t.Errorf("got %q", got)
	}
	_ = c.Disconnect()

	c, err = connect(types.AuthSchemePAMPassword, "pam-secret")
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, c, home+"/o"); got != "over TLS" {
		t.Errorf("got %q", got)
	}
	token := c.GetPAMToken()
	if len(token) != 42 {
		t.Errorf("generated password of %d characters, want 42", len(token))
	}
	_ = c.Disconnect()
	if c, err = connect(types.AuthSchemeNative, token); err != nil {
		t.Errorf("the generated password does not log in: %v", err)
	} else {
		_ = c.Disconnect()
	}
	r := rawTLS(t, addr)
	body := `{"scheme":"pam_password","user_name":"alice","a_pw":"` + alicePassword + `","next_operation":"auth_agent_auth_request"}`
	if got := r.call(110000, jsonBody(body)).info; got != -993000 {
		t.Errorf("PAM with the native password: got %d", got)
	}
}
