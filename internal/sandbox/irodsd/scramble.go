package irodsd

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	"omerods/internal/sandbox/irodsd/catalog"
)

// A new password travels scrambled: padded, marked, and each character moved
// along a ring of characters by a key stream and by the character before it.
// The key comes from the sender's own password and the session's signature.
const (
	ringChars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!\"#$%&'()*+,-./"
	// scrambleMark follows one random character.
	scrambleMark = ".ObfV2"
	// scramblePad begins what is appended to short passwords.
	scramblePad = "1gCBizHWbwIYyWL"
	// keyPeriod is after how many characters the key stream starts again.
	keyPeriod = 61
)

// unscramble returns the password in a request that sets one. Text that is
// not scrambled with a password of the sender is taken as it is.
func (s *session) unscramble(t *catalog.Tx, text string) (string, error) {
	keys, err := t.Passwords(s.proxied.ID, s.srv.cfg.Clock().Unix())
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		if plain, ok := unscramble(text, k, s.signature); ok {
			return plain, nil
		}
	}
	return text, nil
}

func unscramble(text, password, signature string) (string, bool) {
	var field [100]byte
	copy(field[copy(field[:], password):], signature)
	sum := md5.Sum(field[:])
	stream := keyStream(hex.EncodeToString(sum[:]))
	var out strings.Builder
	chain := 0
	for i := range len(text) {
		at := strings.IndexByte(ringChars, text[i])
		if at < 0 {
			out.WriteByte(text[i])
			continue
		}
		n := (at - int(stream[i%keyPeriod]) - chain) % len(ringChars)
		if n < 0 {
			n += len(ringChars)
		}
		out.WriteByte(ringChars[n])
		chain = int(text[i])
	}
	plain := out.String()
	if len(plain) < 1+len(scrambleMark) || plain[1:1+len(scrambleMark)] != scrambleMark {
		return "", false
	}
	plain, _, _ = strings.Cut(plain[1+len(scrambleMark):], scramblePad)
	return plain, true
}

// keyStream stretches a key to 64 bytes of chained MD5 sums.
func keyStream(key string) [64]byte {
	var field [100]byte
	copy(field[:], key)
	var out [64]byte
	first := md5.Sum(field[:])
	copy(out[:], first[:])
	second := md5.Sum(out[:16])
	copy(out[16:], second[:])
	third := md5.Sum(out[:32])
	copy(out[32:], third[:])
	copy(out[48:], third[:])
	return out
}
