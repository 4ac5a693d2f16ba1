package ice

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"
)

// Decompress returns the body of a message whose header says that it is
// compressed; the message may have maxBytes when it is not. The body of any
// other message is returned as it is.
func Decompress(h Header, body []byte, maxBytes int) ([]byte, error) {
	if h.Compression != compressed {
		return body, nil
	}
	if len(body) < 4 {
		return nil, &ProtocolError{Text: "compressed message too short"}
	}
	size := int(int32(binary.LittleEndian.Uint32(body)))
	if size < HeaderBytes || size > maxBytes {
		return nil, &ProtocolError{Text: fmt.Sprintf("compressed message of %d bytes, at most %d are accepted", size, maxBytes)}
	}
	// The buffer grows with what really comes, not with what is promised.
	var out bytes.Buffer
	want := int64(size - HeaderBytes)
	n, err := io.Copy(&out, io.LimitReader(bzip2.NewReader(bytes.NewReader(body[4:])), want+1))
	if err != nil {
		return nil, &ProtocolError{Text: fmt.Sprintf("compressed message: %v", err)}
	}
	if n != want {
		return nil, &ProtocolError{Text: fmt.Sprintf("compressed message does not have the %d bytes it says", size)}
	}
	return out.Bytes(), nil
}
