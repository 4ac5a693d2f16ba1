package irods

import (
	"context"
	"crypto/md5" // what the protocol uses
	"encoding/base64"
	"errors"
	"strconv"
	"sync"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// secret is what a native login proves to know: the password, or the token
// that the server generated at a PAM login, which serves for the further
// connections until it expires.
type secret struct {
	mu    sync.Mutex
	value string // "" when there is none
}

func (s *secret) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}

func (s *secret) set(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = value
}

// login proves the identity on a new connection. The clear password is never
// sent but for PAM, which needs it and has TLS around it. A secret that is
// refused may have been replaced in the file that it came from.
func (c *Client) login(ctx context.Context, cn *conn) error {
	known := c.secret.get()
	if known == "" {
		known = c.replaced("")
	}
	pam := c.cfg.pam() && c.cfg.Password != ""
	if known == "" && !pam && c.cfg.User != "anonymous" {
		if c.cfg.pam() {
			return c.without("token of a PAM login")
		}
		return c.without("password")
	}
	if known != "" || !c.cfg.pam() {
		err := c.native(ctx, cn, known)
		if fresh := c.replaced(known); errors.Is(err, ErrLogin) && fresh != "" {
			if again := c.native(ctx, cn, fresh); again == nil || !errors.Is(again, ErrLogin) {
				known, err = fresh, again
			}
		}
		switch {
		case err == nil:
			c.secret.set(known)
			return nil
		case !errors.Is(err, ErrLogin):
			return err
		case c.cfg.pam() && !pam:
			return c.refusal(expired(err))
		case !pam:
			return c.refusal(err)
		}
	}
	token, err := c.pam(ctx, cn)
	if err == nil {
		err = c.native(ctx, cn, token)
	}
	if err != nil {
		return c.refusal(err)
	}
	c.secret.set(token)
	return nil
}

// replaced returns the secret in the file if it is another one, "" otherwise.
func (c *Client) replaced(known string) string {
	if c.cfg.Reread == nil {
		return ""
	}
	fresh, err := c.cfg.Reread()
	if err != nil || fresh == known {
		return ""
	}
	return fresh
}

// without says that there is nothing to log in with.
func (c *Client) without(what string) error {
	reason := "there is no " + what + " of " + c.cfg.User + "#" + c.cfg.Zone
	if c.cfg.SecretFile != "" {
		reason += " in " + c.cfg.SecretFile
	}
	return &Error{Class: ErrLogin, Op: "log in", Reason: reason + ": omerods init asks for the password"}
}

// expired explains the refusal of a token: a server that has removed it says
// the same as of a wrong password.
func expired(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Code != int(common.CAT_INVALID_AUTHENTICATION) && e.Code != int(common.CAT_PASSWORD_EXPIRED) {
		return err
	}
	d := *e
	d.Reason = "the token of the PAM login has expired; omerods init gets a new one"
	return &d
}

// Token returns the password that the server generated at the PAM login, ""
// before the first one and for other schemes.
func (c *Client) Token() string {
	if !c.cfg.pam() {
		return ""
	}
	return c.secret.get()
}

// refusal says who was refused.
func (c *Client) refusal(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Code == 0 {
		return err
	}
	d := *e
	d.Class = ErrLogin
	d.Op, d.Path = "log in", ""
	d.Reason = e.Reason + ": " + c.cfg.User + "#" + c.cfg.Zone
	if c.cfg.User != c.cfg.ClientUser || c.cfg.Zone != c.cfg.ClientZone {
		d.Reason += " for " + c.cfg.ClientUser + "#" + c.cfg.ClientZone
	}
	d.Reason += " at " + c.address()
	return &d
}

// authStep sends one step of the 4.3 authentication framework and returns
// the server's additions.
func (c *Client) authStep(ctx context.Context, cn *conn, step map[string]string) (map[string]any, error) {
	req, err := jsonRequest(common.NEW_AUTH_PLUGIN_REQ_AN, step)
	if err != nil {
		return nil, errorf(ErrInvalid, "login: %v", err)
	}
	rep, err := cn.exchange(ctx, req, nil)
	if err != nil {
		return nil, err
	}
	// A refusal has an empty body, so the status comes first.
	if rep.status < 0 {
		return nil, statusError(rep)
	}
	var answer map[string]any
	return answer, decodeJSON(rep.body, &answer)
}

// native answers the server's challenge with a digest of it and the password.
func (c *Client) native(ctx context.Context, cn *conn, password string) error {
	if !cn.version.HasHigherVersionThan(4, 3, 0) {
		return c.nativeBefore43(ctx, cn, password)
	}
	step := map[string]string{
		"a_ttl": "0", "scheme": "native", "next_operation": "auth_agent_auth_request",
		"user_name": c.cfg.User, "zone_name": c.cfg.Zone,
	}
	answer, err := c.authStep(ctx, cn, step)
	if err != nil {
		return err
	}
	challenge, _ := answer["request_result"].(string)
	digest, err := respond([]byte(challenge), password)
	if err != nil {
		return err
	}
	step["request_result"] = challenge
	step["next_operation"] = "auth_agent_auth_response"
	step["digest"] = digest
	_, err = c.authStep(ctx, cn, step)
	return err
}

// nativeBefore43 does the same with the calls of older servers.
func (c *Client) nativeBefore43(ctx context.Context, cn *conn, password string) error {
	rep, err := cn.exchange(ctx, newRequest(common.AUTH_REQUEST_AN, ""), nil)
	if err != nil {
		return err
	}
	if rep.status < 0 {
		return statusError(rep)
	}
	e, err := unpack(rep.body)
	if err != nil {
		return err
	}
	challenge, err := base64.StdEncoding.DecodeString(e.get("challenge"))
	if err != nil {
		return errorf(ErrServer, "the server's challenge cannot be read")
	}
	digest, err := respond(challenge, password)
	if err != nil {
		return err
	}
	var p packer
	p.begin("authResponseInp_PI").str("response", digest).str("username", c.cfg.User+"#"+c.cfg.Zone).end("authResponseInp_PI")
	if rep, err = cn.exchange(ctx, newRequest(common.AUTH_RESPONSE_AN, p.String()), nil); err != nil {
		return err
	}
	if rep.status < 0 {
		return statusError(rep)
	}
	return nil
}

// pam sends the password, inside TLS, and returns the password that the
// server generated for native logins.
func (c *Client) pam(ctx context.Context, cn *conn) (string, error) {
	var token string
	if cn.version.HasHigherVersionThan(4, 3, 0) {
		answer, err := c.authStep(ctx, cn, map[string]string{
			"a_ttl": strconv.Itoa(c.cfg.PAMHours), "scheme": "pam_password", "next_operation": "auth_agent_auth_request",
			"user_name": c.cfg.User, "zone_name": c.cfg.Zone, "a_pw": c.cfg.Password,
		})
		if err != nil {
			return "", err
		}
		token, _ = answer["request_result"].(string)
	} else {
		var p packer
		p.begin("pamAuthRequestInp_PI").str("pamUser", c.cfg.User).str("pamPassword", c.cfg.Password).num("timeToLive", int64(c.cfg.PAMHours)).end("pamAuthRequestInp_PI")
		rep, err := cn.exchange(ctx, newRequest(common.PAM_AUTH_REQUEST_AN, p.String()), nil)
		if err != nil {
			return "", err
		}
		if rep.status < 0 {
			return "", statusError(rep)
		}
		e, err := unpack(rep.body)
		if err != nil {
			return "", err
		}
		token = e.get("irodsPamPassword")
	}
	if token == "" {
		return "", errorf(ErrServer, "the server generated no password at the PAM login")
	}
	return token, nil
}

// Sizes of the native scheme.
const (
	challengeBytes = 64
	passwordBytes  = 50
)

// respond computes the native scheme's answer: MD5 over the challenge and the
// padded password, without NUL bytes, as base64.
func respond(challenge []byte, password string) (string, error) {
	if len(challenge) < challengeBytes {
		return "", errorf(ErrServer, "the server's challenge is too short")
	}
	var padded [passwordBytes]byte
	copy(padded[:], password)
	h := md5.New()
	h.Write(challenge[:challengeBytes])
	if password != "" {
		h.Write(padded[:])
	}
	digest := h.Sum(nil)
	for i, b := range digest {
		if b == 0 {
			digest[i] = 1
		}
	}
	return base64.StdEncoding.EncodeToString(digest), nil
}
