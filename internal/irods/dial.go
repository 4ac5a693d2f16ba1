package irods

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
	"github.com/cyverse/go-irodsclient/irods/connection"
	"github.com/cyverse/go-irodsclient/irods/message"
	"github.com/cyverse/go-irodsclient/irods/types"
)

// refusedFor is how long a refused login is remembered, so that a mount with
// a wrong password does not get its account locked.
const refusedFor = 10 * time.Second

// versionCell holds what the server said last about itself, and the last
// refused login.
type versionCell struct {
	mu        sync.Mutex
	version   types.IRODSVersion
	encrypted bool
	refused   error
	refusedAt time.Time
}

// dial makes one logged-in connection.
func (c *Client) dial(ctx context.Context) (_ *conn, err error) {
	v := &c.version
	v.mu.Lock()
	refused := v.refused
	if now().Sub(v.refusedAt) > refusedFor {
		refused = nil
	}
	v.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	leave, away := c.away.enter()
	if away != nil {
		return nil, away
	}
	start := now()
	defer func() { leave(err, now().Sub(start) >= c.cfg.ConnectTimeout/2) }()
	ctx, cancel := context.WithTimeout(ctx, c.cfg.ConnectTimeout)
	defer cancel()
	cn, err := c.connect(ctx)
	if err == nil {
		if err = c.login(ctx, cn); err != nil {
			cn.broken = true
			cn.close()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err == nil:
		v.version, v.encrypted, v.refused = cn.version, cn.encrypted, nil
	case errors.Is(err, ErrLogin):
		v.refused, v.refusedAt = err, now()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrLost):
		// Nothing had been asked yet, so the outcome is known.
		err = errorf(ErrOffline, "%s cannot be reached: %v", c.address(), err)
	}
	if err != nil {
		return nil, err
	}
	cn.opened, cn.lastUsed, cn.served = now(), now(), 0
	return cn, nil
}

func (c *Client) address() string {
	return net.JoinHostPort(c.cfg.Host, strconv.Itoa(c.cfg.Port))
}

// connect opens the socket, negotiates TLS and reads the server's version.
func (c *Client) connect(ctx context.Context) (*conn, error) {
	sock, err := dialer().DialContext(ctx, "tcp", c.address())
	if err != nil {
		return nil, errorf(ErrOffline, "%s cannot be reached: %v", c.address(), err)
	}
	cn, err := c.start(ctx, sock)
	if err != nil {
		_ = sock.Close()
		return nil, err
	}
	return cn, nil
}

// start performs the part of the protocol before the login on a new socket.
func (c *Client) start(ctx context.Context, sock net.Conn) (*conn, error) {
	// The library's object only frames messages here. The account that it is
	// given holds no secret, so that it has none to send.
	account, err := types.CreateIRODSAccount(c.cfg.Host, c.cfg.Port, c.cfg.User, c.cfg.Zone, types.AuthSchemeNative, "", "")
	if err != nil {
		return nil, errorf(ErrInvalid, "account: %v", err)
	}
	lib, err := connection.NewIRODSConnection(account, &connection.IRODSConnectionConfig{ApplicationName: c.cfg.Application})
	if err != nil {
		return nil, errorf(ErrInvalid, "account: %v", err)
	}
	lib.RawBind(sock)
	cn := &conn{lib: lib, sock: sock, timeout: c.cfg.Timeout, slowTimeout: c.cfg.SlowTimeout}

	var p packer
	p.begin("StartupPack_PI").num("irodsProt", 1).num("reconnFlag", 0).num("connectCnt", 0)
	p.str("proxyUser", c.cfg.User).str("proxyRcatZone", c.cfg.Zone)
	p.str("clientUser", c.cfg.ClientUser).str("clientRcatZone", c.cfg.ClientZone)
	p.str("relVersion", "rods"+common.IRODSVersionRelease).str("apiVersion", common.IRODSVersionAPI)
	p.str("option", c.cfg.Application+";"+message.RequestNegotiationOptionString).end("StartupPack_PI")
	first, err := cn.first(ctx, startMessage(message.RODS_MESSAGE_CONNECT_TYPE, p.String()))
	if err != nil {
		return nil, err
	}
	answer, err := unpack(first.body)
	if err != nil {
		return nil, err
	}
	secure := false
	if answer.name == "CS_NEG_PI" {
		if secure, err = c.choose(types.CSNegotiationPolicyRequest(answer.get("result"))); err != nil {
			return nil, err
		}
		result := types.CSNegotiationUseTCP
		if secure {
			result = types.CSNegotiationUseSSL
		}
		var p packer
		p.begin("CS_NEG_PI").num("status", 1).str("result", "cs_neg_result_kw="+string(result)+";").end("CS_NEG_PI")
		second, err := cn.first(ctx, startMessage(message.RODS_MESSAGE_CS_NEG_TYPE, p.String()))
		if err != nil {
			return nil, err
		}
		if answer, err = unpack(second.body); err != nil {
			return nil, err
		}
	}
	if answer.name != "Version_PI" {
		return nil, errorf(ErrServer, "%s does not answer like an iRODS server", c.address())
	}
	if status := answer.num("status"); status < 0 {
		return nil, statusError(&reply{status: int(status)})
	}
	cn.version = types.IRODSVersion{ReleaseVersion: answer.get("relVersion"), APIVersion: answer.get("apiVersion")}
	if !cn.version.HasHigherVersionThan(4, 2, 9) {
		return nil, errorf(ErrNotSupported, "the server is %s; it must be iRODS 4.2.9 or later", cn.version.ReleaseVersion)
	}
	if !secure {
		return cn, c.allowPlain(sock.RemoteAddr())
	}
	return cn, c.secure(ctx, cn)
}

func startMessage(kind message.MessageType, body string) *message.IRODSMessage {
	b := &message.IRODSMessageBody{Type: kind, Message: []byte(body)}
	h := message.MakeIRODSMessageHeader(kind, uint32(len(body)), 0, 0, 0)
	return &message.IRODSMessage{Header: h, Body: b}
}

// choose decides between TLS and plain TCP: TLS wherever the server leaves it
// open, as the C++ clients do.
func (c *Client) choose(server types.CSNegotiationPolicyRequest) (secure bool, err error) {
	mine := c.cfg.TLS.Policy
	switch {
	case server == types.CSNegotiationPolicyRequestTCP && mine == TLSRequire:
		return false, errorf(ErrInsecure, "%s refuses TLS, which the configuration requires", c.address())
	case server == types.CSNegotiationPolicyRequestSSL && mine == TLSNever:
		return false, errorf(ErrInsecure, "%s requires TLS, which the configuration refuses", c.address())
	case server == types.CSNegotiationPolicyRequestTCP, mine == TLSNever:
		return false, nil
	}
	return true, nil
}

// allowPlain refuses an unencrypted connection that leaves the machine,
// unless the configuration allows it by name. PAM never goes without TLS: it
// transmits the password.
func (c *Client) allowPlain(addr net.Addr) error {
	if c.cfg.pam() {
		return errorf(ErrInsecure, "%s does not offer TLS, without which a PAM login would show the password", c.address())
	}
	if c.cfg.TLS.Policy == TLSRequire {
		return errorf(ErrInsecure, "%s does not offer TLS, which the configuration requires", c.address())
	}
	tcp, ok := addr.(*net.TCPAddr)
	if c.cfg.AllowPlain || ok && tcp.IP.IsLoopback() {
		return nil
	}
	return errorf(ErrInsecure, "%s does not offer TLS; data would cross the network unencrypted, which has to be allowed by name", c.address())
}

// secure starts TLS on the connection and sends what iRODS wants to know
// inside: the parameters and the key for encrypted side channels, which this
// client does not use.
func (c *Client) secure(ctx context.Context, cn *conn) error {
	config, err := c.cfg.TLS.client(c.cfg.Host, c.cfg.AllowUnverified)
	if err != nil {
		return err
	}
	sock := tls.Client(cn.sock, config)
	if err := sock.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			return interrupted(ctx)
		}
		var unknown x509.UnknownAuthorityError
		var name x509.HostnameError
		var invalid x509.CertificateInvalidError
		if errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) {
			reason := fmt.Sprintf("the certificate of %s cannot be trusted: %v", c.address(), err)
			switch {
			case errors.As(err, &unknown):
				reason += "; irods_ssl_ca_certificate_file (--ca-file of omerods init) names certificates to trust"
			case errors.As(err, &name):
				reason += "; irods_ssl_server_name says which name it should have"
			}
			if c.cfg.TLS.Verify == VerifyNone {
				reason += " (irods_ssl_verify_server is none, which counts only when it is also allowed by name)"
			}
			return errorf(ErrInsecure, "%s", reason)
		}
		return errorf(ErrInsecure, "TLS with %s: %v", c.address(), err)
	}
	cn.lib.RawBind(sock)
	cn.encrypted = true
	t := c.cfg.TLS
	settings, err := message.NewIRODSMessageSSLSettings(t.Algorithm, t.KeyBytes, t.SaltBytes, t.HashRounds).GetMessage()
	if err != nil {
		return errorf(ErrInvalid, "TLS settings: %v", err)
	}
	key := make([]byte, t.KeyBytes)
	_, _ = rand.Read(key)
	secret, err := message.NewIRODSMessageSSLSharedSecret(key).GetMessage()
	if err != nil {
		return errorf(ErrInvalid, "TLS settings: %v", err)
	}
	if err := cn.send(ctx, settings); err != nil {
		return err
	}
	return cn.send(ctx, secret)
}

// Encrypted tells whether the last connection that was made uses TLS.
func (c *Client) Encrypted() bool {
	c.version.mu.Lock()
	defer c.version.mu.Unlock()
	return c.version.encrypted
}

// Version returns the release of the server that answered last, for example
// "5.0.2"; "" before the first connection.
func (c *Client) Version() string {
	c.version.mu.Lock()
	defer c.version.mu.Unlock()
	return strings.TrimPrefix(c.version.version.ReleaseVersion, "rods")
}
