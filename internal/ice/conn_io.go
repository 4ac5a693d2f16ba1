package ice

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"
)

// errGraceful is why a connection ended that the server closed in order.
var errGraceful = errors.New("closed by the server")

const readBufferBytes = 64 << 10

// readLoop reads messages until the connection ends.
func (c *Conn) readLoop() {
	defer c.wg.Done()
	br := bufio.NewReaderSize(c.nc, readBufferBytes)
	for {
		m, err := ReadMessage(br, c.max)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			c.end(err, false)
			return
		}
		switch {
		case m.Close:
			c.end(errGraceful, true)
			return
		case m.Reply != nil:
			c.deliver(m.Reply)
		case m.Batch:
			// Calls without replies of objects that do not exist here.
		case len(m.Requests) == 1 && m.Requests[0].ID != 0:
			if err := c.refuse(m.Requests[0]); err != nil {
				c.end(err, false)
				return
			}
		}
	}
}

// refuse answers a call of the server: there are no objects on this side.
func (c *Conn) refuse(r *Request) error {
	msg, err := (&Reply{ID: r.ID, Status: StatusObjectNotExist, Identity: r.Identity,
		Facet: r.Facet, Operation: r.Operation}).Encode()
	if err != nil {
		return err
	}
	select {
	case c.answers <- msg:
		return nil
	default:
		return &ProtocolError{Text: "the server sends requests faster than it takes answers"}
	}
}

// ReadMessage reads a message of at most maxBytes, also when it is compressed.
// At the end between two messages the error is io.EOF.
func ReadMessage(r io.Reader, maxBytes int) (*Message, error) {
	head := make([]byte, HeaderBytes)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	h, err := ParseHeader(head, maxBytes)
	if err != nil {
		return nil, err
	}
	data, memory, err := readBody(r, h.Size-HeaderBytes)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read message of %d bytes: %w", h.Size, err)
	}
	if h.Compression == compressed {
		plain, err := Decompress(h, data, maxBytes)
		memory.free()
		if err != nil {
			return nil, err
		}
		data, memory = plain, nil
	}
	m, err := ParseMessage(h, data)
	if err == nil && m.Reply != nil {
		m.Reply.body = memory
	}
	return m, err
}

// writeLoop writes messages until the connection ends, and heartbeats when
// there are none.
func (c *Conn) writeLoop(heartbeat time.Duration) {
	defer c.wg.Done()
	var tick <-chan time.Time
	var timer *time.Timer
	if heartbeat > 0 {
		timer = time.NewTimer(heartbeat)
		defer timer.Stop()
		tick = timer.C
	}
	for {
		var err error
		select {
		case msg := <-c.out:
			if !msg.state.CompareAndSwap(queued, started) {
				continue
			}
			err = c.write(msg.head, msg.params)
			close(msg.written)
		case answer := <-c.answers:
			err = c.write(answer, nil)
		case <-tick:
			err = c.write(validateMessage, nil)
		case <-c.done:
			return
		}
		if err != nil {
			c.end(fmt.Errorf("write: %w", err), false)
			return
		}
		if timer != nil {
			timer.Reset(heartbeat)
		}
	}
}

// joinBytes is up to which size the two parts of a message are joined, so that
// they travel in one packet.
const joinBytes = 16 << 10

func (c *Conn) write(head, params []byte) error {
	if len(params) > 0 && len(head)+len(params) <= joinBytes {
		head = append(head[:len(head):len(head)], params...)
		params = nil
	}
	if _, err := c.nc.Write(head); err != nil {
		return err
	}
	if len(params) == 0 {
		return nil
	}
	_, err := c.nc.Write(params)
	return err
}
