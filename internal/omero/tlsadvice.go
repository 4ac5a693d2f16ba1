package omero

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"omerods/internal/ice"
)

// tlsFailure says in words why a secure connection to an address could not be
// made, and which setting or which change on the server helps. It is empty for
// failures that have nothing to do with TLS.
func (c *Client) tlsFailure(ctx context.Context, a ice.Address, err error) string {
	var record tls.RecordHeaderError
	switch {
	case a.Scheme != "ssl" && a.Scheme != "wss":
		return ""
	case errors.As(err, &record):
		return fmt.Sprintf("it does not speak TLS on port %d (4064 is OMERO's port for TLS, 4063 that without)", a.Port)
	}
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) && len(bad.UnverifiedCertificates) > 0 {
		return certificateAdvice(bad.UnverifiedCertificates[0], a.Host, bad.Err, c.now())
	}
	switch alert := remoteAlert(err); {
	case strings.Contains(alert, "protocol version"), strings.Contains(err.Error(), "unsupported protocol version"):
		return "it speaks only TLS 1.0 or 1.1, which are broken; its administrators can set omero.glacier2.IceSSL.Protocols to TLS1_2 " +
			"(the package omero-certificates does)"
	case alert == "":
		return ""
	case anonymousOnly(ctx, a):
		return "it offers only anonymous encryption (ADH), which cannot tell it from an impostor, because it has no certificate: " +
			"its administrators can make one with 'omero certificates' of the package omero-certificates; " +
			"then set omero-ca-file with omero-any-name, or omero-key. Where the web server passes OMERO on, omero-server wss://HOST/PATH works already"
	default:
		return "there is no kind of encryption that both sides accept (" + alert + "); its administrators find the ciphers in omero.glacier2.IceSSL.Ciphers"
	}
}

// remoteAlert is the text of the alert by which the server ended a handshake.
func remoteAlert(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" && op.Err != nil {
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	}
	return ""
}

// certificateAdvice explains why a certificate is not trusted. All ways out
// lead over something that the user learns from the server's administrators,
// so the key is shown to be compared, not to be copied blindly.
func certificateAdvice(cert *x509.Certificate, host string, err error, now time.Time) string {
	pin := fmt.Sprintf("set omero-key to the SHA-256 of its public key once the administrators confirm that it is %x",
		sha256.Sum256(cert.RawSubjectPublicKeyInfo))
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name) && len(cert.DNSNames)+len(cert.IPAddresses) == 0:
		return fmt.Sprintf("its certificate names no host in a subjectAltName (its common name, %q, does not count any more), as those of 'omero certificates': "+
			"set omero-any-name together with omero-ca-file, the file of its authority; or %s", cert.Subject.CommonName, pin)
	case errors.As(err, &name):
		return fmt.Sprintf("its certificate is for %s and not for %s: use that name in omero-server; "+
			"or set omero-any-name together with omero-ca-file; or %s", strings.Join(certificateNames(cert), ", "), host, pin)
	case errors.As(err, &unknown):
		return fmt.Sprintf("no authority that is known here vouches for its certificate (issued by %s): set omero-ca-file to the file of that authority; or %s",
			issuer(cert), pin)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && now.Before(cert.NotBefore):
		return fmt.Sprintf("its certificate begins only at %s: is the clock of this machine right? Else %s", cert.NotBefore.UTC().Format(time.RFC3339), pin)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("its certificate has expired at %s: its administrators can renew it; until then %s", cert.NotAfter.UTC().Format(time.RFC3339), pin)
	}
	return fmt.Sprintf("its certificate is not accepted (%v): %s", err, pin)
}

func certificateNames(cert *x509.Certificate) []string {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func issuer(cert *x509.Certificate) string {
	if cert.Issuer.String() == cert.Subject.String() {
		return "itself"
	}
	return fmt.Sprintf("%q", cert.Issuer.String())
}

// anonymousHello is a ClientHello of TLS 1.2 that offers nothing but anonymous
// key exchange, by the numbers of RFC 5246 and RFC 4492.
func anonymousHello() []byte {
	suites := []byte{
		0x00, 0xa7, 0x00, 0xa6, // TLS_DH_anon_WITH_AES_256/128_GCM
		0x00, 0x6d, 0x00, 0x6c, // TLS_DH_anon_WITH_AES_256/128_CBC_SHA256
		0x00, 0x3a, 0x00, 0x34, // TLS_DH_anon_WITH_AES_256/128_CBC_SHA
		0xc0, 0x19, 0xc0, 0x18, // TLS_ECDH_anon_WITH_AES_256/128_CBC_SHA
	}
	extensions := []byte{
		0x00, 0x0a, 0, 6, 0, 4, 0x00, 0x17, 0x00, 0x18, // supported groups: secp256r1, secp384r1
		0x00, 0x0b, 0, 2, 1, 0, // uncompressed points
		0x00, 0x0d, 0, 6, 0, 4, 0x04, 0x01, 0x02, 0x01, // signatures: RSA with SHA-256, with SHA-1
	}
	body := []byte{3, 3}
	body = append(body, make([]byte, 32)...) // the random number, of no use for a handshake that ends here
	body = append(body, 0, 0, byte(len(suites)))
	body = append(body, suites...)
	body = append(body, 1, 0, 0, byte(len(extensions))) // no compression
	body = append(body, extensions...)
	hello := append([]byte{1, 0, 0, byte(len(body))}, body...)
	return append([]byte{22, 3, 1, 0, byte(len(hello))}, hello...)
}

// anonymousOnly asks a server that has refused an ordinary handshake whether
// it would take an anonymous one. Nothing is sent over the connection beyond
// the question.
func anonymousOnly(ctx context.Context, a ice.Address) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(a.Host, fmt.Sprint(a.Port)))
	if err != nil {
		return false
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // wakes the reader
	defer stop()
	if _, err := conn.Write(anonymousHello()); err != nil {
		return false
	}
	// A record of type handshake (22) that begins with a ServerHello (2).
	var answer [6]byte
	_, err = io.ReadFull(conn, answer[:])
	return err == nil && answer[0] == 22 && answer[5] == 2
}
