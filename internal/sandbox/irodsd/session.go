package irodsd

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// session is one connection: one agent of a real server. Only its own
// goroutine touches it.
type session struct {
	srv    *Server
	raw    net.Conn // what Close closes
	conn   net.Conn // raw, or TLS on it
	r      *bufio.Reader
	w      *bufio.Writer
	quotes wire.Quotes
	secure bool

	started time.Time
	program string
	client  name         // from the start-up pack
	user    catalog.User // the client, once logged in
	proxied catalog.User // who logged in
	logged  bool
	left    bool // said goodbye

	challenge string
	signature string // of the session, from the last challenge; goes into password changes
	secret    []byte // shared secret of an encrypted connection
	ticket    string // session ticket
	cursors   cursors
	files     map[int]*descriptor
	portals   map[int]*portal
}

// name is a user as a client names it.
type name struct{ user, zone string }

// ioBytes is the size of buffers between a socket and a file.
const ioBytes = 256 << 10

// handshakeTime bounds what a peer may take until it is connected.
const handshakeTime = time.Minute

func newSession(srv *Server, c net.Conn) *session {
	return &session{
		srv: srv, raw: c, conn: c, started: srv.cfg.Clock(),
		r: bufio.NewReaderSize(c, 64<<10), w: bufio.NewWriterSize(c, 64<<10),
		files: make(map[int]*descriptor), portals: make(map[int]*portal),
		cursors: cursors{open: make(map[int]*cursor)},
	}
}

// request is one API call.
type request struct {
	api    int
	in     *wire.Node
	kv     wire.KeyVals
	stream *io.LimitedReader // what is left of the byte stream
}

// reply is what a call answers. A zero one is plain success.
type reply struct {
	info   int32 // descriptor or byte count
	body   []byte
	stream io.Reader
	length int64 // of stream
	note   string
	code   status.Code // of note
	failed status.Code // not 0: the call failed, but with a body
}

func (s *session) ctx() context.Context { return s.srv.ctx }

// run serves the connection until the peer leaves or breaks the protocol.
func (s *session) run() {
	defer s.drop()
	if err := s.raw.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return
	}
	if err := s.connect(); err != nil {
		s.srv.log.Debug("irods: connect ended", "peer", s.raw.RemoteAddr().String(), "err", err)
		return
	}
	if err := s.raw.SetDeadline(time.Time{}); err != nil {
		return
	}
	for {
		if err := s.next(); err != nil {
			if !errors.Is(err, io.EOF) && s.ctx().Err() == nil {
				s.srv.log.Debug("irods: connection ended", "peer", s.raw.RemoteAddr().String(), "err", err)
			}
			return
		}
	}
}

// drop ends what the peer left open.
func (s *session) drop() {
	for _, d := range s.files {
		s.abandon(d)
	}
	if t, ok := s.conn.(*tls.Conn); ok && s.left {
		// Both sides say that they are done before the socket is closed, as the
		// network plug-in of iRODS has it: some clients wait for that.
		if t.CloseWrite() == nil && s.raw.SetReadDeadline(time.Now().Add(handshakeTime)) == nil {
			_, _ = io.Copy(io.Discard, t)
		}
	}
	_ = s.conn.Close()
}

// next serves one message.
func (s *session) next() error {
	h, err := wire.ReadHeader(s.r)
	if err != nil {
		return err
	}
	if h.Type == wire.TypeDisconnect {
		s.left = true
		return io.EOF
	}
	if h.Type != wire.TypeRequest {
		return wire.ErrMalformed
	}
	body := make([]byte, h.Body)
	if _, err := io.ReadFull(s.r, body); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, s.r, h.Error); err != nil {
		return err
	}
	req := &request{api: int(h.Info), stream: &io.LimitedReader{R: s.r, N: h.Stream}}
	call, known := calls[req.api]
	fault := s.fault(req.api)
	if fault.DropBefore {
		return errDropped
	}
	if fault.Flip {
		req.stream.R = &flipper{r: req.stream.R}
	}
	var rep *reply
	if known {
		rep = s.answer(call, req, body, fault)
	}
	if _, err := io.Copy(io.Discard, req.stream); err != nil {
		return err
	}
	if req.stream.N > 0 {
		return io.ErrUnexpectedEOF
	}
	if fault.DropAfter {
		return errDropped
	}
	if !known {
		// A real server answers nothing and serves the next request.
		return nil
	}
	if rep == nil {
		return io.EOF
	}
	return s.send(wire.TypeReply, rep)
}

var errDropped = errors.New("dropped by a fault")

func (s *session) fault(api int) Fault {
	n := s.srv.count.Add(1)
	if s.srv.cfg.Fault == nil {
		return Fault{}
	}
	f := s.srv.cfg.Fault(api, n)
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.ctx().Done():
		}
	}
	return f
}

// answer runs one call. A nil reply means that the connection is lost.
func (s *session) answer(c call, req *request, body []byte, fault Fault) *reply {
	if fault.Code != 0 {
		return &reply{failed: fault.Code}
	}
	if !c.open && !s.logged {
		return &reply{failed: status.NoAPIPrivilege}
	}
	req.in = &wire.Node{}
	if c.in != "" {
		n, err := wire.Parse(body, s.quotes)
		if err != nil || n.Name != c.in {
			return &reply{failed: status.PackInstruct}
		}
		req.in = n
	}
	req.kv = req.in.KeyVals()
	rep, err := c.run(s, req)
	if errors.Is(err, errDropped) {
		return nil
	}
	if err != nil {
		code, text := status.Of(err, status.InternalError)
		if code == status.InternalError {
			s.srv.log.Error("irods: request", "api", req.api, "err", err)
		}
		failed := &reply{failed: code, note: text}
		if rep != nil {
			failed.body = rep.body
		}
		return failed
	}
	if rep == nil {
		rep = &reply{}
	}
	return rep
}

// send writes one message of the server.
func (s *session) send(kind string, rep *reply) error {
	var errs []byte
	if rep.note != "" {
		errs = wire.Errors(s.quotes, int64(rep.code), rep.note)
	}
	h := wire.Header{Type: kind, Body: int64(len(rep.body)), Error: int64(len(errs)), Stream: rep.length, Info: rep.info}
	if rep.failed != 0 {
		h.Info = int32(rep.failed)
	}
	if _, err := s.w.Write(h.Append(nil)); err != nil {
		return err
	}
	for _, part := range [][]byte{rep.body, errs} {
		if _, err := s.w.Write(part); err != nil {
			return err
		}
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	if rep.length == 0 {
		return nil
	}
	// Straight to the socket: a file goes by sendfile where there is no TLS.
	n, err := io.Copy(s.conn, io.LimitReader(rep.stream, rep.length))
	if err == nil && n < rep.length {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// build returns an XML builder for this peer.
func (s *session) build() *wire.Builder { return wire.NewBuilder(s.quotes) }

// actor is the client user for a request, with the session's ticket if it
// opens anything. The keyword irodsAdmin counts for administrators only.
func (s *session) actor(t *catalog.Tx, kv wire.KeyVals) (catalog.Actor, error) {
	a := catalog.Actor{User: s.user, Force: kv.Has("irodsAdmin") && s.user.Admin()}
	if s.ticket == "" {
		return a, nil
	}
	host, _, _ := net.SplitHostPort(s.raw.RemoteAddr().String())
	use, err := t.UseTicket(s.ticket, s.user, host, s.srv.cat.Now())
	if errors.Is(err, status.TicketInvalid) || errors.Is(err, status.NoRowsFound) {
		return a, nil
	}
	a.Ticket = use
	return a, err
}

// view and update run fn with the actor of the request.
func (s *session) view(req *request, fn func(*catalog.Tx, catalog.Actor) error) error {
	return s.srv.cat.View(s.ctx(), func(t *catalog.Tx) error {
		a, err := s.actor(t, req.kv)
		if err != nil {
			return err
		}
		return fn(t, a)
	})
}

func (s *session) update(req *request, fn func(*catalog.Tx, catalog.Actor) error) error {
	return s.srv.cat.Update(s.ctx(), func(t *catalog.Tx) error {
		a, err := s.actor(t, req.kv)
		if err != nil {
			return err
		}
		return fn(t, a)
	})
}
