package irodsd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	lfs "github.com/cyverse/go-irodsclient/irods/fs"
)

func admin(args ...string) string {
	var b strings.Builder
	for i, a := range args {
		fmt.Fprintf(&b, "<arg%d>%s</arg%d>", i, a, i)
	}
	return "<generalAdminInp_PI>" + b.String() + "</generalAdminInp_PI>"
}

func ticketBody(args ...string) string {
	var b strings.Builder
	for i, a := range args {
		fmt.Fprintf(&b, "<arg%d>%s</arg%d>", i+1, a, i+1)
	}
	return "<ticketAdminInp_PI>" + b.String() + kvs() + "</ticketAdminInp_PI>"
}

// expect makes a call and reports another status than the wanted one.
func (r *raw) expect(want int, what string, api int, body string) answer {
	r.t.Helper()
	m := r.call(api, body)
	if m.info != want {
		r.t.Errorf("%s: got %d, want %d", what, m.info, want)
	}
	return m
}

func TestSharedCollection(t *testing.T) {
	_, addr := startServer(t, nil)
	alice, bob := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "bob", "bob-secret")
	shared := home + "/shared"
	alice.expect(0, "mkdir", 681, coll(shared))
	alice.expect(0, "group may write", 707, access("write", "lab", shared))
	alice.expect(0, "inherit", 707, access("inherit", "", shared))
	alice.expect(0, "see the way", 707, access("read", "bob", home))
	bob.expect(0, "bob's mkdir", 681, coll(shared+"/b"))
	fd := bob.open(shared+"/b/o", 1|64)
	bob.write(fd, "bob's")
	bob.expect(0, "close", 673, opened(fd, 0, ""))
	v := values(alice.call(702, query(10, 0, []int{411, 506}, "501", "= '"+shared+"/b'")).body)
	if len(v) != 2 || v[0][0] != "bob" || v[1][0] != "1" {
		t.Errorf("owner and inheritance: %v", v)
	}
	fd = alice.open(shared+"/b/o", 2)
	if fd < 0 {
		t.Fatalf("alice may not write what inherits her group: %d", fd)
	}
	alice.expect(0, "close", 673, opened(fd, 0, ""))
	// Without inheritance bob's object is his alone, until he shares it.
	alice.expect(0, "noinherit", 707, access("noinherit", "", shared))
	fd = bob.open(shared+"/o", 1|64)
	bob.expect(0, "close", 673, opened(fd, 0, ""))
	alice.expect(-310000, "stat", 633, dataObj(shared+"/o", 0))
	bob.expect(0, "group may write", 707, access("write", "lab", shared+"/o"))
	fd = alice.open(shared+"/o", 2)
	alice.expect(0, "close", 673, opened(fd, 0, ""))
	alice.expect(-818000, "rename of bob's object", 627, renameBody(shared+"/o", shared+"/x", 11))
	alice.expect(-818000, "removal of bob's object", 615, dataObj(shared+"/o", 0, "forceFlag", ""))
	alice.expect(-818000, "access to bob's object", 707, access("own", "alice", shared+"/o"))
	bob.expect(-818000, "removal of alice's collection", 679, coll(shared, "recursiveOpr", "", "forceFlag", ""))
	bob.expect(0, "own access", 707, access("null", "lab", shared+"/o"))
	alice.expect(-310000, "stat after the group lost it", 633, dataObj(shared+"/o", 0))
	m := bob.expect(-827000, "atomic access", 20005, jsonBody(`{"admin_mode":false,"logical_path":"`+shared+`/o","operations":[{"entity_name":"alice","acl":"read"},{"entity_name":"nobody","acl":"read"}]}`))
	if got := fromJSON(t, m.body); !strings.Contains(got, `"operation_index":1`) {
		t.Errorf("which operation: %s", got)
	}
	alice.expect(-310000, "nothing of a failed call stays", 633, dataObj(shared+"/o", 0))
	m = bob.expect(0, "atomic access", 20005, jsonBody(`{"logical_path":"`+shared+`/o","operations":[{"entity_name":"alice","acl":"read"}]}`))
	if got := fromJSON(t, m.body); got != "{}" {
		t.Errorf("answer: %s", got)
	}
	alice.expect(1, "stat with read", 633, dataObj(shared+"/o", 0))
}

func TestAtomicAVUs(t *testing.T) {
	_, addr := startServer(t, nil)
	r := rawLogin(t, addr, "alice", alicePassword)
	r.expect(0, "mkdir", 681, coll(home+"/c"))
	body := func(ops string) string {
		return jsonBody(`{"admin_mode":false,"entity_name":"` + home + `/c","entity_type":"collection","operations":[` + ops + `]}`)
	}
	names := func() string {
		v := values(r.call(702, query(10, 0, []int{610, 611, 612}, "501", "= '"+home+"/c'")).body)
		if len(v) == 0 {
			return ""
		}
		return fmt.Sprint(v)
	}
	r.expect(0, "add", 20002, body(`{"operation":"add","attribute":"a","value":"1","units":"u"},{"operation":"add","attribute":"b","value":"2"}`))
	if got := names(); got != "[[a b] [1 2] [u ]]" {
		t.Errorf("added: %s", got)
	}
	m := r.expect(-816000, "one bad operation", 20002, body(`{"operation":"remove","attribute":"a","value":"1","units":"u"},{"operation":"add","attribute":"c","value":""}`))
	if got := fromJSON(t, m.body); !strings.Contains(got, `"operation_index":1`) {
		t.Errorf("which operation: %s", got)
	}
	if got := names(); got != "[[a b] [1 2] [u ]]" {
		t.Errorf("a failed call changed: %s", got)
	}
	r.expect(0, "set", 706, avu("set", "-C", home+"/c", "a", "9"))
	r.expect(0, "mod", 706, avu("mod", "-C", home+"/c", "b", "2", "n:B", "u:x"))
	if got := names(); got != "[[a B] [9 2] [ x]]" && got != "[[B a] [2 9] [x ]]" {
		t.Errorf("changed: %s", got)
	}
	r.expect(0, "mkdir", 681, coll(home+"/d"))
	r.expect(0, "cp", 706, avu("cp", "-C", "-C", home+"/c", home+"/d"))
	v := values(r.call(702, query(10, 0, []int{501}, "610", "= 'B'", "611", "like '2%'")).body)
	if len(v) != 1 || len(v[0]) != 2 {
		t.Errorf("search: %v", v)
	}
}

func TestTickets(t *testing.T) {
	s, addr := startServer(t, nil)
	if err := errors.Join(
		s.MakeCollection(t.Context(), home+"/c", "alice"),
		s.PutObject(t.Context(), home+"/c/f00000", "alice", strings.NewReader("x")),
		s.PutObject(t.Context(), home+"/c/f00001", "alice", strings.NewReader("y")),
	); err != nil {
		t.Fatal(err)
	}
	alice := rawLogin(t, addr, "alice", alicePassword)
	alice.expect(0, "create", 723, ticketBody("create", "tick", "read", home+"/c", "tick"))
	alice.expect(-809000, "create again", 723, ticketBody("create", "tick", "read", home+"/c", "tick"))
	alice.expect(0, "limit", 723, ticketBody("mod", "tick", "uses", "2"))
	v := values(alice.call(702, query(10, 0, []int{2201, 2202, 2206, 2212, 2228}, "2201", "= 'tick'")).body)
	if fmt.Sprint(v) != "[[tick] [read] [2] [10] ["+home+"/c]]" {
		t.Errorf("query: %v", v)
	}
	guest := rawDial(t, addr)
	if err := s.AddUser(t.Context(), "anonymous", "rodsuser", ""); err != nil {
		t.Fatal(err)
	}
	guest.startup("anonymous", "anonymous", "rods4.3.0")
	if got := guest.login("anonymous", ""); got != 0 {
		t.Fatalf("anonymous: %d", got)
	}
	if got := guest.open(home+"/c/f00000", 0); got != -358000 {
		t.Errorf("without a ticket: %d", got)
	}
	guest.expect(0, "a ticket that does not exist", 723, ticketBody("session", "none"))
	guest.expect(-808000, "get with it", 608, dataObj(home+"/c/f00000", 0))
	guest.expect(0, "the ticket", 723, ticketBody("session", "tick"))
	if v = values(guest.call(702, query(10, 0, []int{403}, "501", "= '"+home+"/c'")).body); len(v) != 1 || len(v[0]) != 2 {
		t.Errorf("list with the ticket: %v", v)
	}
	guest.expect(-818000, "unlink with a ticket", 615, dataObj(home+"/c/f00000", 0, "forceFlag", ""))
	if got := guest.open(home+"/c/f00000", 1); got != -818000 {
		t.Errorf("writing with a ticket for reading: %d", got)
	}
	for i, want := range []int{3, 4, -892000} {
		if got := guest.open(home+"/c/f00000", 0); got != want {
			t.Errorf("use %d: %d, want %d", i, got, want)
		}
	}
	alice.expect(0, "no limit", 723, ticketBody("mod", "tick", "uses", "0"))
	alice.expect(0, "expire", 723, ticketBody("mod", "tick", "expire", "00000000001"))
	if got := guest.open(home+"/c/f00000", 0); got != -891000 {
		t.Errorf("expired: %d", got)
	}
	alice.expect(0, "delete", 723, ticketBody("delete", "tick"))
	alice.expect(-890000, "delete again", 723, ticketBody("delete", "tick"))
}

func TestAdministration(t *testing.T) {
	_, addr := startServer(t, nil)
	rods := rawLogin(t, addr, "rods", adminPassword)
	rods.expect(0, "commit", 718, "<endTransactionInp_PI><arg0>commit</arg0><arg1></arg1></endTransactionInp_PI>")
	rods.expect(0, "user", 701, admin("add", "user", "carol#tempZone", "rodsuser", "tempZone"))
	rods.expect(-809000, "user again", 701, admin("add", "user", "carol", "rodsuser", "tempZone"))
	rods.expect(-169000, "group as a user", 701, admin("add", "user", "g", "rodsgroup"))
	rods.expect(0, "group", 701, admin("add", "group", "g"))
	rods.expect(0, "member", 701, admin("modify", "group", "g", "add", "carol", "tempZone"))
	rods.expect(-827000, "member nobody", 701, admin("modify", "group", "g", "add", "nobody", "tempZone"))
	v := values(rods.call(702, query(10, 0, []int{202}, "901", "= 'g'", "203", "<> 'rodsgroup'")).body)
	if fmt.Sprint(v) != "[[carol]]" {
		t.Errorf("members: %v", v)
	}
	c := dial(t, account(t, addr, "rods", adminPassword))
	if err := lfs.ChangeUserPassword(c, "carol", "tempZone", "carol's n3w!"); err != nil {
		t.Fatal(err)
	}
	carol := dial(t, account(t, addr, "carol", "carol's n3w!"))
	write(t, carol, "/tempZone/home/carol/o", "x", nil)
	rods.expect(-821000, "removal with things at home", 701, admin("rm", "user", "carol", "tempZone"))
	if err := lfs.DeleteDataObject(carol, "/tempZone/home/carol/o", true); err != nil {
		t.Fatal(err)
	}
	rods.expect(0, "removal", 701, admin("rm", "user", "carol", "tempZone"))
	rods.expect(0, "resource", 701, admin("add", "resource", "r2", "unixfilesystem", "localhost:/vault2", ""))
	rods.expect(0, "tree", 701, admin("add", "resource", "root", "passthru", "", ""))
	rods.expect(0, "child", 701, admin("add", "childtoresc", "root", "r2"))
	v = values(rods.call(702, query(10, 0, []int{302, 306, 317}, "302", "in ('r2','root')")).body)
	if fmt.Sprint(v) != "[[r2 root] [localhost EMPTY_RESC_HOST] [root ]]" {
		t.Errorf("resources: %v", v)
	}
	rods.expect(0, "quota", 701, admin("set-quota", "group", "lab", "total", "5"))
	rods.expect(0, "admin access", 707, access("admin:own", "rods", home))
}
