package irodsd

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// seeded runs a server where alice has an object, a full and an empty
// collection and bob has an object that she may read.
func seeded(t *testing.T) net.Addr {
	s, addr := startServer(t, nil)
	ctx := context.Background()
	for _, err := range []error{
		s.MakeCollection(ctx, home+"/full", "alice"),
		s.MakeCollection(ctx, home+"/empty", "alice"),
		s.PutObject(ctx, home+"/obj", "alice", strings.NewReader("12345")),
		s.PutObject(ctx, home+"/full/x", "alice", strings.NewReader("x")),
		s.PutObject(ctx, "/tempZone/home/bob/secret", "bob", strings.NewReader("x")),
		s.PutObject(ctx, "/tempZone/home/bob/shown", "bob", strings.NewReader("x")),
		s.SetAccess(ctx, "/tempZone/home/bob/shown", "alice", "read"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// Reading the collection is needed to see what is in it, and shows
	// nothing by itself.
	b := rawLogin(t, addr, "bob", "bob-secret")
	if got := b.call(707, access("read", "alice", "/tempZone/home/bob")).info; got != 0 {
		t.Fatal(got)
	}
	return addr
}

func TestRefusedRequests(t *testing.T) {
	r := rawLogin(t, seeded(t), "alice", alicePassword)
	long := "/tempZone/home/alice/" + strings.Repeat("x", 1100)
	name255 := home + "/" + strings.Repeat("n", 255)
	const bob = "/tempZone/home/bob"
	for _, c := range []struct {
		what string
		api  int
		body string
		want int
	}{
		{"wrong struct", 633, coll(home), -15000},
		{"broken XML", 633, "<DataObjInp_PI><objPath>", -15000},
		{"AVU without keywords", 706, "<ModAVUMetadataInp_PI><arg0>add</arg0></ModAVUMetadataInp_PI>", -15000},
		{"stat of a missing path", 633, dataObj(home+"/none", 0), -310000},
		{"stat of what she may not see", 633, dataObj(bob+"/secret", 0), -310000},
		{"stat of the zone", 633, dataObj("/tempZone", 0), -310000},
		{"stat of a relative path", 633, dataObj("home/alice", 0), -130000},
		{"stat in another zone", 633, dataObj("/otherZone/x", 0), -130000},
		{"a path too long", 633, dataObj(long, 0), -308000},
		{"a name of 255 bytes", 681, coll(name255), 0},
		{"mkdir of what is there", 681, coll(home + "/empty"), -809000},
		{"mkdir -p of what is there", 681, coll(home+"/empty", "recursiveOpr", ""), 0},
		{"mkdir over an object", 681, coll(home + "/obj"), -834000},
		{"mkdir without a parent", 681, coll(home + "/no/no"), -814000},
		{"mkdir with dots", 681, coll(home + "/../alice/x"), -814000},
		{"mkdir with a slash behind", 681, coll(home + "/slash/"), 0},
		{"mkdir at bob's", 681, coll(bob + "/x"), -818000},
		{"rmdir of a full collection", 679, coll(home + "/full"), -821000},
		{"rmdir with force", 679, coll(home+"/full", "forceFlag", ""), -821000},
		{"removal of home", 679, coll(home, "recursiveOpr", "", "forceFlag", ""), -354000},
		{"removal of a missing tree", 679, coll(home+"/none", "recursiveOpr", ""), -310000},
		{"modify without keywords", 680, coll(home), -816000},
		{"end of transaction", 718, "<endTransactionInp_PI><arg0>commit</arg0><arg1></arg1></endTransactionInp_PI>", -13000},
		{"administration", 701, "<generalAdminInp_PI><arg0>add</arg0><arg1>user</arg1><arg2>x</arg2></generalAdminInp_PI>", -13000},
		{"open of a missing object", 602, dataObj(home+"/none", 0), -358000},
		{"open of a collection", 602, dataObj(home+"/empty", 0), -358000},
		{"exclusive create over an object", 602, dataObj(home+"/obj", 1|64|128), -510017},
		{"create over a collection", 602, dataObj(home+"/empty", 1|64), -833000},
		{"create without a parent", 601, dataObj(home+"/no/x", 0), -814000},
		{"create on a missing resource", 601, dataObj(home+"/y", 0, "destRescName", "none"), -78000},
		{"open for writing of what she may read", 602, dataObj(bob+"/shown", 1), -818000},
		{"put over an object", 606, dataObj(home+"/obj", 0, "dataIncluded", ""), -312000},
		{"put over a collection", 606, dataObj(home+"/empty", 0, "dataIncluded", ""), -833000},
		{"get of a missing object", 608, dataObj(home+"/none", 0), -808000},
		{"checksum of a missing object", 629, dataObj(home+"/none", 0), -808000},
		{"first checksum of what she may read", 629, dataObj(bob+"/shown", 0), -818000},
		{"unlink of a missing object", 615, dataObj(home+"/none", 0), -808000},
		{"unlink of bob's object", 615, dataObj(bob+"/shown", 0, "forceFlag", ""), -818000},
		{"rename to itself", 627, renameBody(home+"/obj", home+"/obj", 11), -339000},
		{"rename of a missing object", 627, renameBody(home+"/none", home+"/b", 11), -808000},
		{"rename as the wrong kind", 627, renameBody(home+"/obj", home+"/b", 12), -808000},
		{"rename onto an object", 627, renameBody(home+"/obj", home+"/full/x", 0), -834000},
		{"rename onto a collection", 627, renameBody(home+"/obj", home+"/full", 11), -833000},
		{"forced rename onto a collection", 627, renameBody(home+"/obj", home+"/full", 11, "forceFlag", ""), -833000},
		{"rename into itself", 627, renameBody(home+"/full", home+"/full/sub", 12), -814000},
		{"rename without a parent", 627, renameBody(home+"/obj", home+"/no/x", 11), -814000},
		{"rename of bob's object", 627, renameBody(bob+"/shown", home+"/x", 11), -818000},
		{"rename to bob's home", 627, renameBody(home+"/obj", bob+"/x", 11), -818000},
		{"copy of a missing object", 696, renameBody(home+"/none", home+"/b", 10), -317000},
		{"copy of a collection", 696, renameBody(home+"/full", home+"/b", 10), -317000},
		{"copy onto an object", 696, renameBody(home+"/obj", home+"/full/x", 10), -312000},
		{"close of no descriptor", 673, opened(7, 0, ""), -130000},
		{"read of no descriptor", 675, opened(7, 10, ""), -345000},
		{"read of a negative descriptor", 675, opened(-1, 10, ""), -19000},
		{"AVU on a missing object", 706, avu("add", "-d", home+"/none", "a", "b"), -817000},
		{"AVU on a missing collection", 706, avu("add", "-C", home+"/none", "a", "b"), -814000},
		{"AVU without a value", 706, avu("add", "-d", home+"/obj", "a", ""), -816000},
		{"AVU operation that is gone", 706, avu("rmw", "-d", home+"/obj", "a", "%"), -816000},
		{"removal of an AVU that is not there", 706, avu("rm", "-d", home+"/obj", "a", "b"), -819000},
		{"AVU", 706, avu("add", "-d", home+"/obj", "a", "b"), 0},
		{"AVU twice", 706, avu("add", "-d", home+"/obj", "a", "b"), -809000},
		{"AVU on bob's object", 706, avu("add", "-d", bob+"/shown", "a", "b"), -818000},
		{"access for nobody", 707, access("read", "nobody", home+"/obj"), -827000},
		{"access of an unknown level", 707, access("maybe", "bob", home+"/obj"), -816000},
		{"access to a missing path", 707, access("read", "bob", home+"/none"), -816000},
		{"access to bob's object", 707, access("own", "alice", bob+"/shown"), -818000},
		{"administrator's access", 707, access("admin:own", "alice", bob+"/shown"), -13000},
		{"unknown column", 702, query(10, 0, []int{499}), -823000},
		{"unquoted condition", 702, query(10, 0, []int{501}, "501", "= x"), -816000},
		{"is null", 702, query(10, 0, []int{501}, "501", "is null"), -816000},
		{"unknown zone", 702, strings.Replace(query(10, 0, []int{501}), kvs(), kvs("zone", "other"), 1), -26000},
		{"no rows", 702, query(10, 0, []int{501}, "501", "= '/none'"), -808000},
		{"OR", 702, query(10, 0, []int{501}, "501", "= '"+home+"' OR = '"+home+"'"), -808000},
		{"tables that do not join", 702, query(10, 0, []int{202, 711}, "501", "= '"+home+"'"), -808000},
		{"unknown specific query", 722, "<specificQueryInp_PI><sql>nothing</sql><maxRows>10</maxRows>" + kvs() + "</specificQueryInp_PI>", -853000},
		{"touch without a parent", 20007, jsonBody(`{"logical_path":"` + home + `/no/x","options":{}}`), -836000},
		{"unknown ticket", 723, "<ticketAdminInp_PI><arg1>delete</arg1><arg2>none</arg2>" + kvs() + "</ticketAdminInp_PI>", -890000},
		{"unknown authentication step", 110000, jsonBody(`{"scheme":"native","next_operation":"x"}`), -130000},
		{"unknown authentication scheme", 110000, jsonBody(`{"scheme":"x","next_operation":"auth_agent_auth_request"}`), -1827000},
		{"PAM without TLS", 110000, jsonBody(`{"scheme":"pam_password","user_name":"alice","a_pw":"x","next_operation":"auth_agent_auth_request"}`), -169000},
	} {
		if got := r.call(c.api, c.body); got.info != c.want {
			t.Errorf("%s: got %d, want %d", c.what, got.info, c.want)
		}
	}
	// Nothing of all that changed the object.
	if m := r.call(633, dataObj(home+"/obj", 0)); m.info != 1 || field(m.body, "objSize") != "5" {
		t.Errorf("the object at the end: %+v", m)
	}
}

func TestRefusedLogins(t *testing.T) {
	_, addr := startServer(t, nil)
	for _, c := range []struct {
		proxy, client, password string
		want                    int
	}{
		{"alice", "alice", "wrong", -826000},
		{"alice", "alice", "", -826000},
		{"nobody", "nobody", "x", -827000},
		{"lab", "lab", "", -827000},
		{"alice", "bob", alicePassword, -39000},
		{"rods", "nobody", adminPassword, -832000},
		{"rods", "bob", adminPassword, 0},
	} {
		r := rawDial(t, addr)
		r.startup(c.proxy, c.client, "rods4.3.0")
		if got := r.call(633, dataObj(home, 0)).info; got != -13000 {
			t.Errorf("before login: got %d", got)
		}
		if got := r.login(c.proxy, c.password); got != c.want {
			t.Errorf("%s for %s: got %d, want %d", c.proxy, c.client, got, c.want)
		}
		after := r.call(681, coll("/tempZone/home/bob/made")).info
		if c.want < 0 && after != -13000 || c.want == 0 && after != 0 {
			t.Errorf("%s for %s: mkdir afterwards gives %d", c.proxy, c.client, after)
		}
	}
}

func TestRefusedStarts(t *testing.T) {
	_, addr := startServer(t, nil)
	for what, first := range map[string][]byte{
		"a request first": pack("RODS_API_REQ", 700, "", nil),
		"not iRODS":       []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		r := rawDial(t, addr)
		r.sendRaw(first)
		if m := r.receive(); m.kind != "RODS_VERSION" || field(m.body, "status") != "-4000" {
			t.Errorf("%s: got %+v", what, m)
		}
		if _, err := io.ReadFull(r, make([]byte, 1)); err == nil {
			t.Errorf("%s: still connected", what)
		}
	}
	r := rawDial(t, addr)
	r.sendRaw(pack("RODS_CONNECT", 0, startupPack("a", "a", "rods5.0.2", "HEARTBEAT"), nil))
	if b, err := io.ReadAll(r); err != nil || string(b) != "HEARTBEAT" {
		t.Errorf("heartbeat: %q %v", b, err)
	}
	_ = rawDial(t, addr).Close() // a port probe harms nobody
}

func TestUnknownCallGetsNoReply(t *testing.T) {
	_, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	r.sendRaw(pack("RODS_API_REQ", 699, dataObj(home, 0), []byte("bytes")))
	r.sendRaw(pack("RODS_API_REQ", 633, dataObj(home, 0), nil))
	if m := r.receive(); m.info != 2 {
		t.Errorf("got %+v, want the answer to the second request", m)
	}
	r.sendRaw(pack("RODS_DISCONNECT", 0, "", nil))
	if b, err := io.ReadAll(r); err != nil || len(b) > 0 {
		t.Errorf("after disconnect: %q %v", b, err)
	}
}

func TestQuotesFollowThePeersRelease(t *testing.T) {
	s, addr := startServer(t, nil)
	for _, n := range []string{"a'b", "a`b"} {
		if err := s.PutObject(context.Background(), home+"/"+n, "alice", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	for release, want := range map[string][2]string{
		"rods4.3.0": {"a&apos;b", "a`b"},
		"rods4.2.8": {"a'b", "a&apos;b"},
	} {
		r := rawDial(t, addr)
		r.startup("alice", "alice", release)
		if got := r.login("alice", alicePassword); got != 0 {
			t.Fatal(got)
		}
		body := r.call(702, query(10, 0, []int{403})).body
		for _, w := range want {
			if !strings.Contains(body, "<value>"+w+"</value>") {
				t.Errorf("%s: no %q in %s", release, w, body)
			}
		}
		for _, w := range want {
			if m := r.call(633, dataObj(home+"/"+w, 0)); m.info != 1 {
				t.Errorf("%s: stat of %q gives %d", release, w, m.info)
			}
		}
	}
}

func TestRemovalSpeaksProgress(t *testing.T) {
	s, addr := startServer(t, nil)
	for i := range 25 {
		p := fmt.Sprintf("%s/t/%d", home, i)
		if i == 0 {
			if err := s.MakeCollection(context.Background(), home+"/t", "alice"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.PutObject(context.Background(), p, "alice", strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	m := r.call(679, coll(home+"/t", "recursiveOpr", "", "forceFlag", ""))
	rounds := 0
	for ; m.info == 99999996; rounds++ {
		if field(m.body, "filesCnt") != "10" {
			t.Errorf("progress %q", m.body)
		}
		r.sendRaw([]byte{0x05, 0xf5, 0xe0, 0xfd})
		m = r.receive()
	}
	if rounds != 2 || m.info != 0 {
		t.Errorf("got %d rounds and status %d, want 2 and 0", rounds, m.info)
	}
	if got := r.call(633, dataObj(home+"/t", 0)).info; got != -310000 {
		t.Errorf("stat afterwards: %d", got)
	}
}
