package irodsd

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
)

// What a 5.0.2 server was seen to do, and one would not expect.

func TestInheritedRightsReplaceOwn(t *testing.T) {
	_, addr := startServer(t, nil)
	alice, bob := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "bob", "bob-secret")
	shared := home + "/shared"
	alice.expect(0, "mkdir", 681, coll(shared))
	alice.expect(0, "group may write", 707, access("write", "lab", shared))
	alice.expect(0, "inherit", 707, access("inherit", "", shared))
	fd := bob.open(shared+"/o", 1|64)
	bob.write(fd, "bob's")
	bob.expect(0, "close", 673, opened(fd, 0, ""))
	bob.expect(-818000, "bob renames what he made", 627, renameBody(shared+"/o", shared+"/p", 0))
	bob.expect(-818000, "bob removes it", 615, dataObj(shared+"/o", 0, "forceFlag", ""))
	alice.expect(0, "alice renames it", 627, renameBody(shared+"/o", shared+"/p", 0))
	// What is moved there keeps its rights.
	fd = bob.open("/tempZone/home/bob/q", 1|64)
	bob.expect(0, "close", 673, opened(fd, 0, ""))
	bob.expect(0, "move", 627, renameBody("/tempZone/home/bob/q", shared+"/q", 0))
	alice.expect(-808000, "alice does not see it", 615, dataObj(shared+"/q", 0, "forceFlag", ""))
	bob.expect(0, "bob removes it", 615, dataObj(shared+"/q", 0, "forceFlag", ""))
}

func TestRenameOfWhatIsBeingWritten(t *testing.T) {
	_, addr := startServer(t, nil)
	alice, second := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "alice", alicePassword)
	fd := alice.open(home+"/o", 1|64)
	alice.write(fd, "x")
	second.expect(-406000, "rename by no type", 627, renameBody(home+"/o", home+"/p", 0))
	alice.expect(0, "close", 673, opened(fd, 0, ""))
	second.expect(0, "rename", 627, renameBody(home+"/o", home+"/p", 0))
}

func TestOnlyOneKeywordOfAPutCounts(t *testing.T) {
	_, addr := startServer(t, nil)
	alice := rawLogin(t, addr, "alice", alicePassword)
	sum := sha256.Sum256([]byte("other bytes"))
	wrong := "sha2:" + base64.StdEncoding.EncodeToString(sum[:])
	for i, tt := range []struct {
		want int
		keys []string
	}{
		{0, []string{"regChksum", wrong, "verifyChksum", wrong}},
		{-314000, []string{"verifyChksum", wrong}},
	} {
		body := dataObj(fmt.Sprintf("%s/f%d", home, i), 1, append(tt.keys, "dataIncluded", "")...)
		alice.sendRaw(pack("RODS_API_REQ", 606, body, []byte("bytes")))
		if m := alice.receive(); m.info != tt.want {
			t.Errorf("%q: got %d, want %d", tt.keys, m.info, tt.want)
		}
	}
}

func TestQuotasAreOfGroups(t *testing.T) {
	_, addr := startServer(t, nil)
	alice, rods := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "rods", adminPassword)
	rods.expect(-169000, "user", 701, admin("set-quota", "user", "alice", "total", "5"))
	rods.expect(0, "none for a user", 701, admin("set-quota", "user", "alice", "total", "0"))
	rods.expect(0, "group", 701, admin("set-quota", "group", "lab", "total", "5"))
	alice.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/f", 1, "dataIncluded", ""), []byte("too many bytes")))
	if m := alice.receive(); m.info != -110000 {
		t.Errorf("beyond the quota: got %d", m.info)
	}
}

func TestReplicationResource(t *testing.T) {
	s, addr := startServer(t, nil)
	if err := s.AddReplicated(t.Context(), "two", 2); err != nil {
		t.Fatal(err)
	}
	alice := rawLogin(t, addr, "alice", alicePassword)
	alice.sendRaw(pack("RODS_API_REQ", 606, dataObj(home+"/f", 1, "dataIncluded", "", "destRescName", "two"), []byte("bytes")))
	alice.receive()
	v := values(alice.call(702, query(10, 0, []int{404, 413, 407, 422}, "403", "= 'f'")).body)
	if fmt.Sprint(v) != "[[0 1] [1 1] [5 5] [two;two0 two;two1]]" {
		t.Errorf("replicas: %v", v)
	}
}
