package iceserver

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"omerods/internal/ice"
)

// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	opContinuation = 0
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

const (
	subProtocol     = "ice.zeroc.com"
	maxUpgradeBytes = 16 << 10
	maxControlBytes = 125
	finalFrame      = 0x80
	maskedFrame     = 0x80
)

// normalClosure is the payload of a frame that ends a connection in order (RFC
// 6455, section 7.4.1).
var normalClosure = []byte{0x03, 0xe8}

// webSocket is the server's side of a WebSocket connection: its payload is the
// byte stream of an Ice connection. One goroutine reads, after upgrade.
type webSocket struct {
	net.Conn
	br     *bufio.Reader // nil before the upgrade
	left   uint64        // payload of the current frame that was not read yet
	mask   [4]byte
	masked int // bytes of the frame that were read

	mu     sync.Mutex // one frame at a time is written; guards the field below
	closed bool       // the end was announced
}

// upgrade answers the request by which a client asks for a WebSocket.
func (w *webSocket) upgrade() error {
	br := bufio.NewReader(io.LimitReader(w.Conn, maxUpgradeBytes))
	req, err := http.ReadRequest(br)
	if err != nil {
		return fmt.Errorf("web socket: %w", err)
	}
	req.Body.Close()
	key := req.Header.Get("Sec-Websocket-Key")
	switch {
	case req.Method != http.MethodGet, !strings.EqualFold(req.Header.Get("Upgrade"), "websocket"),
		!strings.Contains(strings.ToLower(req.Header.Get("Connection")), "upgrade"),
		req.Header.Get("Sec-Websocket-Version") != "13", key == "":
		err = errors.New("web socket: no request for an upgrade")
	case req.Header.Get("Sec-Websocket-Protocol") != subProtocol:
		err = fmt.Errorf("web socket: protocol %q", req.Header.Get("Sec-Websocket-Protocol"))
	case br.Buffered() > 0:
		err = errors.New("web socket: data before the upgrade")
	}
	if err != nil {
		io.WriteString(w.Conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: " +
		subProtocol + "\r\nSec-WebSocket-Accept: " + ice.WebSocketAccept(key) + "\r\n\r\n"
	if _, err := io.WriteString(w.Conn, answer); err != nil {
		return fmt.Errorf("web socket: %w", err)
	}
	w.br = bufio.NewReaderSize(w.Conn, 64<<10)
	return nil
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
	w.unmask(p[:n])
	w.left -= uint64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (w *webSocket) unmask(p []byte) {
	for i := range p {
		p[i] ^= w.mask[(w.masked+i)&3]
	}
	w.masked += len(p)
}

// nextFrame reads the head of a frame, and the whole of a control frame.
func (w *webSocket) nextFrame() error {
	var head [14]byte
	if _, err := io.ReadFull(w.br, head[:2]); err != nil {
		return err
	}
	opcode := head[0] & 0x0f
	if head[0]&0x70 != 0 || head[1]&maskedFrame == 0 {
		return errors.New("web socket: a client's frame must be masked and of no extension")
	}
	size := uint64(head[1] &^ maskedFrame)
	extra := 0
	switch size {
	case 126:
		extra = 2
	case 127:
		extra = 8
	}
	rest := head[2 : 2+extra+4]
	if _, err := io.ReadFull(w.br, rest); err != nil {
		return err
	}
	if extra == 2 {
		size = uint64(binary.BigEndian.Uint16(rest))
	} else if extra == 8 {
		size = binary.BigEndian.Uint64(rest)
	}
	w.mask, w.masked = [4]byte(rest[extra:]), 0
	switch opcode {
	case opBinary, opContinuation:
		w.left = size
		return nil
	case opClose, opPing, opPong:
	default:
		return fmt.Errorf("web socket: frame of type %d", opcode)
	}
	if size > maxControlBytes {
		return errors.New("web socket: control frame too long")
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(w.br, payload); err != nil {
		return err
	}
	w.unmask(payload)
	switch opcode {
	case opPing:
		return w.frame(opPong, payload)
	case opClose:
		if err := w.frame(opClose, payload); err != nil {
			return err
		}
		return io.EOF
	}
	return nil
}

// Write sends p as one frame.
func (w *webSocket) Write(p []byte) (int, error) {
	if err := w.frame(opBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (w *webSocket) frame(opcode byte, payload []byte) error {
	head := []byte{finalFrame | opcode}
	switch n := len(payload); {
	case n < 126:
		head = append(head, byte(n))
	case n <= 0xffff:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return net.ErrClosed
	}
	w.closed = opcode == opClose
	if len(payload) <= 4096 {
		_, err := w.Conn.Write(append(head, payload...))
		return err
	}
	if _, err := w.Conn.Write(head); err != nil {
		return err
	}
	_, err := w.Conn.Write(payload)
	return err
}
