package relay

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// scanner finds the requests in what a client sends. It reads headers only.
type scanner struct {
	link   *link
	opaque bool   // the connection cannot be read
	head   []byte // of a message, not yet whole
	skip   int64  // bytes of the message's rest
}

// maxHeader bounds a header; who says more does not speak iRODS.
const maxHeader = 16 << 10

// progress is what a client sends without any header while a collection is
// being removed: SYS_CLI_TO_SVR_COLL_STAT_REPLY.
const progress = 99999997

// look goes on with the next bytes. It returns the verdict on the first
// request in them that shall not simply pass, and where that begins.
func (s *scanner) look(data []byte) (int, Verdict) {
	for at := 0; at < len(data); {
		if s.opaque {
			return s.turn(at)
		}
		if s.skip > 0 {
			n := min(s.skip, int64(len(data)-at))
			s.skip -= n
			at += int(n)
			continue
		}
		begin := at
		kind, api, used, whole := s.header(data[at:])
		at += used
		if !whole {
			continue
		}
		if kind != "RODS_API_REQ" {
			continue
		}
		if v := s.judge(s.link.relay.request(api)); v != Pass {
			return begin, v
		}
	}
	return 0, Pass
}

// turn counts on a connection that cannot be read.
func (s *scanner) turn(at int) (int, Verdict) {
	if !s.link.replied.Swap(false) {
		return at, Pass
	}
	return at, s.judge(s.link.relay.request(0))
}

func (s *scanner) judge(v Verdict) Verdict {
	if v == DropReply {
		s.link.doomed.Store(true)
		return Pass
	}
	return v
}

// header collects a header and returns how many bytes it took of data, and
// whether it is whole.
func (s *scanner) header(data []byte) (kind string, api, used int, whole bool) {
	take := func(want int) bool {
		n := min(want-len(s.head), len(data)-used)
		s.head = append(s.head, data[used:used+n]...)
		used += n
		return len(s.head) == want
	}
	if len(s.head) < 4 && !take(4) {
		return "", 0, used, false
	}
	size := binary.BigEndian.Uint32(s.head)
	switch {
	case size == progress:
		s.head = s.head[:0]
		return "", 0, used, false
	case size == 0 || size > maxHeader:
		s.opaque = true // TLS begins with 0x16
		s.link.replied.Store(true)
		return "", 0, 0, false
	case !take(4 + int(size)):
		return "", 0, used, false
	}
	text := s.head[4:]
	s.skip = number(text, "msgLen") + number(text, "errorLen") + number(text, "bsLen")
	kind, api = string(field(text, "type")), int(number(text, "intInfo"))
	switch kind {
	case "RODS_CONNECT", "RODS_CS_NEG_T", "RODS_API_REQ", "RODS_DISCONNECT":
	default:
		s.opaque = true
	}
	s.head = s.head[:0]
	return kind, api, used, true
}

func field(text []byte, name string) []byte {
	_, rest, _ := bytes.Cut(text, []byte("<"+name+">"))
	value, _, _ := bytes.Cut(rest, []byte("<"))
	return bytes.TrimSpace(value)
}

func number(text []byte, name string) int64 {
	n, _ := strconv.ParseInt(string(field(text, name)), 10, 64)
	return n
}
