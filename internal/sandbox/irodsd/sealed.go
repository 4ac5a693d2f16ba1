package irodsd

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Portal data of an encrypted control connection travels in sealed chunks:
// int32 little-endian length of what follows, an initialisation vector of the
// key's size of which the cipher uses the first block, and the bytes under
// AES-CBC with PKCS#7 padding.

const (
	sealChunk    = 4 << 20
	maxSealChunk = 64 << 20
)

var errSealed = errors.New("malformed encrypted portal data")

func writeSealed(w io.Writer, r io.Reader, key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("portal cipher: %w", err)
	}
	plain := make([]byte, sealChunk+aes.BlockSize)
	for {
		n, err := io.ReadFull(r, plain[:sealChunk])
		if n == 0 && err == io.EOF {
			return nil
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return err
		}
		pad := aes.BlockSize - n%aes.BlockSize
		copy(plain[n:], bytes.Repeat([]byte{byte(pad)}, pad))
		out := make([]byte, 4+len(key)+n+pad)
		binary.LittleEndian.PutUint32(out, uint32(len(out)-4))
		iv := out[4 : 4+len(key)]
		_, _ = rand.Read(iv) // never fails
		cipher.NewCBCEncrypter(block, iv[:aes.BlockSize]).CryptBlocks(out[4+len(key):], plain[:n+pad])
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
}

// readSealed writes want plain bytes to w.
func readSealed(w io.Writer, r io.Reader, want int64, key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("portal cipher: %w", err)
	}
	for want > 0 {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return err
		}
		n := int(binary.LittleEndian.Uint32(size[:]))
		if n > maxSealChunk || n < len(key)+aes.BlockSize || (n-len(key))%aes.BlockSize != 0 {
			return errSealed
		}
		buf := make([]byte, n)
		if _, err := io.ReadFull(r, buf); err != nil {
			return err
		}
		data := buf[len(key):]
		cipher.NewCBCDecrypter(block, buf[:aes.BlockSize]).CryptBlocks(data, data)
		pad := int(data[len(data)-1])
		if pad < 1 || pad > aes.BlockSize {
			return errSealed
		}
		data = data[:len(data)-pad]
		if int64(len(data)) > want {
			return errSealed
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		want -= int64(len(data))
	}
	return nil
}
