package ice

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// wire is a connection whose peer has said all that it will.
type wire struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (w *wire) Read(p []byte) (int, error)  { return w.in.Read(p) }
func (w *wire) Write(p []byte) (int, error) { return w.out.Write(p) }

func overWire(data []byte) (*webSocket, *wire) {
	w := &wire{in: bytes.NewReader(data)}
	return &webSocket{Conn: w, br: bufio.NewReaderSize(w, 64)}, w
}

// wsFrame is a frame of a server, which does not mask.
func wsFrame(head byte, payload []byte) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// FuzzWebSocket reads frames of any bytes: the same in small pieces as in large
// ones, not more than came, and with answers to control frames only. Payload
// that is put into frames comes out as it was.
func FuzzWebSocket(f *testing.F) {
	hello := wsFrame(0x82, validateMessage)
	f.Add(hello)
	f.Add(append(wsFrame(0x89, []byte("ping")), hello...))
	f.Add(append(wsFrame(0x02, validateMessage[:5]), wsFrame(0x80, validateMessage[5:])...))
	f.Add(append(bytes.Clone(hello), wsFrame(0x88, []byte{3, 0xe8})...))
	f.Add(wsFrame(0x82, make([]byte, 300)))
	f.Add(wsFrame(0x82, make([]byte, 70_000)))
	f.Add([]byte{0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3})
	f.Add([]byte{0x82, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		ws, line := overWire(data)
		whole, err := io.ReadAll(ws)
		if len(whole) > len(data) || line.out.Len() > 8*len(data) {
			t.Errorf("%d bytes came, %d were read, %d answered", len(data), len(whole), line.out.Len())
		}
		small, _ := overWire(data)
		var pieces []byte
		for buf := make([]byte, 3); ; {
			n, pieceErr := small.Read(buf)
			pieces = append(pieces, buf[:n]...)
			if pieceErr != nil {
				if (err == nil) != (pieceErr == io.EOF) || !bytes.Equal(pieces, whole) {
					t.Errorf("in pieces %x (%v), at once %x (%v)", pieces, pieceErr, whole, err)
				}
				break
			}
		}
		framed, _ := overWire(append(wsFrame(0x02, data), wsFrame(0x80, data)...))
		if got, err := io.ReadAll(framed); err != nil || !bytes.Equal(got, append(bytes.Clone(data), data...)) {
			t.Errorf("framed %x, read %x, %v", data, got, err)
		}
		// What the client writes is masked; unmasked it is the data.
		out, line := overWire(nil)
		if _, err := out.Write(data); err != nil {
			t.Fatal(err)
		}
		if got := unmask(line.out.Bytes()); !bytes.Equal(got, data) {
			t.Errorf("wrote %x as %x", data, got)
		}
	})
}

// unmask returns the payload of the only frame of a client.
func unmask(frame []byte) []byte {
	head := 2
	switch frame[1] & 0x7f {
	case 126:
		head += 2
	case 127:
		head += 8
	}
	mask, payload := frame[head:head+4], bytes.Clone(frame[head+4:])
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return payload
}
