package irodsd

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// raw is a client that sends messages written by hand.
type raw struct {
	t *testing.T
	net.Conn
}

// answer is one message of the server.
type answer struct {
	kind   string
	info   int
	body   string
	errs   string
	stream []byte
}

func rawDial(t *testing.T, addr net.Addr) *raw {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &raw{t, c}
}

func pack(kind string, info int, body string, stream []byte) []byte {
	head := fmt.Sprintf("<MsgHeader_PI><type>%s</type><msgLen>%d</msgLen><errorLen>0</errorLen><bsLen>%d</bsLen><intInfo>%d</intInfo></MsgHeader_PI>",
		kind, len(body), len(stream), info)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	out = append(append(out, head...), body...)
	return append(out, stream...)
}

func (r *raw) sendRaw(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) receive() answer {
	r.t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		r.t.Fatal(err)
	}
	head := r.take(int(binary.BigEndian.Uint32(size[:])))
	var h struct {
		Type string `xml:"type"`
		Msg  int    `xml:"msgLen"`
		Err  int    `xml:"errorLen"`
		Bs   int    `xml:"bsLen"`
		Info int    `xml:"intInfo"`
	}
	if err := xml.Unmarshal(head, &h); err != nil {
		r.t.Fatal(err)
	}
	if !bytes.HasSuffix(head, []byte("</MsgHeader_PI>\n")) {
		r.t.Errorf("header %q does not end in a newline", head)
	}
	return answer{h.Type, h.Info, string(r.take(h.Msg)), string(r.take(h.Err)), r.take(h.Bs)}
}

func (r *raw) take(n int) []byte {
	r.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *raw) call(api int, body string) answer {
	r.t.Helper()
	r.sendRaw(pack("RODS_API_REQ", api, body, nil))
	return r.receive()
}

func (r *raw) startup(proxy, client, release string) answer {
	r.t.Helper()
	r.sendRaw(pack("RODS_CONNECT", 0, startupPack(proxy, client, release, "test"), nil))
	return r.receive()
}

func startupPack(proxy, client, release, option string) string {
	return fmt.Sprintf("<StartupPack_PI><irodsProt>1</irodsProt><connectCnt>0</connectCnt><proxyUser>%s</proxyUser>"+
		"<proxyRcatZone>tempZone</proxyRcatZone><clientUser>%s</clientUser><clientRcatZone>tempZone</clientRcatZone>"+
		"<relVersion>%s</relVersion><apiVersion>d</apiVersion><option>%s</option></StartupPack_PI>", proxy, client, release, option)
}

// login runs the older native flow and returns the status of its end.
func (r *raw) login(user, password string) int {
	r.t.Helper()
	m := r.call(703, "")
	challenge, err := base64.StdEncoding.DecodeString(field(m.body, "challenge"))
	if err != nil || len(challenge) != 64 {
		r.t.Fatalf("challenge %q: %v", m.body, err)
	}
	padded := make([]byte, 50)
	copy(padded, password)
	sum := md5.Sum(append(challenge, padded...))
	for i := range sum {
		if sum[i] == 0 {
			sum[i] = 1
		}
	}
	return r.call(704, "<authResponseInp_PI><response>"+base64.StdEncoding.EncodeToString(sum[:])+"</response><username>"+user+"#tempZone</username></authResponseInp_PI>").info
}

// alice returns a connection that is logged in as her.
func rawLogin(t *testing.T, addr net.Addr, user, password string) *raw {
	t.Helper()
	r := rawDial(t, addr)
	if m := r.startup(user, user, "rods4.3.0"); m.kind != "RODS_VERSION" || field(m.body, "status") != "0" {
		t.Fatalf("startup: %+v", m)
	}
	if got := r.login(user, password); got != 0 {
		t.Fatalf("login: status %d", got)
	}
	return r
}

func field(body, name string) string {
	_, rest, _ := strings.Cut(body, "<"+name+">")
	v, _, _ := strings.Cut(rest, "</"+name+">")
	return v
}

func kvs(pairs ...string) string {
	var k, v string
	for i := 0; i < len(pairs); i += 2 {
		k += "<keyWord>" + pairs[i] + "</keyWord>"
		v += "<svalue>" + pairs[i+1] + "</svalue>"
	}
	return fmt.Sprintf("<KeyValPair_PI><ssLen>%d</ssLen>%s%s</KeyValPair_PI>", len(pairs)/2, k, v)
}

func dataObj(p string, flags int, pairs ...string) string {
	return fmt.Sprintf("<DataObjInp_PI><objPath>%s</objPath><createMode>0</createMode><openFlags>%d</openFlags><offset>0</offset>"+
		"<dataSize>0</dataSize><numThreads>0</numThreads><oprType>0</oprType>%s</DataObjInp_PI>", p, flags, kvs(pairs...))
}

func coll(p string, pairs ...string) string {
	return "<CollInpNew_PI><collName>" + p + "</collName>" + kvs(pairs...) + "</CollInpNew_PI>"
}

func renameBody(from, to string, kind int, pairs ...string) string {
	one := func(p, kv string) string {
		return fmt.Sprintf("<DataObjInp_PI><objPath>%s</objPath><oprType>%d</oprType>%s</DataObjInp_PI>", p, kind, kv)
	}
	return "<DataObjCopyInp_PI>" + one(from, kvs()) + one(to, kvs(pairs...)) + "</DataObjCopyInp_PI>"
}

func opened(fd, length int, extra string) string {
	return fmt.Sprintf("<OpenedDataObjInp_PI><l1descInx>%d</l1descInx><len>%d</len>%s</OpenedDataObjInp_PI>", fd, length, extra)
}

func jsonBody(text string) string {
	return fmt.Sprintf("<BinBytesBuf_PI><buflen>%d</buflen><buf>%s</buf></BinBytesBuf_PI>", len(text), base64.StdEncoding.EncodeToString([]byte(text)))
}

// fromJSON returns the JSON of an answer, which must end in a NUL.
func fromJSON(t *testing.T, body string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(field(body, "buf"))
	if err != nil || len(b) == 0 || b[len(b)-1] != 0 || fmt.Sprint(len(b)) != field(body, "buflen") {
		t.Fatalf("not a JSON answer: %q (%v)", body, err)
	}
	return string(b[:len(b)-1])
}

func avu(args ...string) string {
	var b strings.Builder
	for i, a := range args {
		fmt.Fprintf(&b, "<arg%d>%s</arg%d>", i, a, i)
	}
	return "<ModAVUMetadataInp_PI>" + b.String() + kvs() + "</ModAVUMetadataInp_PI>"
}

func access(level, user, p string) string {
	return "<modAccessControlInp_PI><recursiveFlag>0</recursiveFlag><accessLevel>" + level + "</accessLevel><userName>" + user +
		"</userName><zone>tempZone</zone><path>" + p + "</path></modAccessControlInp_PI>"
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;")

// query builds a general query; where alternates column and condition.
func query(maxRows, index int, cols []int, where ...string) string {
	var c, v, wi, wv string
	for _, n := range cols {
		c += fmt.Sprintf("<inx>%d</inx>", n&0xffff)
		v += fmt.Sprintf("<ivalue>%d</ivalue>", max(n>>16, 1))
	}
	for i := 0; i < len(where); i += 2 {
		wi += "<inx>" + where[i] + "</inx>"
		wv += "<svalue>" + escaper.Replace(where[i+1]) + "</svalue>"
	}
	return fmt.Sprintf("<GenQueryInp_PI><maxRows>%d</maxRows><continueInx>%d</continueInx><partialStartIndex>0</partialStartIndex><options>0</options>%s"+
		"<InxIvalPair_PI><iiLen>%d</iiLen>%s%s</InxIvalPair_PI><InxValPair_PI><isLen>%d</isLen>%s%s</InxValPair_PI></GenQueryInp_PI>",
		maxRows, index, kvs(), len(cols), c, v, len(where)/2, wi, wv)
}

// values returns a query's answer by column.
func values(body string) [][]string {
	var out struct {
		Columns []struct {
			Values []string `xml:"value"`
		} `xml:"SqlResult_PI"`
		Count int `xml:"attriCnt"`
	}
	if xml.Unmarshal([]byte(body), &out) != nil {
		return nil
	}
	var cols [][]string
	for _, c := range out.Columns[:min(out.Count, len(out.Columns))] {
		cols = append(cols, c.Values)
	}
	return cols
}
