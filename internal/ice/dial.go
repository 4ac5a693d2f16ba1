package ice

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"
)

// Address is where a server listens.
type Address struct {
	Scheme string // "tcp", "ssl", "ws" or "wss"
	Host   string
	Port   int
	Path   string // of the upgrade request, for ws and wss; empty for "/"
}

// String returns the address as an URL.
func (a Address) String() string {
	return a.Scheme + "://" + net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) + a.Path
}

func (a Address) secure() bool { return a.Scheme == "ssl" || a.Scheme == "wss" }

func (a Address) webSocket() bool { return a.Scheme == "ws" || a.Scheme == "wss" }

// DialOptions say how to connect. The zero value is usable except for TLS.
type DialOptions struct {
	// TLS is required for ssl and wss. An empty ServerName becomes the host of
	// the address.
	TLS *tls.Config

	// ConnectTimeout bounds the time until the server has accepted the
	// connection at the level of Ice; 0 stands for 10 s.
	ConnectTimeout time.Duration

	// HeartbeatInterval is after how long without a message to the server one
	// is sent to keep the connection; 0 stands for 30 s, a negative value
	// for never.
	HeartbeatInterval time.Duration

	// MaxMessageBytes bounds messages in both directions; 0 stands for 64 MiB,
	// which is what servers accept by default.
	MaxMessageBytes int

	Logger *slog.Logger // nil for none
}

const (
	defaultConnectTimeout  = 10 * time.Second
	defaultHeartbeat       = 30 * time.Second
	defaultMaxMessageBytes = 64 << 20
)

func (o DialOptions) withDefaults() DialOptions {
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.HeartbeatInterval == 0 {
		o.HeartbeatInterval = defaultHeartbeat
	}
	if o.MaxMessageBytes == 0 {
		o.MaxMessageBytes = defaultMaxMessageBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Dial connects to a server and waits until it has accepted the connection.
func Dial(ctx context.Context, addr Address, opts DialOptions) (*Conn, error) {
	opts = opts.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, opts.ConnectTimeout)
	defer cancel()
	nc, err := connect(ctx, addr, opts)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return newConn(nc, addr, opts), nil
}

// connect does all handshakes. They end when ctx does.
func connect(ctx context.Context, addr Address, opts DialOptions) (_ net.Conn, err error) {
	switch addr.Scheme {
	case "tcp", "ssl", "ws", "wss":
	default:
		return nil, fmt.Errorf("unknown scheme %q", addr.Scheme)
	}
	if addr.secure() && opts.TLS == nil {
		return nil, errors.New("no TLS settings")
	}
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 4,
	}}
	nc, err := d.DialContext(ctx, "tcp", net.JoinHostPort(addr.Host, strconv.Itoa(addr.Port)))
	if err != nil {
		return nil, err
	}
	// A deadline in the past wakes whoever waits for the socket.
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			nc.Close()
			if ctx.Err() != nil {
				err = ctx.Err()
			}
		}
	}()
	transport := nc
	if addr.secure() {
		cfg := opts.TLS
		if cfg.ServerName == "" {
			cfg = cfg.Clone()
			cfg.ServerName = addr.Host
		}
		tc := tls.Client(&buffered{nc, bufio.NewReaderSize(nc, socketBytes)}, cfg)
		if err := tc.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		transport = tc
	}
	if addr.webSocket() {
		if transport, err = webSocketClient(transport, addr); err != nil {
			return nil, err
		}
	}
	return transport, awaitValidation(transport)
}

// socketBytes is how much is taken from a socket at once. TLS alone reads its
// records, 16 KiB at most, one by one.
const socketBytes = 64 << 10

// buffered is a socket that is read in large pieces.
type buffered struct {
	net.Conn
	br *bufio.Reader
}

// Read implements net.Conn.
func (b *buffered) Read(p []byte) (int, error) { return b.br.Read(p) }

// awaitValidation reads the message by which a server accepts a connection.
func awaitValidation(r io.Reader) error {
	buf := make([]byte, HeaderBytes)
	if _, err := io.ReadFull(r, buf); err != nil {
		return fmt.Errorf("waiting for the server to accept: %w", err)
	}
	h, err := ParseHeader(buf, HeaderBytes)
	if err != nil {
		return err
	}
	switch h.Type {
	case msgValidate:
		return nil
	case msgClose:
		return errors.New("the server closes the connection")
	}
	return &ProtocolError{Text: fmt.Sprintf("message type %d instead of validation", h.Type)}
}
