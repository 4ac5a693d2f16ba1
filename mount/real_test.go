package mount

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	"omerods/internal/irods/realzone"
	"omerods/internal/sandbox"
)

// zone is what a test changes in iRODS as its administrator.
type zone interface {
	AddGroup(ctx context.Context, name string) error
	AddToGroup(ctx context.Context, group, user string) error
	MakeCollection(ctx context.Context, path, owner string) error
	PutObject(ctx context.Context, path, owner string, r io.Reader) error
	SetAccess(ctx context.Context, path, user, level string) error
	SetQuota(ctx context.Context, user, resource string, bytes int64) error
}

// place is where a test's iRODS server has what belongs to the mount's user.
type place struct {
	zone
	real        *realzone.Zone // nil for the sandbox's server
	user, other string
	home        string // the collection of the user that the test may use
	otherHome   string
}

// anywhere are the tests that run on a real server too.
var anywhere sync.Map

// anyServer says that a test uses the real server that [realzone.Variable]
// names, if it is set. It is called before the test makes its world.
func anyServer(t *testing.T) { anywhere.Store(t.Name(), true) }

// settle chooses the iRODS server of a world.
func (w *world) settle() {
	w.t.Helper()
	users := w.sandbox.Users()
	home := "/" + sandbox.Zone + "/home/"
	w.at = place{zone: w.sandbox.IRODS(), user: users[0].Name, other: users[1].Name, home: home + users[0].Name, otherHome: home + users[1].Name}
	if _, ok := anywhere.Load(w.t.Name()); !ok {
		return
	}
	if real := realzone.Open(w.t); real != nil {
		w.at = place{zone: real, real: real, user: "alice", other: "bob", home: real.Fresh(w.t, "alice"), otherHome: real.Fresh(w.t, "bob")}
	}
}

// direct writes the settings of the world's iRODS server over the sandbox's.
func (w *world) direct(settings sandbox.Settings) {
	w.t.Helper()
	if w.at.real == nil {
		return
	}
	c := w.at.real.Config(w.at.user)
	text, err := json.Marshal(map[string]any{
		"irods_host": c.Host, "irods_port": c.Port, "irods_user_name": c.User, "irods_zone_name": c.Zone, "irods_user_password": c.Password,
		"irods_client_user_name": c.ClientUser, "irods_client_zone_name": c.ClientZone,
	})
	if err == nil {
		err = os.WriteFile(settings.Environment, text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// trash is where what is removed from a collection goes.
func (w *world) trash(coll string) string {
	zone, rest, _ := strings.Cut(strings.TrimPrefix(coll, "/"), "/")
	return path.Join("/", zone, "trash", rest)
}
