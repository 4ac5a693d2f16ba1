package irodsd

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// newChallenge starts a native login. A 5.x server sends 64 hex characters.
func (s *session) newChallenge() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	s.challenge = hex.EncodeToString(b[:])
	s.signature = hex.EncodeToString([]byte(s.challenge[:16]))
	return s.challenge
}

// passwordBytes is the fixed field that a password is padded to.
const passwordBytes = 50

// digest answers a challenge: MD5 over its first 64 bytes and the padded
// password, with zero bytes made one.
func digest(challenge, password string) string {
	buf := make([]byte, 64+passwordBytes)
	copy(buf, challenge)
	copy(buf[64:], password)
	sum := md5.Sum(buf)
	for i, c := range sum {
		if c == 0 {
			sum[i] = 1
		}
	}
	return base64.StdEncoding.EncodeToString(sum[:])
}

// shortDigest is what clients send for an empty password: only the challenge
// is hashed.
func shortDigest(challenge string) string {
	buf := make([]byte, 64)
	copy(buf, challenge)
	sum := md5.Sum(buf)
	for i, c := range sum {
		if c == 0 {
			sum[i] = 1
		}
	}
	return base64.StdEncoding.EncodeToString(sum[:])
}

// login checks the answer to the challenge and makes the session the client
// user's. The challenge is spent either way.
func (s *session) login(response string, who name) error {
	challenge := s.challenge
	s.challenge = ""
	s.logged = false
	return s.srv.cat.View(s.ctx(), func(t *catalog.Tx) error {
		proxy, err := t.User(who.user, who.zone)
		if err != nil {
			return err
		}
		if proxy.Type == catalog.TypeGroup {
			return status.InvalidUser
		}
		ok, err := s.verify(t, proxy, challenge, response)
		if err != nil {
			return err
		}
		if !ok || challenge == "" {
			if s.expired(t, proxy, challenge, response) {
				return status.PasswordExpired
			}
			return status.InvalidAuthentication
		}
		client := proxy
		if s.client.user != "" && s.client != who {
			if !proxy.Admin() {
				return status.ProxyUserNoPrivilege
			}
			client, err = t.User(s.client.user, s.client.zone)
			if errors.Is(err, status.InvalidUser) || client.Type == catalog.TypeGroup {
				return status.InvalidClientUser
			}
			if err != nil {
				return err
			}
		}
		s.proxied, s.user, s.logged = proxy, client, true
		return nil
	})
}

func (s *session) verify(t *catalog.Tx, u catalog.User, challenge, response string) (bool, error) {
	if u.Name == "anonymous" {
		return response == digest(challenge, "") || response == shortDigest(challenge), nil
	}
	passwords, err := t.Passwords(u.ID, s.srv.cfg.Clock().Unix())
	if err != nil {
		return false, err
	}
	for _, p := range passwords {
		if p != "" && response == digest(challenge, p) {
			return true, nil
		}
	}
	return false, nil
}

// expired tells whether the answer was made with a generated password whose
// time is over.
func (s *session) expired(t *catalog.Tx, u catalog.User, challenge, response string) bool {
	passwords, err := t.Passwords(u.ID, 0)
	return err == nil && challenge != "" && slices.ContainsFunc(passwords, func(p string) bool {
		return p != "" && response == digest(challenge, p)
	})
}

// authPlugin is API 110000, the JSON authentication framework: the answer is
// the request with keys added. A password that the client put into the native
// scheme's first step is echoed like every other key and not used.
func (s *session) authPlugin(req *request) (*reply, error) {
	var msg map[string]any
	if err := decodeJSON(req.in, &msg); err != nil {
		return nil, err
	}
	text := func(key string) string {
		v, _ := msg[key].(string)
		return v
	}
	switch text("scheme") {
	case "native":
		return s.nativeStep(msg, text)
	case "pam_password":
		if text("next_operation") != "auth_agent_auth_request" {
			return nil, status.InvalidInputParam
		}
		password, err := s.pamLogin(text("user_name"), text("a_pw"), text("a_ttl"))
		delete(msg, "a_pw")
		if err != nil {
			return nil, err
		}
		msg["request_result"] = password
		return s.jsonReply(msg)
	}
	return nil, status.UnknownAuthScheme
}

func (s *session) nativeStep(msg map[string]any, text func(string) string) (*reply, error) {
	switch text("next_operation") {
	case "auth_agent_auth_request":
		msg["request_result"] = s.newChallenge()
		return s.jsonReply(msg)
	case "auth_agent_auth_response":
		for _, key := range []string{"digest", "user_name", "zone_name"} {
			if _, ok := msg[key].(string); !ok {
				return nil, status.InvalidInputParam
			}
		}
		if err := s.login(text("digest"), s.srv.named(text("user_name"), text("zone_name"))); err != nil {
			return nil, err
		}
		return s.jsonReply(msg)
	}
	return nil, status.InvalidInputParam
}

// pamPasswordLife is how long a generated password can be used at most, and
// when the client does not say how many hours it wants.
const pamPasswordLife = 14 * 24 * time.Hour

// pamLogin checks a PAM password and returns a generated password for native
// logins. While there is a valid one, it is that one, with a new end.
func (s *session) pamLogin(user, password, hours string) (string, error) {
	if !s.secure {
		return "", status.NotAllowed
	}
	life := pamPasswordLife
	if n, err := strconv.Atoi(hours); hours != "" && (err != nil || n < 0 || time.Duration(n)*time.Hour > pamPasswordLife) {
		return "", status.InvalidTTL
	} else if n > 0 {
		life = time.Duration(n) * time.Hour
	}
	now := s.srv.cfg.Clock()
	var generated string
	err := s.srv.cat.Update(s.ctx(), func(t *catalog.Tx) error {
		u, err := t.User(user, s.srv.cfg.Zone)
		if err != nil {
			return err
		}
		ok := false
		if s.srv.cfg.PAM != nil {
			ok = s.srv.cfg.PAM(user, password)
		} else {
			own, set, err := t.Password(u.ID, catalog.PasswordOwn, 0)
			if err != nil {
				return err
			}
			ok = set && own != "" && own == password
		}
		if !ok {
			return status.PAMPasswordFailed
		}
		var found bool
		generated, found, err = t.Password(u.ID, catalog.PasswordPAM, now.Unix())
		if err != nil {
			return err
		}
		if !found {
			generated = rand.Text() + rand.Text()[:16]
		}
		return t.SetPassword(u.ID, catalog.PasswordPAM, generated, now.Add(life).Unix())
	})
	return generated, err
}

const deprecated = "This API is deprecated."

// authRequest is API 703, the first step of the older native login.
func (s *session) authRequest(*request) (*reply, error) {
	b := s.build()
	b.Open("authRequestOut_PI")
	b.Str("challenge", base64.StdEncoding.EncodeToString([]byte(s.newChallenge())))
	b.Close("authRequestOut_PI")
	return &reply{body: b.Bytes(), note: deprecated, code: -3002000}, nil
}

// authResponse is API 704, the second step.
func (s *session) authResponse(req *request) (*reply, error) {
	user, zone := catalog.SplitUser(req.in.Str("username"), s.srv.cfg.Zone)
	if err := s.login(strings.TrimSpace(req.in.Str("response")), s.srv.named(user, zone)); err != nil {
		return nil, err
	}
	return &reply{note: deprecated, code: -3002000}, nil
}

// pamAuth is API 725, the older PAM login.
func (s *session) pamAuth(req *request) (*reply, error) {
	password, err := s.pamLogin(req.in.Str("pamUser"), req.in.Str("pamPassword"), req.in.Str("timeToLive"))
	if err != nil {
		return nil, err
	}
	b := s.build()
	b.Open("pamAuthRequestOut_PI")
	b.Str("irodsPamPassword", password)
	b.Close("pamAuthRequestOut_PI")
	return &reply{body: b.Bytes()}, nil
}

// authPlugReq is API 1201, which wraps the older PAM login once more.
func (s *session) authPlugReq(req *request) (*reply, error) {
	if !strings.HasPrefix(strings.ToLower(req.in.Str("auth_scheme_")), "pam") {
		return nil, status.UnknownAuthScheme
	}
	args := make(map[string]string)
	for _, part := range strings.Split(req.in.Str("context_"), ";") {
		if k, v, ok := strings.Cut(part, "="); ok {
			args[k] = v
		}
	}
	password, err := s.pamLogin(args["a_user"], args["a_pw"], args["a_ttl"])
	if err != nil {
		return nil, err
	}
	b := s.build()
	b.Open("authPlugReqOut_PI")
	b.Str("result_", password)
	b.Close("authPlugReqOut_PI")
	return &reply{body: b.Bytes()}, nil
}

// jsonReply answers with JSON in a BinBytesBuf_PI.
func (s *session) jsonReply(v any) (*reply, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b := s.build()
	b.Binary(data)
	return &reply{body: b.Bytes()}, nil
}
