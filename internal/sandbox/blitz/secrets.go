package blitz

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// secrets holds the passwords, salted and hashed, in a file of their own.
type secrets struct {
	path string // empty in memory

	mu   sync.Mutex // guards the field below
	byID map[string]secret
}

type secret struct {
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

// Few rounds keep logins fast in tests; the sandbox guards nothing.
const secretRounds = 1000

func openSecrets(dir, rootPassword string) (*secrets, error) {
	s := &secrets{byID: make(map[string]secret)}
	if dir != "" {
		s.path = filepath.Join(dir, "passwords.json")
		data, err := os.ReadFile(s.path)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("passwords: %w", err)
		default:
			if err := json.Unmarshal(data, &s.byID); err != nil {
				return nil, fmt.Errorf("passwords: %w", err)
			}
		}
	}
	if _, ok := s.byID["0"]; !ok {
		if rootPassword == "" {
			rootPassword = "omero"
		}
		if err := s.set(0, rootPassword); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func derive(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, secretRounds, 32)
}

// set gives a user a password.
func (s *secrets) set(user int64, password string) error {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	hash, err := derive(password, salt)
	if err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[strconv.FormatInt(user, 10)] = secret{salt, hash}
	if s.path == "" {
		return nil
	}
	data, err := json.Marshal(s.byID)
	if err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	if err := os.WriteFile(s.path+".new", data, 0o600); err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	if err := os.Rename(s.path+".new", s.path); err != nil {
		return fmt.Errorf("passwords: %w", err)
	}
	return nil
}

// check reports whether a password is that of a user. Users without one cannot
// log in.
func (s *secrets) check(user int64, password string) bool {
	s.mu.Lock()
	known, ok := s.byID[strconv.FormatInt(user, 10)]
	s.mu.Unlock()
	if !ok {
		return false
	}
	hash, err := derive(password, known.Salt)
	return err == nil && subtle.ConstantTimeCompare(hash, known.Hash) == 1
}
