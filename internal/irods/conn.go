package irods

import (
	"context"
	"encoding/binary"
	"net"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
	"github.com/cyverse/go-irodsclient/irods/connection"
	"github.com/cyverse/go-irodsclient/irods/message"
	"github.com/cyverse/go-irodsclient/irods/types"
)

// Bounds of one answer; a peer that says more is not an iRODS server.
const (
	maxHeader = 4 << 10
	maxBody   = 64 << 20
)

// conn is one logged-in connection. It belongs to one goroutine at a time.
type conn struct {
	// lib frames messages on the socket that it was given.
	lib *connection.IRODSConnection
	// sock is the socket below TLS; it is closed to end a call from outside.
	sock    net.Conn
	version types.IRODSVersion
	// encrypted tells that TLS is on the socket.
	encrypted bool

	timeout, slowTimeout time.Duration

	opened   time.Time
	lastUsed time.Time
	served   int  // requests answered since the login
	broken   bool // must not be used again
}

// reply is the answer to one request.
type reply struct {
	status  int
	body    []byte
	message string // the error part as text
	stream  []byte // the raw bytes, in the caller's buffer if it gave one
}

// exchange sends one request and waits for its answer. Raw bytes of the
// answer go into buf, which must be large enough for what was asked for; a
// nil buf is allocated as far as the request allows. When ctx ends first the
// connection is closed.
func (c *conn) exchange(ctx context.Context, r *request, buf []byte) (*reply, error) {
	replies, err := c.exchangeAll(ctx, buf, r)
	if err != nil {
		return nil, err
	}
	return replies[0], nil
}

// exchangeAll sends several requests at once and then waits for all answers,
// which come in the same order: one round trip for what belongs together. The
// server does a later request also when it refuses an earlier one. Raw bytes
// are for the last answer only.
func (c *conn) exchangeAll(ctx context.Context, buf []byte, requests ...*request) ([]*reply, error) {
	msgs := make([]*message.IRODSMessage, len(requests))
	wants := make([]want, len(requests))
	for i, r := range requests {
		msg, err := r.message()
		if err != nil {
			return nil, errorf(ErrInvalid, "pack request: %v", err)
		}
		msgs[i], wants[i] = msg, want{wait: c.wait(ctx, r)}
	}
	last := &wants[len(wants)-1]
	last.buf, last.bytes = buf, max(len(buf), requests[len(requests)-1].wantStream)
	return c.roundTrip(ctx, msgs, wants)
}

// want says what may come as an answer.
type want struct {
	wait  time.Duration
	buf   []byte
	bytes int // raw ones, at most
}

// first exchanges a message that is no request.
func (c *conn) first(ctx context.Context, msg *message.IRODSMessage) (*reply, error) {
	replies, err := c.roundTrip(ctx, []*message.IRODSMessage{msg}, []want{{wait: c.timeout}})
	if err != nil {
		return nil, err
	}
	return replies[0], nil
}

// roundTrip sends messages and reads as many.
func (c *conn) roundTrip(ctx context.Context, msgs []*message.IRODSMessage, wants []want) ([]*reply, error) {
	if c.broken {
		return nil, errorf(ErrLost, "the connection is closed")
	}
	if ctx.Err() != nil {
		return nil, interrupted(ctx)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.sock.Close() })
	defer func() {
		if !stop() {
			c.broken = true
		}
	}()
	c.lib.Lock()
	defer c.lib.Unlock()
	for _, msg := range msgs {
		if err := c.lib.SendMessage(msg, c.timeout); err != nil {
			return nil, c.lost(ctx, err)
		}
	}
	replies := make([]*reply, len(wants))
	for i, w := range wants {
		rep, err := c.receive(w.wait, w.buf, w.bytes)
		if err != nil {
			return nil, c.lost(ctx, err)
		}
		replies[i] = rep
		c.served++
	}
	c.lastUsed = now()
	return replies, nil
}

// send sends a message that has no answer.
func (c *conn) send(ctx context.Context, msg *message.IRODSMessage) error {
	stop := context.AfterFunc(ctx, func() { _ = c.sock.Close() })
	defer stop()
	c.lib.Lock()
	defer c.lib.Unlock()
	if err := c.lib.SendMessage(msg, c.timeout); err != nil {
		return c.lost(ctx, err)
	}
	return nil
}

// lost marks the connection and makes the error. The cause is told but not
// wrapped: an io.EOF in it is not the end of a file.
func (c *conn) lost(ctx context.Context, err error) error {
	c.broken = true
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	return errorf(ErrLost, "the connection to the server broke: %v", err)
}

// receive reads one message: the length of the header, the header, the body,
// the error part, the raw bytes.
func (c *conn) receive(wait time.Duration, buf []byte, want int) (*reply, error) {
	var length [4]byte
	if err := c.read(length[:], wait); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == 0 || n > maxHeader {
		return nil, errorf(ErrServer, "this is no iRODS server")
	}
	text := make([]byte, n)
	if err := c.read(text, c.timeout); err != nil {
		return nil, err
	}
	var header message.IRODSMessageHeader
	if err := header.FromBytes(text); err != nil {
		return nil, err
	}
	if uint64(header.MessageLen)+uint64(header.ErrorLen) > maxBody || uint64(header.BsLen) > uint64(want) {
		return nil, errorf(ErrServer, "the answer is larger than what was asked for")
	}
	body := make([]byte, header.MessageLen+header.ErrorLen)
	if err := c.read(body, c.timeout); err != nil {
		return nil, err
	}
	if buf == nil || len(buf) < int(header.BsLen) {
		buf = make([]byte, header.BsLen)
	}
	rep := &reply{
		status: int(header.IntInfo),
		body:   body[:header.MessageLen],
		stream: buf[:header.BsLen],
	}
	if header.ErrorLen > 0 && rep.status < 0 {
		rep.message = errorText(body[header.MessageLen:])
	}
	return rep, c.read(rep.stream, c.timeout)
}

func (c *conn) read(p []byte, wait time.Duration) error {
	if len(p) == 0 {
		return nil
	}
	_, err := c.lib.Recv(p, len(p), &wait)
	return err
}

// rollback ends the database transaction of the connection without a commit:
// a call that misses its arguments does so, and answers CAT_INVALID_ARGUMENT.
func (c *conn) rollback(ctx context.Context, home string) {
	if c.broken {
		return
	}
	rep, err := c.exchange(ctx, collection(common.MOD_COLL_AN, home), nil)
	if err == nil && rep.status != int(common.CAT_INVALID_ARGUMENT) {
		c.broken = true
	}
}

// aliveWait is how long an idle connection may take to prove that it is good;
// a new one takes less.
const aliveWait = 10 * time.Second

// alive asks the server for a sign of life.
func (c *conn) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveWait)
	defer cancel()
	_, err := c.exchange(ctx, newRequest(common.GET_MISC_SVR_INFO_AN, ""), nil)
	return err == nil
}

// close says good-bye as far as that needs no waiting.
func (c *conn) close() {
	if !c.broken {
		c.broken = true
		_ = c.sock.SetDeadline(now().Add(time.Second))
		c.lib.Lock()
		if msg, err := message.NewIRODSMessageDisconnect().GetMessage(); err == nil {
			_ = c.lib.SendMessage(msg, time.Second)
		}
		c.lib.Unlock()
	}
	_ = c.sock.Close()
}
