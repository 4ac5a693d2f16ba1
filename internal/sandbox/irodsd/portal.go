package irodsd

import (
	"omerods/internal/sandbox/irodsd/status"
)

type portal struct{}

func (p *portal) close() {}

// portalOffer is what a reply tells about parallel transfer.
type portalOffer struct {
	fd, threads, port, cookie int
	host                      string
}

func (s *session) portalReply(info int32, o portalOffer) *reply {
	b := s.build()
	b.Open("PortalOprOut_PI")
	b.Int("status", 0)
	b.Int("l1descInx", int64(o.fd))
	b.Int("numThreads", int64(o.threads))
	b.Str("chksum", "")
	b.Open("PortList_PI")
	b.Int("portNum", int64(o.port))
	b.Int("cookie", int64(o.cookie))
	b.Int("sock", 0)
	b.Int("windowSize", 0)
	b.Str("hostAddr", o.host)
	b.Close("PortList_PI")
	b.Close("PortalOprOut_PI")
	return &reply{info: info, body: b.Bytes()}
}

func (s *session) portalPut(_ *request, d *descriptor) (*reply, error) {
	s.abandon(d)
	return nil, status.InvalidPortalOpr
}

func (s *session) portalGet(_ *request, d *descriptor, _ int64) (*reply, error) {
	return s.portalReply(int32(d.fd), portalOffer{fd: d.fd}), nil
}

// operationComplete is API 626: the client is done with a portal's descriptor.
func (s *session) operationComplete(req *request) (*reply, error) {
	d, err := s.descriptor(req.in.Int("myInt"))
	if err != nil {
		return nil, err
	}
	return nil, s.close(d)
}
