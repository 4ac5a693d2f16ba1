package ice_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// certificate returns a certificate for 127.0.0.1 and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	noLeaks(t)
	cert, pool := certificate(t)
	addr := serve(t, iceserver.Config{Handler: echo, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	c := dial(t, addr, ice.DialOptions{TLS: &tls.Config{RootCAs: pool}})
	want := bytesOf(200_000, 'x')
	r, err := c.Invoke(within(t), request("echo", want))
	if err != nil || string(r.Params) != string(want) {
		t.Errorf("got %v, want the same back", err)
	}
	var unknown *tls.CertificateVerificationError
	if _, err := ice.Dial(within(t), addr, ice.DialOptions{TLS: &tls.Config{}}); !errors.As(err, &unknown) {
		t.Errorf("got %v, want a certificate refused", err)
	}
	plain := addr
	plain.Scheme = "tcp"
	if _, err := ice.Dial(within(t), plain, ice.DialOptions{ConnectTimeout: 100 * time.Millisecond}); err == nil {
		t.Error("a plain connection to a TLS port was accepted")
	}
}

// webSocketPeer is the server end of a WebSocket connection, made for tests.
type webSocketPeer struct {
	net.Conn
	br *bufio.Reader
	t  *testing.T
}

// upgrade answers the handshake; edit may change the answer.
func upgrade(t *testing.T, nc net.Conn, path string, edit func(http.Header)) *webSocketPeer {
	br := bufio.NewReader(nc)
	req, err := http.ReadRequest(br)
	if err != nil {
		t.Errorf("handshake: %v", err)
		return nil
	}
	if req.URL.Path != path || req.Header.Get("Sec-WebSocket-Protocol") != "ice.zeroc.com" ||
		req.Header.Get("Upgrade") != "websocket" || req.Header.Get("Sec-WebSocket-Version") != "13" {
		t.Errorf("got handshake %s %v", req.URL, req.Header)
	}
	h := http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Protocol": {"ice.zeroc.com"},
		"Sec-Websocket-Accept": {ice.WebSocketAccept(req.Header.Get("Sec-WebSocket-Key"))},
	}
	if edit != nil {
		edit(h)
	}
	io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\n")
	h.Write(nc)
	io.WriteString(nc, "\r\n")
	return &webSocketPeer{nc, br, t}
}

func (w *webSocketPeer) frame(head byte, payload []byte) {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	w.Write(append(b, payload...))
}

// next reads a frame of the client, unmasked.
func (w *webSocketPeer) next() (opcode byte, payload []byte) {
	var head [2]byte
	if _, err := io.ReadFull(w.br, head[:]); err != nil {
		return 8, nil
	}
	if head[1]&0x80 == 0 {
		w.t.Error("a frame of the client is not masked")
	}
	n := uint64(head[1] & 0x7f)
	ext := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
	io.ReadFull(w.br, ext)
	if len(ext) > 0 {
		n = new(big.Int).SetBytes(ext).Uint64()
	}
	var mask [4]byte
	io.ReadFull(w.br, mask[:])
	payload = make([]byte, n)
	io.ReadFull(w.br, payload)
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	return head[0] & 15, payload
}

func TestWebSocket(t *testing.T) {
	cert, pool := certificate(t)
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			noLeaks(t)
			large := bytesOf(300_000, 'l')
			addr := script(t, func(nc net.Conn) {
				if scheme == "wss" {
					nc = tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}})
				}
				w := upgrade(t, nc, "/omero-ws", nil)
				v := ice.ValidateMessage()
				w.frame(0x02, v[:5]) // in three parts, with a ping in between
				w.frame(0x89, []byte("ping"))
				w.frame(0x00, v[5:9])
				w.frame(0x80, v[9:])
				if op, p := w.next(); op != 10 || string(p) != "ping" {
					t.Errorf("got opcode %d %q, want a pong", op, p)
				}
				var msg []byte
				for len(msg) < 300_000 {
					op, p := w.next()
					if op != 2 {
						t.Errorf("got opcode %d, want binary", op)
						return
					}
					msg = append(msg, p...)
				}
				m, err := ice.ReadMessage(strings.NewReader(string(msg)), 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				reply, _ := (&ice.Reply{ID: m.Requests[0].ID, Params: m.Requests[0].Params}).Encode()
				w.frame(0x82, reply)
				w.frame(0x88, []byte{3, 0xe8})
				if op, _ := w.next(); op != 8 {
					t.Errorf("got opcode %d, want close", op)
				}
			})
			addr.Scheme, addr.Path = scheme, "/omero-ws"
			c := dial(t, addr, ice.DialOptions{TLS: &tls.Config{RootCAs: pool}})
			r, err := c.Invoke(within(t), request("echo", large))
			if err != nil || string(r.Params) != string(large) {
				t.Fatalf("got %v, want the same back", err)
			}
			<-c.Done()
		})
	}
}

func TestWebSocketRefused(t *testing.T) {
	rows := map[string]func(http.Header){
		"wrong key":      func(h http.Header) { h.Set("Sec-WebSocket-Accept", "x") },
		"other protocol": func(h http.Header) { h.Set("Sec-WebSocket-Protocol", "chat") },
	}
	for name, edit := range rows {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			addr := script(t, func(nc net.Conn) { upgrade(t, nc, "/", edit) })
			addr.Scheme = "ws"
			if c, err := ice.Dial(within(t), addr, ice.DialOptions{}); err == nil {
				c.Close()
				t.Error("connected")
			}
		})
	}
	t.Run("no upgrade", func(t *testing.T) {
		addr := script(t, func(nc net.Conn) {
			http.ReadRequest(bufio.NewReader(nc))
			io.WriteString(nc, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		})
		addr.Scheme = "ws"
		if _, err := ice.Dial(within(t), addr, ice.DialOptions{}); err == nil || !strings.Contains(err.Error(), "404") {
			t.Errorf("got %v, want a 404", err)
		}
	})
}

// recorded returns a message of a vector.
func recorded(t *testing.T, file string, number int) (vectorMessage, []byte) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(v.Messages[number].Hex)
	if err != nil {
		t.Fatal(err)
	}
	return v.Messages[number], raw
}

// compressedReply returns the recorded compressed reply.
func compressedReply(t *testing.T) (vectorMessage, []byte) {
	for i := range 20 {
		if m, raw := recorded(t, "compress.query.projection.e10.json", i); m.Type == "reply" && m.Compression == 2 {
			return m, raw
		}
	}
	t.Fatal("no compressed reply was recorded")
	return vectorMessage{}, nil
}

func TestCompressedReply(t *testing.T) {
	noLeaks(t)
	want, raw := compressedReply(t)
	c := dial(t, script(t, func(nc net.Conn) {
		nc.Write(ice.ValidateMessage())
		for {
			m, err := ice.ReadMessage(nc, 1000)
			if err != nil || len(m.Requests) == 0 {
				return
			}
			b := raw
			if id := m.Requests[0].ID; id != want.RequestID {
				b, _ = (&ice.Reply{ID: id, Params: bytesOf(0, 0)}).Encode()
			}
			nc.Write(b)
		}
	}), ice.DialOptions{})
	for i := range want.RequestID {
		r, err := c.Invoke(within(t), request("projection", nil))
		if err != nil {
			t.Fatal(err)
		}
		if i == want.RequestID-1 && hex.EncodeToString(r.Params) != want.Result {
			t.Errorf("got %x, want %s", r.Params, want.Result)
		}
	}
}

func TestCompressedSizeIsBounded(t *testing.T) {
	_, raw := compressedReply(t)
	h, err := ice.ParseHeader(raw, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint32(raw[ice.HeaderBytes:])
	for _, declared := range []uint32{0, 13, size - 1, size + 1, 1 << 21, 1 << 31} {
		body := append([]byte(nil), raw[ice.HeaderBytes:]...)
		binary.LittleEndian.PutUint32(body, declared)
		var pe *ice.ProtocolError
		if _, err := ice.Decompress(h, body, 1<<20); !errors.As(err, &pe) {
			t.Errorf("declared %d instead of %d: got %v, want a protocol error", declared, size, err)
		}
	}
	if _, err := ice.Decompress(h, raw[ice.HeaderBytes:], int(size)-1); err == nil {
		t.Error("a message above the limit was accepted")
	}
}
