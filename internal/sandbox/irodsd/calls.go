package irodsd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path"
	"strings"

	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// call is one API: the struct its request must be, whether it works before
// login, and what it does.
type call struct {
	in   string
	open bool
	run  func(*session, *request) (*reply, error)
}

// calls are the APIs served, by number (apiNumber.h). Others get no reply.
var calls map[int]call

func init() {
	const (
		object = "DataObjInp_PI"
		opened = "OpenedDataObjInp_PI"
		coll   = "CollInpNew_PI"
		copyOf = "DataObjCopyInp_PI"
		binary = "BinBytesBuf_PI"
	)
	calls = map[int]call{
		601:    {object, false, (*session).objectCreate},
		602:    {object, false, (*session).objectOpen},
		606:    {object, false, (*session).objectPut},
		608:    {object, false, (*session).objectGet},
		615:    {object, false, (*session).objectUnlink},
		626:    {"INT_PI", false, (*session).operationComplete},
		627:    {copyOf, false, (*session).rename},
		629:    {object, false, (*session).checksum},
		632:    {object, false, (*session).trim},
		633:    {object, false, (*session).objStat},
		652:    {object, false, (*session).truncateOld},
		673:    {opened, false, (*session).objectClose},
		674:    {opened, false, (*session).objectSeek},
		675:    {opened, false, (*session).objectRead},
		676:    {opened, false, (*session).objectWrite},
		679:    {coll, false, (*session).collRemove},
		680:    {coll, false, (*session).collModify},
		681:    {coll, false, (*session).collCreate},
		686:    {object, false, (*session).hostFor},
		690:    {"ProcStatInp_PI", false, (*session).processes},
		694:    {object, false, (*session).hostFor},
		695:    {object, false, (*session).replicate},
		696:    {copyOf, false, (*session).copyObject},
		700:    {"", true, (*session).serverInfo},
		701:    {"generalAdminInp_PI", false, (*session).generalAdmin},
		702:    {"GenQueryInp_PI", false, (*session).genQuery},
		703:    {"", true, (*session).authRequest},
		704:    {"authResponseInp_PI", true, (*session).authResponse},
		706:    {"ModAVUMetadataInp_PI", false, (*session).modifyAVU},
		707:    {"modAccessControlInp_PI", false, (*session).modifyAccess},
		709:    {"", false, (*session).tempPassword},
		714:    {"userAdminInp_PI", false, (*session).userAdmin},
		718:    {"endTransactionInp_PI", false, (*session).endTransaction},
		722:    {"specificQueryInp_PI", false, (*session).specificQuery},
		723:    {"ticketAdminInp_PI", false, (*session).ticketAdmin},
		724:    {"getTempPasswordForOtherInp_PI", false, (*session).tempPasswordForOther},
		725:    {"pamAuthRequestInp_PI", true, (*session).pamAuth},
		801:    {"", true, (*session).libraryFeatures},
		802:    {object, false, (*session).truncate},
		1201:   {"authPlugReqInp_PI", true, (*session).authPlugReq},
		10215:  {"", true, (*session).clientHints},
		10220:  {object, false, (*session).resourceInfo},
		10221:  {"Genquery2Input_PI", false, (*session).genQuery2},
		20000:  {binary, false, (*session).descriptorInfo},
		20002:  {binary, false, (*session).atomicAVUs},
		20003:  {object, false, (*session).replicaOpen},
		20004:  {binary, false, (*session).replicaClose},
		20005:  {binary, false, (*session).atomicACL},
		20007:  {binary, false, (*session).touch},
		110000: {binary, true, (*session).authPlugin},
	}
}

// maxPathBytes is the longest path that fits the protocol's field.
const maxPathBytes = 1087

// logical checks a path of a request and returns it without a trailing slash:
// absolute, in this zone, without dot elements.
func (s *session) logical(p string) (string, error) {
	if len(p) > maxPathBytes {
		return "", status.UserPackStruct
	}
	if !strings.HasPrefix(p, "/") {
		return "", status.InvalidInputParam
	}
	clean := path.Clean(p)
	for _, part := range strings.Split(p, "/") {
		if part == "." || part == ".." {
			return "", status.Errorf(status.UnknownCollection, "path '%s' has dot elements", p)
		}
	}
	zone, _, _ := strings.Cut(clean[1:], "/")
	if zone != "" && zone != s.srv.cfg.Zone {
		return "", status.InvalidInputParam
	}
	return clean, nil
}

// decodeJSON reads the JSON inside a BinBytesBuf_PI. White space may stand
// between the base64 characters, NULs behind the text.
func decodeJSON(in *wire.Node, v any) error {
	text := strings.Join(strings.Fields(in.Str("buf")), "")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return status.PackInstruct
	}
	if err := json.Unmarshal(bytes.TrimRight(data, "\x00"), v); err != nil {
		return status.Errorf(status.InvalidInputParam, "input is not the expected JSON")
	}
	return nil
}

// strReply answers with a STR_PI.
func (s *session) strReply(text string) *reply {
	b := s.build()
	b.Open("STR_PI")
	b.Str("myStr", text)
	b.Close("STR_PI")
	return &reply{body: b.Bytes()}
}
