package irods

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The file .irodsA holds a password that is hidden from a passing eye, not
// encrypted: "." and five characters of check values, a letter that chooses
// one of sixteen keys, the characters of the password, NUL. Each character of
// a ring is moved along it by three bits of the key and by the user's id; the
// position counts bytes. (obfiEncode and obfiDecode in lib/core/src/obf.cpp.)
const ring = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!\"#$%&'()*+,-./"

var scrambleKeys = [16]uint32{
	0xd768b678, 0xedfdaf56, 0x2420231b, 0x987098d8, 0xc1bdfeee, 0xf572341f, 0x478def3a, 0xa830d343,
	0x774dfa2a, 0x6720731e, 0x346fa320, 0x6ffdf43a, 0x7723a320, 0xdf67d02e, 0x86ad240a, 0xe76d342e,
}

const (
	scrambleHead = 5 // check values before the key's letter
	// temporaryFlag ends a password that iCommands would remove at logout.
	temporaryFlag = "%TEMPORARY_PW%"
	// icommandsPassword is the longest password that iCommands read from the
	// file.
	icommandsPassword = 42
)

// shift moves the bytes of text along the ring; the first of them is the nth
// of the file's scrambled bytes.
func shift(text []byte, key, uid, nth, direction int) []byte {
	out := make([]byte, len(text))
	for i, b := range text {
		at := strings.IndexByte(ring, b)
		if at < 0 {
			out[i] = b
			continue
		}
		// The key is used from bit 0, 3 … 27 and then anew.
		by := int(scrambleKeys[key]>>(uint(nth+i)%10*3))&0x1f + uid&0xf5f
		n := (at + direction*by) % len(ring)
		if n < 0 {
			n += len(ring)
		}
		out[i] = ring[n]
	}
	return out
}

// scramble hides a password for a file with that modification time: iCommands
// refuse a file whose time differs by 20 s or more from the one inside.
func scramble(password string, uid int, at time.Time) []byte {
	const key = 0
	sec := at.Unix()
	nibble := func(bits uint) byte { return 'a' + byte(sec>>bits)&0xf }
	plain := append([]byte{'S' - key&7*2, nibble(4), nibble(0), nibble(12), nibble(8)}, password...)
	moved := shift(plain, key, uid, 0, 1)
	out := append([]byte{'.'}, moved[:scrambleHead]...)
	out = append(out, 'e'+key)
	return append(append(out, moved[scrambleHead:]...), 0)
}

var (
	errNotScrambled = errors.New("is not a file that iinit or omerods init wrote")
	errForeignUID   = errors.New("was written by another user of this machine, whose number is the key to it")
)

// unscramble is the reverse. The time inside is not checked: it only says
// that the file was copied.
func unscramble(text []byte, uid int) (string, error) {
	if i := strings.IndexByte(string(text), 0); i >= 0 {
		text = text[:i]
	}
	text = []byte(strings.TrimRight(string(text), "\r\n"))
	if len(text) <= 1+scrambleHead+1 || text[0] != '.' {
		return "", errNotScrambled
	}
	key := int(text[1+scrambleHead]) - 'e'
	if key < 0 || key >= len(scrambleKeys) {
		return "", errNotScrambled
	}
	head := shift(text[1:1+scrambleHead], key, uid, 0, -1)
	if head[0] != byte('S'-key&7*2) {
		return "", errForeignUID
	}
	plain, _, _ := strings.Cut(string(shift(text[2+scrambleHead:], key, uid, scrambleHead, -1)), temporaryFlag)
	return plain, nil
}

// readSecret reads a scrambled password; "" when there is no such file.
func readSecret(file string, uid int) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", errorf(ErrInvalid, "iRODS password: %w", err)
	}
	secret, err := unscramble(text, uid)
	if err != nil {
		return "", errorf(ErrInvalid, "iRODS password: %s %w; omerods init writes it anew", file, err)
	}
	return secret, nil
}

// WriteSecret stores a password, or the token of a PAM login, where
// LoadEnvironment, iCommands and python-irodsclient find it. The file is the
// user's alone and is replaced in one step. Hidden is not encrypted: whoever
// can read the file has the password.
func WriteSecret(file, secret string, uid int) error {
	at := time.Now().Truncate(time.Second)
	return replaceFile(file, scramble(secret, uid, at), 0o600, at)
}

// replaceFile writes a file completely or not at all. Its folder is made when
// it is missing. A file that is a link is replaced where it leads.
func replaceFile(file string, text []byte, mode fs.FileMode, at time.Time) (err error) {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+".") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err == nil && !at.IsZero() {
		err = os.Chtimes(f.Name(), at, at)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(f.Name(), file)
}
