package irods

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cyverse/go-irodsclient/irods/common"
	"github.com/cyverse/go-irodsclient/irods/message"
)

// request is one API call: its number, the packed input as XML and the raw
// bytes that follow it.
type request struct {
	api    common.APINumber
	body   string
	stream []byte
	// slow says that the server may work for long before it answers.
	slow bool
	// wantStream is how many raw bytes the answer may carry at most.
	wantStream int
}

func newRequest(api common.APINumber, body string) *request {
	return &request{api: api, body: body}
}

func (r *request) message() (*message.IRODSMessage, error) {
	body := &message.IRODSMessageBody{
		Type:    message.RODS_MESSAGE_API_REQ_TYPE,
		Message: []byte(r.body),
		Bs:      r.stream,
		IntInfo: int32(r.api),
	}
	header, err := body.BuildHeader()
	return &message.IRODSMessage{Header: header, Body: body}, err
}

// packer writes the XML that iRODS reads. It is a dialect: five entities, no
// attributes, no numeric references (the server stops decoding at one), so a
// general encoder is of no use. Tabs and line ends pass as they are.
type packer struct{ strings.Builder }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

func (p *packer) begin(name string) *packer {
	p.WriteString("<" + name + ">")
	return p
}

func (p *packer) end(name string) *packer {
	p.WriteString("</" + name + ">")
	return p
}

func (p *packer) str(name, value string) *packer {
	p.begin(name)
	_, _ = escaper.WriteString(&p.Builder, value)
	return p.end(name)
}

func (p *packer) num(name string, value int64) *packer {
	p.begin(name)
	p.WriteString(strconv.FormatInt(value, 10))
	return p.end(name)
}

// pair is a keyword with its value; flags have an empty one.
type pair struct {
	key   common.KeyWord
	value string
}

// pairs packs keywords: all keys, then all values.
func (p *packer) pairs(kv []pair) *packer {
	p.begin("KeyValPair_PI").num("ssLen", int64(len(kv)))
	for _, e := range kv {
		p.str("keyWord", string(e.key))
	}
	for _, e := range kv {
		p.str("svalue", e.value)
	}
	return p.end("KeyValPair_PI")
}

// object packs a DataObjInp_PI.
type object struct {
	path    string
	flags   int64
	offset  int64
	size    int64
	threads int64
	oper    common.OperationType
	keys    []pair
}

func (o object) pack(p *packer) *packer {
	p.begin("DataObjInp_PI").str("objPath", o.path).num("createMode", 0).num("openFlags", o.flags)
	p.num("offset", o.offset).num("dataSize", o.size).num("numThreads", o.threads).num("oprType", int64(o.oper))
	return p.pairs(o.keys).end("DataObjInp_PI")
}

func (o object) request(api common.APINumber) *request {
	var p packer
	o.pack(&p)
	return newRequest(api, p.String())
}

// opened packs an OpenedDataObjInp_PI.
func opened(api common.APINumber, fd int, length, offset int64, whence int64) *request {
	var p packer
	p.begin("OpenedDataObjInp_PI").num("l1descInx", int64(fd)).num("len", length).num("whence", whence)
	p.num("oprType", 0).num("offset", offset).num("bytesWritten", 0).pairs(nil).end("OpenedDataObjInp_PI")
	return newRequest(api, p.String())
}

// collection packs a CollInpNew_PI.
func collection(api common.APINumber, path string, keys ...pair) *request {
	var p packer
	p.begin("CollInpNew_PI").str("collName", path).num("flags", 0).num("oprType", 0).pairs(keys).end("CollInpNew_PI")
	return newRequest(api, p.String())
}

// jsonRequest packs a value as the JSON calls want it.
func jsonRequest(api common.APINumber, v any) (*request, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var p packer
	p.begin("BinBytesBuf_PI").num("buflen", int64(len(text)))
	p.str("buf", base64.StdEncoding.EncodeToString(text)).end("BinBytesBuf_PI")
	return newRequest(api, p.String()), nil
}

// maxPath is the longest path, and maxName the longest name in it, in bytes:
// iRODS keeps paths in fields of 1,088 bytes and files in its vault under
// their own names.
const (
	maxPath = 1087
	maxName = 255
)

// CheckPath says why a path cannot be sent or stored, nil if it can. The
// protocol is XML 1.0 text, so control characters and invalid UTF-8 would
// arrive as something else.
func CheckPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errorf(ErrInvalid, "%q is not an absolute path", path)
	}
	if len(path) > maxPath {
		return errorf(ErrNameTooLong, "the path is %d bytes long, iRODS can hold %d", len(path), maxPath)
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		if err := CheckName(name); err != nil && path != "/" {
			return err
		}
	}
	return nil
}

// CheckName is CheckPath for one name.
func CheckName(name string) error {
	switch {
	case name == "":
		return errorf(ErrInvalid, "an empty name")
	case name == "." || name == "..":
		return errorf(ErrBadName, "%q is not a name", name)
	case len(name) > maxName:
		return errorf(ErrNameTooLong, "the name is %d bytes long, iRODS can hold %d", len(name), maxName)
	case !utf8.ValidString(name):
		return errorf(ErrBadName, "the name %q is not valid UTF-8", name)
	}
	if i := strings.IndexFunc(name, notXML); i >= 0 {
		return errorf(ErrBadName, "the name %q holds a character that iRODS cannot transport", name)
	}
	return nil
}

// checkText is for values other than names.
func checkText(what, s string) error {
	if !utf8.ValidString(s) || strings.IndexFunc(s, notXML) >= 0 {
		return errorf(ErrInvalid, "%s %q holds a character that iRODS cannot transport", what, s)
	}
	return nil
}

// notXML tells characters that XML 1.0 excludes. Carriage returns are among
// its characters, but readers of XML turn them into line feeds.
func notXML(r rune) bool {
	switch {
	case r == '\t', r == '\n':
		return false
	case r < 0x20, r == 0xFFFE, r == 0xFFFF:
		return true
	}
	return false
}
