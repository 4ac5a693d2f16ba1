package irodsd

import (
	"context"
	"fmt"
	"io"
	"net"
	"path"
	"strings"
	"testing"

	"github.com/cyverse/go-irodsclient/irods/common"
	"github.com/cyverse/go-irodsclient/irods/connection"
	lfs "github.com/cyverse/go-irodsclient/irods/fs"
	"github.com/cyverse/go-irodsclient/irods/message"
	"github.com/cyverse/go-irodsclient/irods/types"
)

const (
	alicePassword = "alice-secret"
	adminPassword = "rods-secret"
)

// startServer runs a server with users alice and bob and group lab, and
// returns it with its address.
func startServer(t *testing.T, change func(*Config)) (*Server, *net.TCPAddr) {
	t.Helper()
	cfg := Config{StateDir: t.TempDir(), AdminPassword: adminPassword}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, err := range []error{
		s.AddUser(ctx, "alice", "rodsuser", alicePassword),
		s.AddUser(ctx, "bob", "rodsuser", "bob-secret"),
		s.AddGroup(ctx, "lab"),
		s.AddToGroup(ctx, "lab", "alice"),
		s.AddToGroup(ctx, "lab", "bob"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, serve(t, s)
}

func serve(t *testing.T, s *Server) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr)
}

func account(t *testing.T, addr *net.TCPAddr, user, password string) *types.IRODSAccount {
	t.Helper()
	a, err := types.CreateIRODSAccount("127.0.0.1", addr.Port, user, "tempZone", types.AuthSchemeNative, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func dial(t *testing.T, a *types.IRODSAccount) *connection.IRODSConnection {
	t.Helper()
	c, err := connection.NewIRODSConnection(a, &connection.IRODSConnectionConfig{ApplicationName: "irodsd-test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Disconnect() })
	return c
}

func code(err error) common.ErrorCode {
	c := types.GetIRODSErrorCode(err)
	return c
}

const home = "/tempZone/home/alice"

// write makes an object with the bytes.
func write(t *testing.T, c *connection.IRODSConnection, p, data string, kv map[common.KeyWord]string) {
	t.Helper()
	h, err := lfs.CreateDataObject(c, p, "", "w", true, kv)
	if err != nil {
		t.Fatal(err)
	}
	if err := lfs.WriteDataObject(c, h, []byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := lfs.CloseDataObject(c, h); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, c *connection.IRODSConnection, p string) string {
	t.Helper()
	h, _, err := lfs.OpenDataObject(c, p, "", "r", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lfs.CloseDataObject(c, h); err != nil {
			t.Error(err)
		}
	}()
	var out []byte
	buf := make([]byte, 1<<20)
	for {
		n, err := lfs.ReadDataObject(c, h, buf)
		out = append(out, buf[:n]...)
		if err == io.EOF {
			return string(out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoClientObjects(t *testing.T) {
	_, addr := startServer(t, nil)
	c := dial(t, account(t, addr, "alice", alicePassword))
	dir := home + "/d's & <x>"
	if err := lfs.CreateCollection(c, dir, false); err != nil {
		t.Fatal(err)
	}
	if err := lfs.CreateCollection(c, dir, false); code(err) != common.CATALOG_ALREADY_HAS_ITEM_BY_THAT_NAME {
		t.Errorf("second mkdir: got %v", err)
	}
	p := dir + "/ünïcode \"a\".txt"
	big := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
	write(t, c, p, big, map[common.KeyWord]string{common.REG_CHKSUM_KW: ""})
	if got := read(t, c, p); got != big {
		t.Fatalf("read back %d bytes, want %d", len(got), len(big))
	}
	o, err := lfs.GetDataObject(c, p)
	if err != nil {
		t.Fatal(err)
	}
	if o.Size != int64(len(big)) || len(o.Replicas) != 1 || o.Replicas[0].Status != "1" {
		t.Errorf("stat: %+v", o)
	}
	sum, err := lfs.GetDataObjectChecksum(c, p, "")
	if err != nil || !strings.HasPrefix(sum.IRODSChecksumString, "sha2:") {
		t.Errorf("checksum %v %v", sum, err)
	}

	h, off, err := lfs.OpenDataObject(c, p, "", "r+", nil)
	if err != nil || off != 0 {
		t.Fatal(off, err)
	}
	if n, err := lfs.SeekDataObject(c, h, -6, types.SeekEnd); err != nil || n != int64(len(big)-6) {
		t.Fatal(n, err)
	}
	if err := lfs.WriteDataObject(c, h, []byte("CHANGED")); err != nil {
		t.Fatal(err)
	}
	if err := lfs.CloseDataObject(c, h); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c, p); got != big[:len(big)-6]+"CHANGED" {
		t.Error("overwriting the tail went wrong")
	}
	o, err = lfs.GetDataObject(c, p)
	if err != nil || o.Replicas[0].Checksum != nil && o.Replicas[0].Checksum.IRODSChecksumString != "" {
		t.Errorf("checksum stayed after a change: %+v %v", o.Replicas[0], err)
	}
	if err := lfs.TruncateDataObject(c, p, 3); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c, p); got != "012" {
		t.Errorf("truncated: got %q", got)
	}

	if err := lfs.MoveDataObject(c, p, home+"/moved"); err != nil {
		t.Fatal(err)
	}
	write(t, c, home+"/other", "x", nil)
	if err := lfs.MoveDataObject(c, home+"/moved", home+"/other"); code(err) != common.CAT_NAME_EXISTS_AS_DATAOBJ {
		t.Errorf("rename onto an object: got %v", err)
	}
	r := message.NewIRODSMessageMoveDataObjectRequest(home+"/moved", home+"/other")
	r.Paths[1].KeyVals.Add(string(common.FORCE_FLAG_KW), "")
	force := func() error {
		c.Lock()
		defer c.Unlock()
		return c.RequestAndCheck(r, &message.IRODSMessageMoveDataObjectResponse{}, nil, c.GetOperationTimeout())
	}
	if err := force(); code(err) != common.CAT_NAME_EXISTS_AS_DATAOBJ {
		t.Errorf("forced rename of what is called a data object: got %v", err)
	}
	r.Paths[0].OperationType, r.Paths[1].OperationType = 0, 0
	if err := force(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, c, home+"/other"); got != "012" {
		t.Errorf("after the forced rename: got %q", got)
	}
	seconds := 1600000000
	if err := lfs.Touch(c, home+"/other", "", true, nil, "", &seconds); err != nil {
		t.Fatal(err)
	}
	o, err = lfs.GetDataObject(c, home+"/other")
	if err != nil || o.Replicas[0].ModifyTime.Unix() != int64(seconds) {
		t.Errorf("touch: got %v %v", o.Replicas[0].ModifyTime, err)
	}
	if err := lfs.DeleteDataObject(c, home+"/other", true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := lfs.OpenDataObject(c, home+"/other", "", "r", nil); code(err) != common.OBJ_PATH_DOES_NOT_EXIST {
		t.Errorf("open of a removed object: got %v", err)
	}
}

func TestGoClientRemovesTreeWithProgress(t *testing.T) {
	_, addr := startServer(t, nil)
	c := dial(t, account(t, addr, "alice", alicePassword))
	for _, d := range []string{"/t", "/t/sub"} {
		if err := lfs.CreateCollection(c, home+d, false); err != nil {
			t.Fatal(err)
		}
		for i := range 23 {
			write(t, c, fmt.Sprintf("%s%s/%d", home, d, i), "x", nil)
		}
	}
	if err := lfs.DeleteCollection(c, home+"/t", false, true); !types.IsCollectionNotEmptyError(err) {
		t.Errorf("plain removal: got %v", err)
	}
	if err := lfs.DeleteCollection(c, home+"/t", true, true); err != nil {
		t.Fatal(err)
	}
	if _, err := lfs.GetCollection(c, home+"/t"); !types.IsFileNotFoundError(err) {
		t.Errorf("still there: %v", err)
	}
	// The connection is still in step after the dialogue.
	if _, err := lfs.GetCollection(c, home); err != nil {
		t.Error(err)
	}
}

func TestGoClientLists(t *testing.T) {
	s, addr := startServer(t, nil)
	const count = 1200
	fill(t, s, home, count-1)
	if err := s.PutObject(context.Background(), home+"/last", "alice", strings.NewReader("12345")); err != nil {
		t.Fatal(err)
	}
	c := dial(t, account(t, addr, "alice", alicePassword))
	got, err := lfs.ListDataObjects(c, home)
	if err != nil || len(got) != count {
		t.Fatalf("got %d objects, want %d: %v", len(got), count, err)
	}
	stat, err := lfs.GetCollectionStat(c, home, false)
	if err != nil || stat.DataObjectCount != count || stat.TotalSize != 5 {
		t.Errorf("statistics: %+v %v", stat, err)
	}
}

func TestGoClientMetadataAndAccess(t *testing.T) {
	_, addr := startServer(t, nil)
	alice := dial(t, account(t, addr, "alice", alicePassword))
	bob := dial(t, account(t, addr, "bob", "bob-secret"))
	p := home + "/obj"
	write(t, alice, p, "data", nil)
	for _, v := range []string{"1", "2", "it's <odd> & \"quoted\""} {
		if err := lfs.AddDataObjectMeta(alice, p, &types.IRODSMeta{Name: "k", Value: v, Units: "u"}); err != nil {
			t.Fatal(err)
		}
	}
	err := lfs.AddDataObjectMeta(alice, p, &types.IRODSMeta{Name: "k", Value: "1", Units: "u"})
	if code(err) != common.CATALOG_ALREADY_HAS_ITEM_BY_THAT_NAME {
		t.Errorf("duplicate: got %v", err)
	}
	meta, err := lfs.ListDataObjectMeta(alice, p)
	if err != nil || len(meta) != 3 {
		t.Fatalf("got %d: %v", len(meta), err)
	}
	found, err := lfs.SearchDataObjectsByMeta(alice, "k", "it's <odd> & \"quoted\"")
	if err != nil || len(found) != 1 || found[0].Path != p {
		t.Errorf("search: %v %v", found, err)
	}
	if err := lfs.DeleteDataObjectMeta(alice, p, meta[0]); err != nil {
		t.Error(err)
	}
	if _, err := lfs.GetDataObject(bob, p); !types.IsFileNotFoundError(err) {
		t.Errorf("bob sees alice's object: %v", err)
	}
	if err := lfs.ChangeAccess(alice, p, types.IRODSAccessLevelReadObject, "lab", "tempZone", false, false); err != nil {
		t.Fatal(err)
	}
	if err := lfs.ChangeAccess(alice, home, types.IRODSAccessLevelReadObject, "bob", "tempZone", false, false); err != nil {
		t.Fatal(err)
	}
	if got := read(t, bob, p); got != "data" {
		t.Errorf("bob reads %q", got)
	}
	if _, _, err := lfs.OpenDataObject(bob, p, "", "r+", nil); code(err) != common.CAT_NO_ACCESS_PERMISSION {
		t.Errorf("bob writes: got %v", err)
	}
	if err := lfs.DeleteDataObject(bob, p, true); code(err) != common.CAT_NO_ACCESS_PERMISSION {
		t.Errorf("bob removes: got %v", err)
	}
	acl, err := lfs.ListDataObjectAccesses(alice, p)
	if err != nil || len(acl) != 2 {
		t.Errorf("acl: %v %v", acl, err)
	}
	colls, err := lfs.ListCollectionAccesses(alice, home)
	if err != nil || len(colls) != 2 {
		t.Errorf("collection acl: %v %v", colls, err)
	}
	groups, err := lfs.ListUserGroupNames(alice, "alice", "tempZone")
	if err != nil || len(groups) != 2 {
		t.Errorf("groups: %v %v", groups, err)
	}
}

func TestGoClientLogin(t *testing.T) {
	_, addr := startServer(t, nil)
	a := account(t, addr, "alice", "wrong")
	c, err := connection.NewIRODSConnection(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(); err == nil {
		t.Error("logged in with a wrong password")
	}
	proxied, err := types.CreateIRODSProxyAccount("127.0.0.1", addr.Port, "bob", "tempZone", "rods", "tempZone",
		types.AuthSchemeNative, adminPassword, "")
	if err != nil {
		t.Fatal(err)
	}
	b := dial(t, proxied)
	write(t, b, "/tempZone/home/bob/x", "x", nil)
	o, err := lfs.GetDataObject(b, "/tempZone/home/bob/x")
	if err != nil || o.Replicas[0].Owner != "bob" {
		t.Errorf("owner: %+v %v", o, err)
	}
	if err := lfs.CreateCollection(b, home+"/no", false); code(err) != common.CAT_NO_ACCESS_PERMISSION {
		t.Errorf("a proxied session has the administrator's rights: %v", err)
	}
	refused, err := types.CreateIRODSProxyAccount("127.0.0.1", addr.Port, "bob", "tempZone", "alice", "tempZone",
		types.AuthSchemeNative, alicePassword, "")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := connection.NewIRODSConnection(refused, nil); err != nil {
		t.Fatal(err)
	} else if err := c.Connect(); err == nil {
		t.Error("alice acts for bob")
	}
}

func TestGoClientTrash(t *testing.T) {
	_, addr := startServer(t, nil)
	c := dial(t, account(t, addr, "alice", alicePassword))
	for range 2 {
		if err := lfs.CreateCollection(c, home+"/g/deep", true); err != nil {
			t.Fatal(err)
		}
		write(t, c, home+"/g/deep/x", "x", nil)
		if err := lfs.DeleteDataObject(c, home+"/g/deep/x", false); err != nil {
			t.Fatal(err)
		}
		if err := lfs.DeleteCollection(c, home+"/g", true, false); err != nil {
			t.Fatal(err)
		}
	}
	trash := "/tempZone/trash/home/alice"
	subs, err := lfs.ListSubCollections(c, trash)
	if err != nil || len(subs) < 2 {
		t.Fatalf("trash holds %d collections: %v", len(subs), err)
	}
	for _, d := range subs {
		if err := lfs.DeleteCollection(c, path.Join(trash, d.Name), true, false); err != nil {
			t.Error(err)
		}
	}
	if subs, err = lfs.ListSubCollections(c, trash); err != nil || len(subs) != 0 {
		t.Errorf("trash still holds %v: %v", subs, err)
	}
}
