package ice

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// WebSocket opcodes (RFC 6455, section 5.2).
const (
	wsContinuation = 0
	wsBinary       = 2
	wsClose        = 8
	wsPing         = 9
	wsPong         = 10
)

const (
	wsProtocol        = "ice.zeroc.com"
	wsMaxControlBytes = 125
	wsGUID            = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3
)

// webSocket carries the byte stream of a connection in WebSocket frames, as
// the client. One goroutine may read while others write.
type webSocket struct {
	net.Conn
	br   *bufio.Reader
	left uint64 // payload of the current frame that was not read yet

	mu sync.Mutex // one frame at a time is written
}

// webSocketClient asks for the upgrade of a new connection.
func webSocketClient(nc net.Conn, addr Address) (net.Conn, error) {
	path := addr.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	key := make([]byte, 16)
	rand.Read(key)
	req, err := http.NewRequest(http.MethodGet, "http://"+net.JoinHostPort(addr.Host, strconv.Itoa(addr.Port))+path, nil)
	if err != nil {
		return nil, fmt.Errorf("web socket: %w", err)
	}
	nonce := base64.StdEncoding.EncodeToString(key)
	req.Header = http.Header{
		"Upgrade":                {"websocket"},
		"Connection":             {"Upgrade"},
		"Sec-Websocket-Protocol": {wsProtocol},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Key":      {nonce},
		"User-Agent":             {""},
	}
	if err := req.Write(nc); err != nil {
		return nil, fmt.Errorf("web socket: %w", err)
	}
	br := bufio.NewReaderSize(nc, readBufferBytes)
	resp, err := http.ReadResponse(br, req)
	if err != nil {
		return nil, fmt.Errorf("web socket: %w", err)
	}
	resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("web socket: the server answers %s", resp.Status)
	case resp.Header.Get("Sec-Websocket-Accept") != WebSocketAccept(nonce):
		return nil, errors.New("web socket: wrong answer to the key")
	case resp.Header.Get("Sec-Websocket-Protocol") != wsProtocol:
		return nil, fmt.Errorf("web socket: protocol %q", resp.Header.Get("Sec-Websocket-Protocol"))
	}
	return &webSocket{Conn: nc, br: br}, nil
}

// WebSocketAccept returns what a server answers to the key of a handshake.
func WebSocketAccept(key string) string {
	sum := sha1.Sum([]byte(key + wsGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Read returns payload of data frames and answers control frames.
func (w *webSocket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for w.left == 0 {
		if err := w.nextFrame(); err != nil {
			return 0, err
		}
	}
	if uint64(len(p)) > w.left {
		p = p[:w.left]
	}
	n, err := w.br.Read(p)
	w.left -= uint64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// nextFrame reads the header of a frame, and the whole of a control frame.
func (w *webSocket) nextFrame() error {
	var head [8]byte
	if _, err := io.ReadFull(w.br, head[:2]); err != nil {
		return err
	}
	opcode := head[0] & 0x0f
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return errors.New("web socket: malformed frame")
	}
	size := uint64(head[1] & 0x7f)
	if n := map[uint64]int{126: 2, 127: 8}[size]; n > 0 {
		head = [8]byte{}
		if _, err := io.ReadFull(w.br, head[8-n:]); err != nil {
			return err
		}
		size = binary.BigEndian.Uint64(head[:])
	}
	switch opcode {
	case wsBinary, wsContinuation:
		w.left = size
		return nil
	case wsClose, wsPing, wsPong:
	default:
		return fmt.Errorf("web socket: frame of type %d", opcode)
	}
	if size > wsMaxControlBytes {
		return errors.New("web socket: control frame too long")
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(w.br, payload); err != nil {
		return err
	}
	switch opcode {
	case wsPing:
		return w.frame(wsPong, payload)
	case wsClose:
		if err := w.frame(wsClose, payload); err != nil {
			return err
		}
		return io.EOF
	}
	return nil
}

// Write sends p as one frame.
func (w *webSocket) Write(p []byte) (int, error) {
	if err := w.frame(wsBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// maskBlock is how much of a frame is masked and written at a time.
const maskBlock = 64 << 10

// frame writes a masked frame; clients must mask theirs.
func (w *webSocket) frame(opcode byte, payload []byte) error {
	buf := make([]byte, 0, min(len(payload), maskBlock)+14)
	buf = append(buf, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		buf = append(buf, 0x80|byte(n))
	case n <= 0xffff:
		buf = binary.BigEndian.AppendUint16(append(buf, 0x80|126), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint64(append(buf, 0x80|127), uint64(n))
	}
	var mask [4]byte
	rand.Read(mask[:])
	buf = append(buf, mask[:]...)

	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		block := payload[:min(len(payload), maskBlock)]
		payload = payload[len(block):]
		for i, b := range block {
			// Blocks are multiples of four bytes, but for the last.
			buf = append(buf, b^mask[i&3])
		}
		if _, err := w.Conn.Write(buf); err != nil {
			return err
		}
		if len(payload) == 0 {
			return nil
		}
		buf = buf[:0]
	}
}
