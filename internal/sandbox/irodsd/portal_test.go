package irodsd

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// piece is one piece that the server asks for or sends.
type piece struct {
	op             uint32
	offset, length int64
}

func portalDial(t *testing.T, body string) net.Conn {
	c, err := net.Dial("tcp", net.JoinHostPort(field(body, "hostAddr"), field(body, "portNum")))
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { _ = c.Close() })
	cookie, err := strconv.ParseInt(field(body, "cookie"), 10, 32)
	if err != nil {
		t.Error(err)
	}
	if _, err := c.Write(binary.BigEndian.AppendUint32(nil, uint32(cookie))); err != nil {
		t.Error(err)
	}
	return c
}

func readPiece(t *testing.T, c net.Conn) piece {
	var b [24]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		t.Error(err)
		return piece{op: 9999}
	}
	return piece{binary.BigEndian.Uint32(b[:]), int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:]))}
}

// each opens the promised connections and runs fn for every piece on them.
func each(t *testing.T, body string, fn func(net.Conn, piece) error) {
	t.Helper()
	threads, _ := strconv.Atoi(field(body, "numThreads"))
	// Go clients take a socket number of 0 for no portal.
	if threads < 2 || field(body, "sock") == "0" {
		t.Fatalf("no portal offered: %s", body)
	}
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			c := portalDial(t, body)
			if c == nil {
				return
			}
			for p := readPiece(t, c); p.op != 9999; p = readPiece(t, c) {
				if err := fn(c, p); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func putBody(p string, size, threads int) string {
	return strings.NewReplacer("<dataSize>0<", fmt.Sprintf("<dataSize>%d<", size), "<numThreads>0<",
		fmt.Sprintf("<numThreads>%d<", threads)).Replace(dataObj(p, 0))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(b)
	return b
}

func TestPortal(t *testing.T) {
	_, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	data := randomBytes(33<<20 + 17)
	m := r.call(606, putBody(home+"/o", len(data), 4))
	if m.info != 0 {
		t.Fatalf("put: %+v", m)
	}
	each(t, m.body, func(c net.Conn, p piece) error {
		_, err := c.Write(data[p.offset : p.offset+p.length])
		return err
	})
	if got := r.state("o"); !strings.HasPrefix(got, "2 ") {
		t.Errorf("before the end: %q", got)
	}
	if got := r.call(626, "<INT_PI><myInt>"+field(m.body, "l1descInx")+"</myInt></INT_PI>").info; got != 0 {
		t.Errorf("complete: %d", got)
	}
	if got, want := r.state("o"), fmt.Sprintf("1 %d ", len(data)); got != want {
		t.Errorf("after: %q, want %q", got, want)
	}

	m = r.call(608, putBody(home+"/o", 0, 4))
	if strconv.Itoa(m.info) != field(m.body, "l1descInx") {
		t.Fatalf("get: %+v", m)
	}
	back := make([]byte, len(data))
	each(t, m.body, func(c net.Conn, p piece) error {
		_, err := io.ReadFull(c, back[p.offset:p.offset+p.length])
		return err
	})
	if !bytes.Equal(back, data) {
		t.Error("what came back differs")
	}
	if got := r.call(626, fmt.Sprintf("<INT_PI><myInt>%d</myInt></INT_PI>", m.info)).info; got != 0 {
		t.Errorf("complete: %d", got)
	}
	if m = r.call(608, putBody(home+"/o", 0, 1)); field(m.body, "numThreads") != "0" || field(m.body, "portNum") != "0" || m.info < 3 {
		t.Errorf("get with one thread: %+v", m)
	}
}

func TestPortalWithoutItsConnections(t *testing.T) {
	_, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	m := r.call(606, putBody(home+"/o", 70<<20, 2))
	c := portalDial(t, m.body) // one of two
	readPiece(t, c)
	_ = r.Close()
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the portal outlives its connection: %v", err)
	}
}

func TestPortalUnderTLS(t *testing.T) {
	_, addr := startServer(t, withTLS(t, Require))
	r := rawTLS(t, addr)
	if got := r.login("alice", alicePassword); got != 0 {
		t.Fatal(got)
	}
	block, err := aes.NewCipher(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	data := randomBytes(33 << 20)
	m := r.call(606, putBody(home+"/o", len(data), 2))
	each(t, m.body, func(c net.Conn, p piece) error {
		for sent := int64(0); sent < p.length; {
			part := data[p.offset+sent : p.offset+min(sent+1<<20, p.length)]
			pad := 16 - len(part)%16
			plain := append(append([]byte{}, part...), bytes.Repeat([]byte{byte(pad)}, pad)...)
			iv := randomBytes(len(testSecret))
			cipher.NewCBCEncrypter(block, iv[:16]).CryptBlocks(plain, plain)
			out := binary.LittleEndian.AppendUint32(nil, uint32(len(iv)+len(plain)))
			if _, err := c.Write(append(append(out, iv...), plain...)); err != nil {
				return err
			}
			sent += int64(len(part))
		}
		return nil
	})
	if got := r.call(626, "<INT_PI><myInt>"+field(m.body, "l1descInx")+"</myInt></INT_PI>").info; got != 0 {
		t.Fatalf("complete: %d", got)
	}
	m = r.call(608, putBody(home+"/o", 0, 2))
	back := make([]byte, len(data))
	each(t, m.body, func(c net.Conn, p piece) error {
		for got := int64(0); got < p.length; {
			var size [4]byte
			if _, err := io.ReadFull(c, size[:]); err != nil {
				return err
			}
			sealed := make([]byte, binary.LittleEndian.Uint32(size[:]))
			if _, err := io.ReadFull(c, sealed); err != nil {
				return err
			}
			body := sealed[len(testSecret):]
			cipher.NewCBCDecrypter(block, sealed[:16]).CryptBlocks(body, body)
			body = body[:len(body)-int(body[len(body)-1])]
			got += int64(copy(back[p.offset+got:], body))
		}
		return nil
	})
	if !bytes.Equal(back, data) {
		t.Error("what came back differs")
	}
}
