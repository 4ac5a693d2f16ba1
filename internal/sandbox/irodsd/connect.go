package irodsd

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// connect runs the start of a connection: start-up pack, negotiation if the
// client asks for it, version, and TLS if both agreed.
func (s *session) connect() error {
	h, err := wire.ReadHeader(s.r)
	if errors.Is(err, wire.ErrMalformed) || err == nil && h.Type != wire.TypeConnect {
		return s.refuse(status.HeaderRead)
	}
	if err != nil {
		return err
	}
	in, err := wire.ReadBody(s.r, h.Body, wire.QuotesNew)
	if err != nil || in.Name != "StartupPack_PI" {
		return s.refuse(status.PackInstruct)
	}
	if _, err := io.CopyN(io.Discard, s.r, h.Error+h.Stream); err != nil {
		return err
	}
	s.client = s.srv.named(in.Str("clientUser"), in.Str("clientRcatZone"))
	s.quotes = quotesOf(in.Str("relVersion"))
	option := in.Str("option")
	if option == "HEARTBEAT" {
		_, err := s.conn.Write([]byte("HEARTBEAT"))
		return orEOF(err)
	}
	if in.Int("irodsProt") != 1 {
		// Native packing is not served; say so instead of hanging.
		return s.refuse(status.PackInstruct)
	}
	negotiate := strings.Contains(option, "request_server_negotiation")
	s.program, _, _ = strings.Cut(option, ";")
	useTLS := false
	if negotiate {
		if useTLS, err = s.negotiate(); err != nil {
			return err
		}
	} else if s.srv.cfg.Negotiation == Require {
		return s.refuse(status.NotAllowed)
	}
	if err := s.version(0); err != nil {
		return err
	}
	if useTLS {
		return s.startTLS()
	}
	return nil
}

// named completes a user name with the server's zone.
func (s *Server) named(user, zone string) name {
	if zone == "" {
		zone = s.cfg.Zone
	}
	return name{user, zone}
}

func orEOF(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// quotesOf picks the quote rule from a release such as "rods4.3.0".
func quotesOf(release string) wire.Quotes {
	want := []int{4, 2, 9}
	parts := strings.SplitN(strings.TrimPrefix(release, "rods"), ".", 3)
	for i, w := range want {
		n := 0
		if i < len(parts) {
			n, _ = strconv.Atoi(parts[i])
		}
		if n != w {
			if n < w {
				return wire.QuotesOld
			}
			return wire.QuotesNew
		}
	}
	return wire.QuotesNew
}

// version sends the answer to the start-up pack.
func (s *session) version(code status.Code) error {
	b := s.build()
	b.Open("Version_PI")
	b.Int("status", int64(code))
	b.Str("relVersion", s.srv.cfg.Release)
	b.Str("apiVersion", "d")
	b.Int("reconnPort", 0)
	b.Str("reconnAddr", "")
	b.Int("cookie", 400)
	b.Close("Version_PI")
	return s.send(wire.TypeVersion, &reply{body: b.Bytes()})
}

// refuse answers the start-up with a failure and ends the connection.
func (s *session) refuse(code status.Code) error {
	if err := s.version(code); err != nil {
		return err
	}
	return fmt.Errorf("connection refused: %w", code)
}

// negotiate announces the server's policy and reads what the client decided.
func (s *session) negotiate() (useTLS bool, err error) {
	b := s.build()
	b.Open("CS_NEG_PI")
	b.Int("status", 1)
	b.Str("result", string(s.srv.cfg.Negotiation))
	b.Close("CS_NEG_PI")
	if err := s.send(wire.TypeNegotiation, &reply{body: b.Bytes()}); err != nil {
		return false, err
	}
	h, err := wire.ReadHeader(s.r)
	if err != nil {
		return false, err
	}
	in, err := wire.ReadBody(s.r, h.Body, s.quotes)
	if err != nil || h.Type != wire.TypeNegotiation || in.Name != "CS_NEG_PI" {
		return false, s.refuse(status.HeaderRead)
	}
	result := in.Str("result")
	switch {
	case in.Int("status") != 1:
	case strings.Contains(result, "CS_NEG_USE_SSL") && s.srv.cfg.Negotiation != Refuse:
		return true, nil
	case strings.Contains(result, "CS_NEG_USE_TCP") && s.srv.cfg.Negotiation != Require:
		return false, nil
	}
	return false, s.refuse(status.NotAllowed)
}

// startTLS wraps the connection, then reads the two messages in which the
// client sets up the secret for portal data: one that uses the header's
// numbers as key size, salt size and hash rounds and has no body, and one with
// the secret.
func (s *session) startTLS() error {
	// The client may have sent its hello before it read the version, so it
	// can already be in the buffer.
	t := tls.Server(buffered{Conn: s.conn, r: s.r}, s.srv.cfg.TLS)
	if err := t.HandshakeContext(s.ctx()); err != nil {
		return err
	}
	s.conn = t
	s.r = bufio.NewReaderSize(t, 64<<10)
	s.w = bufio.NewWriterSize(t, 64<<10)
	s.secure = true
	cipher, err := wire.ReadHeader(s.r)
	if err != nil {
		return err
	}
	h, err := wire.ReadHeader(s.r)
	if err != nil {
		return err
	}
	if h.Type != wire.TypeSharedSecret || h.Body != cipher.Body || h.Body > 256 {
		return wire.ErrMalformed
	}
	s.secret = make([]byte, h.Body)
	_, err = io.ReadFull(s.r, s.secret)
	return err
}

// buffered is a connection whose first bytes may already have been read.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }
