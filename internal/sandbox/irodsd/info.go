package irodsd

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// serverInfo is API 700.
func (s *session) serverInfo(*request) (*reply, error) {
	b := s.build()
	b.Open("MiscSvrInfo_PI")
	b.Int("serverType", 1)
	b.Int("serverBootTime", 0)
	b.Str("relVersion", s.srv.cfg.Release)
	b.Str("apiVersion", "d")
	b.Str("rodsZone", s.srv.cfg.Zone)
	data, err := json.Marshal(map[string]bool{"ssl_enabled": s.secure})
	if err != nil {
		return nil, err
	}
	b.Binary(data)
	b.Close("MiscSvrInfo_PI")
	return &reply{body: b.Bytes()}, nil
}

// libraryFeatures is API 801: what clients may rely on, by date.
func (s *session) libraryFeatures(*request) (*reply, error) {
	return s.jsonText(map[string]int{
		"IRODS_HAS_LIBRARY_ticket_administration": 202208, "IRODS_HAS_API_ENDPOINT_touch": 202101,
		"IRODS_HAS_API_ENDPOINT_replica_truncate": 202404,
	})
}

// clientHints is API 10215: a JSON text that is not in base64.
func (s *session) clientHints(*request) (*reply, error) {
	data, err := json.Marshal(map[string]any{
		"hash_scheme": "SHA256", "match_hash_policy": "compatible", "strict_acls": "on", "plugins": []any{},
		"rules": []any{}, "specific_queries": []any{},
	})
	if err != nil {
		return nil, err
	}
	b := s.build()
	b.Open("BytesBuf_PI")
	b.Int("buflen", int64(len(data)))
	b.Str("buf", string(data))
	b.Close("BytesBuf_PI")
	return &reply{body: b.Bytes()}, nil
}

// tempLife is how long a temporary password can be used.
const tempLife = 2 * time.Minute

// tempPassword is API 709: a string to hash with one's own password; the
// result logs in for a while.
func (s *session) tempPassword(*request) (*reply, error) {
	return s.makeTemp(s.user)
}

// tempPasswordForOther is API 724, for administrators.
func (s *session) tempPasswordForOther(req *request) (*reply, error) {
	if !s.user.Admin() {
		return nil, status.NoAPIPrivilege
	}
	name, zone := catalog.SplitUser(req.in.Str("targetUser"), s.srv.cfg.Zone)
	var other catalog.User
	err := s.srv.cat.View(s.ctx(), func(t *catalog.Tx) (err error) {
		other, err = t.User(name, zone)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.makeTemp(other)
}

func (s *session) makeTemp(u catalog.User) (*reply, error) {
	hashWith := rand.Text()[:16]
	err := s.srv.cat.Update(s.ctx(), func(t *catalog.Tx) error {
		own, _, err := t.Password(s.user.ID, catalog.PasswordOwn, 0)
		if err != nil {
			return err
		}
		var field [100]byte
		copy(field[copy(field[:], hashWith):], own)
		sum := md5.Sum(field[:])
		return t.SetPassword(u.ID, catalog.PasswordTemp, hex.EncodeToString(sum[:]), s.srv.cfg.Clock().Add(tempLife).Unix())
	})
	if err != nil {
		return nil, err
	}
	b := s.build()
	b.Open("getTempPasswordOut_PI")
	b.Str("stringToHashWith", hashWith)
	b.Close("getTempPasswordOut_PI")
	return &reply{body: b.Bytes()}, nil
}
