package irodsd

import (
	"context"
	"errors"
	"strings"
	"testing"

	lfs "github.com/cyverse/go-irodsclient/irods/fs"
)

func TestServerStateSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Config{StateDir: dir, AdminPassword: adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := errors.Join(
		s.AddUser(ctx, "alice", "rodsuser", alicePassword),
		s.PutObject(ctx, home+"/kept", "alice", strings.NewReader("kept")),
		s.AddAVU(ctx, home+"/kept", "a", "b", ""),
		s.Close(),
	); err != nil {
		t.Fatal(err)
	}
	s, err = New(Config{StateDir: dir, AdminPassword: "another"})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, account(t, serve(t, s), "alice", alicePassword))
	if got := read(t, c, home+"/kept"); got != "kept" {
		t.Errorf("got %q", got)
	}
	if meta, err := lfs.ListDataObjectMeta(c, home+"/kept"); err != nil || len(meta) != 1 {
		t.Errorf("AVUs: %v %v", meta, err)
	}
}
