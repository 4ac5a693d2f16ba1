package transfer

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"hash"
	"io"
	"strconv"

	"omerods/fs/tree"
)

// TarMember is a file in a tar that has passed by.
type TarMember struct {
	Path string
	Off  int64 // of its content in the tar
	Size int64
	SHA1 []byte
}

// TarContent is what a tar holds whose first file is a transfer.xml.
type TarContent struct {
	Members []TarMember // files, hard links as what they lead to
	Whole   bool        // its end mark has come
	Flaw    error       // why the rest could not be looked at
}

// maxScanned bounds how many files of a tar are remembered.
const maxScanned = 1_000_000

// tarScan looks at a tar while its bytes pass by in order, without keeping
// them: it takes blocks where a tar reader would ask for them.
type tarScan struct {
	head []byte // the header that is coming, with the blocks that extend it
	more int64  // bytes of an extension still to come
	left int64  // bytes of the content still to come
	pad  int64  // and of what fills up its last block
	off  int64
	zero int // blocks of zeros in a row

	member  TarMember
	sum     hash.Hash // nil while nothing is read that has content
	content TarContent
	begun   bool // the first file is a transfer.xml
	over    bool // nothing more is looked at
}

const (
	tarBlock     = 512
	maxTarHeader = 1 << 20
)

// write takes the next bytes.
func (t *tarScan) write(p []byte) {
	for len(p) > 0 && !t.over {
		n := t.take(p)
		t.off += int64(n)
		p = p[n:]
	}
}

// take takes some of p.
func (t *tarScan) take(p []byte) int {
	switch {
	case t.left > 0:
		n := int(min(t.left, int64(len(p))))
		t.sum.Write(p[:n])
		if t.left -= int64(n); t.left == 0 {
			t.store()
		}
		return n
	case t.pad > 0:
		n := min(t.pad, int64(len(p)))
		t.pad -= n
		return int(n)
	case t.more > 0:
		n := min(t.more, int64(len(p)))
		t.more -= n
		t.head = append(t.head, p[:n]...)
		return int(n)
	}
	n := min(tarBlock-len(t.head)%tarBlock, len(p))
	t.head = append(t.head, p[:n]...)
	if len(t.head)%tarBlock == 0 {
		t.block(t.head[len(t.head)-tarBlock:])
	}
	return n
}

var noBytes [tarBlock]byte

// block looks at a block of a header that has come.
func (t *tarScan) block(b []byte) {
	if len(t.head) == tarBlock && bytes.Equal(b, noBytes[:]) {
		t.head = t.head[:0]
		if t.zero++; t.zero == 2 {
			t.content.Whole, t.over = true, true
		}
		return
	}
	t.zero = 0
	if len(t.head) == tarBlock && !t.begun && string(b[257:262]) != "ustar" {
		t.over = true
		return
	}
	switch b[156] {
	case tar.TypeXHeader, 'L', 'K': // GNU's long names
		size, ok := tarNumber(b[124:136])
		if !ok || size > maxTarHeader || len(t.head) > maxTarHeader {
			t.fail(tree.Errorf(tree.ErrInvalid, "a header of the tar is too long"))
			return
		}
		t.more = (size + tarBlock - 1) / tarBlock * tarBlock
		return
	}
	h, err := tar.NewReader(bytes.NewReader(t.head)).Next()
	t.head = t.head[:0]
	if err != nil {
		t.fail(tarError(err))
		return
	}
	t.next(h)
}

func (t *tarScan) next(h *tar.Header) {
	m, skip, err := tarMember(h)
	switch {
	case err != nil:
		t.fail(err)
	case m.kind == folderMember, skip:
		t.pad = tarPadded(h.Size)
	case !t.begun && (m.path != transferXML || m.kind != fileMember):
		t.over = true // no pack, or one that nobody can recognise in passing
	case len(t.content.Members) == maxScanned:
		t.fail(tree.Errorf(tree.ErrInvalid, "the tar has more than %d files", maxScanned))
	case m.kind == linkMember:
		for _, to := range t.content.Members {
			if to.Path == m.link {
				to.Path = m.path
				t.content.Members = append(t.content.Members, to)
				return
			}
		}
		t.fail(tree.Errorf(tree.ErrInvalid, "%s is a link to %s, which is no file of the tar before it", quote(m.path), quote(m.link)))
	default:
		t.begun = true
		t.member = TarMember{Path: m.path, Off: t.contentOff(), Size: m.size}
		t.sum = sha1.New()
		t.left, t.pad = m.size, tarPadded(m.size)-m.size
		if m.size == 0 {
			t.store()
		}
	}
}

// contentOff is where the content of a header begins whose last byte is being
// taken: at the end of its block.
func (t *tarScan) contentOff() int64 { return t.off/tarBlock*tarBlock + tarBlock }

func (t *tarScan) store() {
	t.member.SHA1 = t.sum.Sum(nil)
	t.sum = nil
	t.content.Members = append(t.content.Members, t.member)
}

func (t *tarScan) fail(err error) { t.content.Flaw, t.over = err, true }

func tarPadded(n int64) int64 { return (n + tarBlock - 1) / tarBlock * tarBlock }

// tarNumber reads an octal number of a header.
func tarNumber(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.Trim(b, " \x00")), 8, 64)
	return n, err == nil && n >= 0
}

// tarSection reads a member of a tar.
type tarSection struct {
	tree.Handle
	off, size int64
}

// ReadAt implements tree.Handle.
func (s tarSection) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off >= s.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.size-off)]
	n, err := s.Handle.ReadAt(ctx, p, s.off+off)
	if n == 0 && (err == nil || errors.Is(err, io.EOF)) && len(p) > 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
