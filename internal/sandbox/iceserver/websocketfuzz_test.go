package iceserver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"omerods/internal/ice"
)

// wire is a connection whose client has said all that it will.
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

// clientFrame is a frame as clients must write it.
func clientFrame(head byte, mask [4]byte, payload []byte) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, maskedFrame|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, maskedFrame|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, maskedFrame|127), uint64(n))
	}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// FuzzFrames reads frames of any bytes: not more than came, and with answers
// to control frames only. Payload that is put into frames comes out as it was.
func FuzzFrames(f *testing.F) {
	mask := [4]byte{1, 2, 3, 4}
	hello := ice.ValidateMessage()
	f.Add(clientFrame(0x82, mask, hello))
	f.Add(append(clientFrame(0x89, mask, []byte("ping")), clientFrame(0x82, mask, hello)...))
	f.Add(append(clientFrame(0x02, mask, hello[:5]), clientFrame(0x80, mask, hello[5:])...))
	f.Add(append(clientFrame(0x82, mask, hello), clientFrame(0x88, mask, normalClosure)...))
	f.Add(clientFrame(0x82, mask, make([]byte, 300)))
	f.Add(clientFrame(0x82, mask, make([]byte, 70_000)))
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		ws, line := overWire(data)
		got, _ := io.ReadAll(ws)
		if len(got) > len(data) || line.out.Len() > len(data) {
			t.Errorf("%d bytes came, %d were read, %d answered", len(data), len(got), line.out.Len())
		}
		framed, _ := overWire(append(clientFrame(0x02, [4]byte{9, 8, 7, 6}, data), clientFrame(0x80, mask, data)...))
		if got, err := io.ReadAll(framed); err != nil || !bytes.Equal(got, append(bytes.Clone(data), data...)) {
			t.Errorf("framed %x, read %x, %v", data, got, err)
		}
	})
}
