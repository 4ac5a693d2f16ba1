package irodsd

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"syscall"

	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// objectRead is API 675: up to len bytes from the descriptor's offset. At the
// end it answers 0 and no byte stream.
func (s *session) objectRead(req *request) (*reply, error) {
	d, err := s.descriptor(req.in.Int("l1descInx"))
	if err != nil {
		return nil, err
	}
	if !d.canRead() {
		return nil, status.FileRead.With(syscall.EBADF)
	}
	st, err := d.file.Stat()
	if err != nil {
		return nil, fileError(status.FileStat, err)
	}
	n := min(req.in.Int("len"), st.Size()-d.offset)
	if n <= 0 {
		return &reply{}, nil
	}
	// Nothing else uses the file's own position, and a plain file can go to
	// the socket without passing through user space.
	if _, err := d.file.Seek(d.offset, io.SeekStart); err != nil {
		return nil, fileError(status.FileSeek, err)
	}
	d.offset += n
	return &reply{info: int32(n), stream: d.file, length: n}, nil
}

// objectWrite is API 676: the whole byte stream at the descriptor's offset.
func (s *session) objectWrite(req *request) (*reply, error) {
	d, err := s.descriptor(req.in.Int("l1descInx"))
	if err != nil {
		return nil, err
	}
	n, err := s.store(d, req.stream)
	return &reply{info: int32(n)}, err
}

// store writes a byte stream into the object if the quota allows all of it.
func (s *session) store(d *descriptor, r *io.LimitedReader) (int64, error) {
	if !d.canWrite() {
		return 0, status.FileWrite.With(syscall.EBADF)
	}
	if d.limit >= 0 && d.offset+r.N > d.limit {
		return 0, status.QuotaExceeded
	}
	if r.N > 0 && s.srv.full.Load() {
		return 0, status.FileWrite.With(syscall.ENOSPC)
	}
	if r.N > 0 {
		s.srv.writers.touched(d.writing)
	}
	n, err := io.CopyBuffer(io.NewOffsetWriter(d.file, d.offset), onlyReader{r}, make([]byte, min(r.N+1, ioBytes)))
	d.offset += n
	if err != nil {
		return n, fileError(status.FileWrite, err)
	}
	return n, nil
}

// objectSeek is API 674. Beyond the end of a descriptor for reading the offset
// is the end; writers may leave holes.
func (s *session) objectSeek(req *request) (*reply, error) {
	d, err := s.descriptor(req.in.Int("l1descInx"))
	if err != nil {
		return nil, err
	}
	st, err := d.file.Stat()
	if err != nil {
		return nil, fileError(status.FileStat, err)
	}
	to := req.in.Int("offset")
	switch req.in.Int("whence") {
	case io.SeekStart:
	case io.SeekCurrent:
		to += d.offset
	case io.SeekEnd:
		to += st.Size()
	default:
		return nil, status.FileSeek.With(syscall.EINVAL)
	}
	if to < 0 {
		return nil, status.FileSeek.With(syscall.EINVAL)
	}
	if !d.canWrite() {
		to = min(to, st.Size())
	}
	d.offset = to
	b := s.build()
	b.Open("fileLseekOut_PI")
	b.Int("offset", to)
	b.Close("fileLseekOut_PI")
	return &reply{body: b.Bytes()}, nil
}

// truncateOld is API 652, the deprecated form.
func (s *session) truncateOld(req *request) (*reply, error) {
	if _, err := s.resize(req); err != nil {
		return nil, err
	}
	return &reply{note: deprecated, code: -3001000}, nil
}

// truncate is API 802. Its answer is JSON text, also when it fails.
func (s *session) truncate(req *request) (*reply, error) {
	d, err := s.resize(req)
	if err != nil {
		return s.strReply(`{"message":"truncate refused","replica_number":0,"resource_hierarchy":""}`), err
	}
	return s.jsonText(map[string]any{
		"message": "", "replica_number": d.replica.Number, "resource_hierarchy": d.replica.Hier,
	})
}

func (s *session) resize(req *request) (*descriptor, error) {
	size := req.in.Int("dataSize")
	if size < 0 {
		return nil, status.InvalidInputParam
	}
	d, err := s.openObject(req, req.in.Str("objPath"), flagReadWrite)
	if errors.Is(err, status.ObjectPathDoesNotExist) {
		return nil, status.NoRowsFound
	}
	if err != nil {
		return nil, err
	}
	if d.limit >= 0 && size > d.limit {
		return nil, errors.Join(status.QuotaExceeded, s.close(d))
	}
	s.srv.writers.touched(d.writing)
	if err := d.file.Truncate(size); err != nil {
		return nil, errors.Join(fileError(status.FileWrite, err), s.close(d))
	}
	return d, s.close(d)
}

// objectPut is API 606. With the data in the request it is one transaction of
// create, write and close; otherwise the client is sent to a portal.
func (s *session) objectPut(req *request) (*reply, error) {
	p, err := s.logical(req.in.Str("objPath"))
	if err != nil {
		return nil, err
	}
	if !req.kv.Has("forceFlag") {
		if err := s.mustBeFree(req, p); err != nil {
			return nil, err
		}
	}
	d, err := s.openObject(req, p, flagReadWrite|flagCreate|flagTruncate)
	if err != nil {
		return nil, err
	}
	if !req.kv.Has("dataIncluded") {
		return s.portalPut(req, d)
	}
	if _, err := s.store(d, req.stream); err != nil {
		s.abandon(d)
		return nil, err
	}
	// A real server heeds only the first of the two keywords.
	if want := req.kv["verifyChksum"]; want != "" && !req.kv.Has("regChksum") {
		got, err := s.srv.vault.sum(d.replica.Path)
		if err != nil {
			s.abandon(d)
			return nil, err
		}
		if got != want {
			s.abandon(d)
			return nil, status.ChecksumMismatch
		}
	}
	return nil, s.close(d)
}

// inlineBytes is the largest object that a get answers in one reply.
const inlineBytes = 32 << 20

// objectGet is API 608.
func (s *session) objectGet(req *request) (*reply, error) {
	d, err := s.openObject(req, req.in.Str("objPath"), 0)
	if errors.Is(err, status.ObjectPathDoesNotExist) {
		return nil, status.NoRowsFound
	}
	if err != nil {
		return nil, err
	}
	st, err := d.file.Stat()
	if err != nil {
		return nil, errors.Join(fileError(status.FileStat, err), s.close(d))
	}
	if st.Size() > inlineBytes {
		return s.portalGet(req, d, st.Size())
	}
	data := make([]byte, st.Size())
	n, err := d.file.ReadAt(data, 0)
	if err != nil && err != io.EOF {
		return nil, errors.Join(fileError(status.FileRead, err), s.close(d))
	}
	rep := s.portalReply(int32(n), portalOffer{})
	rep.stream, rep.length = bytes.NewReader(data[:n]), int64(n)
	return rep, s.close(d)
}

func cloneWith(kv wire.KeyVals, key, value string) wire.KeyVals {
	out := maps.Clone(kv)
	if out == nil {
		out = make(wire.KeyVals)
	}
	out[key] = value
	return out
}
