package irodsd

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"omerods/internal/sandbox/irodsd/status"
)

// Parallel transfer through a portal: the reply to a put or get names a port
// and a cookie; the client opens as many connections as agreed, and on each
// the server says piece by piece what to move (portal header of the iRODS
// protocol: operation, flags, offset, length).
const (
	threadBytes  = 32 << 20 // below this one connection is enough
	maxThreads   = 4
	pieceBytes   = 40 << 20
	portalTime   = time.Minute // for a connection to come and for each piece
	portalPutOp  = 1
	portalGetOp  = 2
	portalDoneOp = 9999
)

// portalOffer is what a reply tells about parallel transfer. Without a port
// the client moves the bytes itself over the connection it has.
type portalOffer struct {
	fd, threads, port int
	cookie            uint32
	host              string
}

func (s *session) portalReply(info int32, o portalOffer) *reply {
	b := s.build()
	b.Open("PortalOprOut_PI")
	b.Int("status", 0)
	b.Int("l1descInx", int64(o.fd))
	b.Int("numThreads", int64(o.threads))
	b.Str("chksum", "")
	b.Open("PortList_PI")
	b.Int("portNum", int64(o.port))
	b.Int("cookie", int64(o.cookie))
	b.Int("sock", int64(o.port)) // a socket number of the server; clients only look whether it is 0
	b.Int("windowSize", 0)
	b.Str("hostAddr", o.host)
	b.Close("PortList_PI")
	b.Close("PortalOprOut_PI")
	return &reply{info: info, body: b.Bytes()}
}

// portal is a running parallel transfer of one descriptor.
type portal struct {
	listener net.Listener
	cookie   uint32
	secret   []byte // set if the control connection is encrypted
	d        *descriptor
	op       uint32
	cancel   context.CancelFunc
	done     chan struct{} // closed when err is final
	err      error
}

// close ends a transfer and waits until nothing of it runs.
func (p *portal) close() {
	p.cancel()
	<-p.done
}

func (s *session) portalPut(req *request, d *descriptor) (*reply, error) {
	size := req.in.Int("dataSize")
	if size > 0 {
		s.srv.writers.touched(d.writing)
	}
	rep, err := s.startPortal(d, portalPutOp, size, int(req.in.Int("numThreads")))
	if err != nil {
		s.abandon(d)
	}
	return rep, err
}

func (s *session) portalGet(req *request, d *descriptor, size int64) (*reply, error) {
	rep, err := s.startPortal(d, portalGetOp, size, int(req.in.Int("numThreads")))
	if err != nil {
		return nil, errors.Join(err, s.close(d))
	}
	rep.info = int32(d.fd)
	return rep, nil
}

// startPortal offers a portal for the size, or none when one connection is
// enough or asked for.
func (s *session) startPortal(d *descriptor, op uint32, size int64, threads int) (*reply, error) {
	useful := int(min(size/threadBytes+1, maxThreads))
	if threads == 0 || threads > useful {
		threads = useful
	}
	if threads <= 1 || size <= 0 {
		return s.portalReply(0, portalOffer{fd: d.fd}), nil
	}
	host, _, err := net.SplitHostPort(s.raw.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	var cookie [4]byte
	_, _ = rand.Read(cookie[:]) // never fails
	ctx, cancel := context.WithCancel(s.ctx())
	p := &portal{
		// The cookie is a positive number in the XML.
		listener: l, cookie: binary.BigEndian.Uint32(cookie[:]) &^ (1 << 31), secret: s.secret, d: d, op: op,
		cancel: cancel, done: make(chan struct{}),
	}
	s.portals[d.fd] = p
	go func() {
		defer close(p.done)
		defer cancel()
		p.err = p.run(ctx, size, threads)
	}()
	return s.portalReply(0, portalOffer{
		fd: d.fd, threads: threads, port: l.Addr().(*net.TCPAddr).Port, cookie: p.cookie, host: host,
	}), nil
}

// run waits for the promised connections and serves one slice on each.
func (p *portal) run(ctx context.Context, size int64, threads int) error {
	defer context.AfterFunc(ctx, func() { _ = p.listener.Close() })()
	defer func() { _ = p.listener.Close() }()
	g, ctx := errgroup.WithContext(ctx)
	slice := size / int64(threads)
	for i := range threads {
		from, n := int64(i)*slice, slice
		if i == threads-1 {
			n = size - from
		}
		c, err := p.accept()
		if err != nil {
			p.cancel()
			return errors.Join(err, g.Wait())
		}
		g.Go(func() error {
			defer func() { _ = c.Close() }()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			return p.serve(c, from, n)
		})
	}
	return g.Wait()
}

// accept returns the next connection that knows the cookie.
func (p *portal) accept() (net.Conn, error) {
	if l, ok := p.listener.(*net.TCPListener); ok {
		if err := l.SetDeadline(time.Now().Add(portalTime)); err != nil {
			return nil, fmt.Errorf("portal: %w", err)
		}
	}
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("portal: %w", err)
		}
		var cookie [4]byte
		_ = c.SetDeadline(time.Now().Add(portalTime)) // a closed connection shows in the read
		if _, err := io.ReadFull(c, cookie[:]); err == nil && binary.BigEndian.Uint32(cookie[:]) == p.cookie {
			return c, nil
		}
		_ = c.Close()
	}
}

// serve moves one contiguous slice in pieces and says when it is finished.
func (p *portal) serve(c net.Conn, from, n int64) error {
	for n > 0 {
		part := min(n, pieceBytes)
		if err := c.SetDeadline(time.Now().Add(portalTime)); err != nil {
			return fmt.Errorf("portal: %w", err)
		}
		if err := p.header(c, p.op, from, part); err != nil {
			return err
		}
		var err error
		switch {
		case p.op == portalPutOp && p.secret != nil:
			err = readSealed(io.NewOffsetWriter(p.d.file, from), c, part, p.secret)
		case p.op == portalPutOp:
			_, err = io.CopyN(io.NewOffsetWriter(p.d.file, from), c, part)
		case p.secret != nil:
			err = writeSealed(c, io.NewSectionReader(p.d.file, from, part), p.secret)
		default:
			_, err = io.Copy(c, io.NewSectionReader(p.d.file, from, part))
		}
		if err != nil {
			return fmt.Errorf("portal: %w", err)
		}
		from, n = from+part, n-part
	}
	return p.header(c, portalDoneOp, 0, 0)
}

func (p *portal) header(c net.Conn, op uint32, offset, length int64) error {
	b := binary.BigEndian.AppendUint32(nil, op)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint64(b, uint64(length))
	if _, err := c.Write(b); err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	return nil
}

// operationComplete is API 626: the client is done with a transfer. Only then
// is the object complete.
func (s *session) operationComplete(req *request) (*reply, error) {
	d, err := s.descriptor(req.in.Int("myInt"))
	if err != nil {
		return nil, err
	}
	p := s.portals[d.fd]
	if p == nil {
		return nil, s.close(d)
	}
	<-p.done
	delete(s.portals, d.fd)
	if p.err != nil {
		s.srv.log.Debug("irods: portal", "object", d.replica.ID, "err", p.err)
		s.abandon(d)
		return nil, status.CopyLength
	}
	return nil, s.close(d)
}
