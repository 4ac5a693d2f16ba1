// Package realzone lets tests run against a real iRODS server: the one that
// OMERODS_TEST_IRODS names. It changes the zone as the sandbox's server can be
// changed, so that the same tests run on both.
package realzone

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
	"github.com/cyverse/go-irodsclient/irods/connection"
	lfs "github.com/cyverse/go-irodsclient/irods/fs"
	"github.com/cyverse/go-irodsclient/irods/message"
	"github.com/cyverse/go-irodsclient/irods/types"

	"omerods/internal/irods"
)

// Variable names the irods_environment.json of an administrator of the zone,
// with their .irodsA beside it. The tests act for the users alice and bob, who
// are made when the zone has not got them, each test in a new collection that
// it removes.
const Variable = "OMERODS_TEST_IRODS"

// Zone is a real zone and its administrator.
type Zone struct {
	cfg irods.Config
}

// Open returns the zone that Variable names, or nil when it is not set.
func Open(t testing.TB) *Zone {
	t.Helper()
	file := os.Getenv(Variable)
	if file == "" {
		return nil
	}
	cfg, err := irods.LoadEnvironment(irods.Environment{File: file})
	if err != nil {
		t.Fatalf("%s: %v", Variable, err)
	}
	z := &Zone{cfg: cfg}
	for _, user := range []string{"alice", "bob"} {
		if err := z.addUser(user); err != nil {
			t.Fatalf("%s: make the user %s: %v", Variable, user, err)
		}
	}
	return z
}

// Name is the zone's.
func (z *Zone) Name() string { return z.cfg.Zone }

// Config lets the administrator act for a user.
func (z *Zone) Config(user string) irods.Config {
	cfg := z.cfg
	cfg.ClientUser, cfg.ClientZone = user, cfg.Zone
	return cfg
}

// client is one that acts for a user, until the call that made it is over.
func (z *Zone) client(user string) (*irods.Client, error) { return irods.New(z.Config(user)) }

// Fresh makes a collection in the home of a user, which is removed at the end
// of the test.
func (z *Zone) Fresh(t testing.TB, user string) string {
	t.Helper()
	c, err := z.client(user)
	if err != nil {
		t.Fatal(err)
	}
	path := "/" + z.cfg.Zone + "/home/" + user + "/omerods-test-" + rand.Text()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Mkdir(ctx, path); err != nil {
		c.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer c.Close()
		if err := remove(c, path); err != nil {
			t.Errorf("remove %s: %v", path, err)
		}
	})
	return path
}

// remove removes a collection and what is in it.
func remove(c *irods.Client, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	entries, err := c.List(ctx, path)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsCollection {
			errs = append(errs, remove(c, e.Path))
			continue
		}
		errs = append(errs, c.Remove(ctx, e.Path, true))
	}
	return errors.Join(append(errs, c.Rmdir(ctx, path))...)
}

// admin runs calls on a connection of the administrator. The library would
// send the password in clear, so this is done on this machine or over TLS.
func (z *Zone) admin(ctx context.Context, run func(*connection.IRODSConnection) error) error {
	c := z.cfg
	if addr := net.ParseIP(c.Host); c.Host != "localhost" && (addr == nil || !addr.IsLoopback()) {
		return errors.New("real servers are prepared from their own machine only: the library sends the password in clear")
	}
	account, err := types.CreateIRODSAccount(c.Host, max(c.Port, 1), c.User, c.Zone, types.AuthSchemeNative, c.Password, "")
	if err != nil {
		return err
	}
	conn, err := connection.NewIRODSConnection(account, &connection.IRODSConnectionConfig{ApplicationName: "omerods-test"})
	if err != nil {
		return err
	}
	if err := conn.Connect(); err != nil {
		return err
	}
	defer func() { _ = conn.Disconnect() }()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return run(conn)
}

// general is an administrator's call that goes on when what it makes is there.
func (z *Zone) general(ctx context.Context, args ...string) error {
	req := message.IRODSMessageAdminAddGroupMemberRequest{}
	for i, field := range []*string{&req.Action, &req.Target, &req.Arg2, &req.Arg3, &req.Arg4, &req.Arg5} {
		if i < len(args) {
			*field = args[i]
		}
	}
	return z.admin(ctx, func(conn *connection.IRODSConnection) error {
		conn.Lock()
		defer conn.Unlock()
		err := conn.RequestAndCheck(&req, &message.IRODSMessageAdminResponse{}, nil, conn.GetOperationTimeout())
		if types.GetIRODSErrorCode(err) == common.CATALOG_ALREADY_HAS_ITEM_BY_THAT_NAME {
			return nil
		}
		return err
	})
}

func (z *Zone) addUser(name string) error {
	c, err := z.client(name)
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Connect(context.Background()) == nil {
		return nil
	}
	return z.general(context.Background(), "add", "user", name, "rodsuser", "", "")
}

// AddGroup makes a group.
func (z *Zone) AddGroup(ctx context.Context, name string) error {
	return z.general(ctx, "add", "group", name)
}

// AddToGroup puts a user into a group.
func (z *Zone) AddToGroup(ctx context.Context, group, user string) error {
	return z.general(ctx, "modify", "group", group, "add", user, z.cfg.Zone)
}

// MakeCollection makes a collection that belongs to owner.
func (z *Zone) MakeCollection(ctx context.Context, path, owner string) error {
	c, err := z.client(owner)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Mkdir(ctx, path); !errors.Is(err, irods.ErrExists) {
		return err
	}
	return nil
}

// SetAccess gives a user or group a level on a path and all below it.
func (z *Zone) SetAccess(ctx context.Context, path, user, level string) error {
	return z.admin(ctx, func(conn *connection.IRODSConnection) error {
		access := types.GetIRODSAccessLevelType(level)
		err := lfs.ChangeAccess(conn, path, access, user, z.cfg.Zone, true, true)
		if types.GetIRODSErrorCode(err) == common.CAT_INVALID_ARGUMENT { // nothing can be below a data object
			err = lfs.ChangeAccess(conn, path, access, user, z.cfg.Zone, false, true)
		}
		return err
	})
}

// AddReplicated makes a resource that keeps copies of every object, each on a
// storage resource of its own beside the default one.
func (z *Zone) AddReplicated(ctx context.Context, name string, copies int) error {
	var vault string
	err := z.admin(ctx, func(conn *connection.IRODSConnection) error {
		all, err := lfs.ListResources(conn)
		for _, r := range all {
			if r.Type == "unixfilesystem" && r.Name != "bundleResc" && vault == "" {
				vault = r.Path
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := z.general(ctx, "add", "resource", name, "replication", "", ""); err != nil {
		return err
	}
	for i := range copies {
		child := fmt.Sprintf("%s%d", name, i)
		if err := z.general(ctx, "add", "resource", child, "unixfilesystem", z.cfg.Host+":"+vault+"-"+child, ""); err != nil {
			return err
		}
		if err := z.general(ctx, "add", "childtoresc", name, child, ""); err != nil && types.GetIRODSErrorCode(err) != childHasParent {
			return err
		}
	}
	return nil
}

// childHasParent is CHILD_HAS_PARENT: the resource is below another already.
const childHasParent = -1812000

// SetInherit turns inheritance of a collection on or off.
func (z *Zone) SetInherit(ctx context.Context, path string, on bool) error {
	return z.admin(ctx, func(conn *connection.IRODSConnection) error {
		return lfs.ChangeAccessInherit(conn, path, on, false, true)
	})
}

// SetQuota limits the bytes that a group's members own, on a resource or, with
// an empty one, in all. 0 removes the limit.
func (z *Zone) SetQuota(ctx context.Context, group, resource string, bytes int64) error {
	if resource == "" {
		resource = "total"
	}
	if err := z.general(ctx, "set-quota", "group", group, resource, strconv.FormatInt(bytes, 10)); err != nil {
		return err
	}
	return z.general(ctx, "calculate-usage")
}

// PutObject makes a data object of owner with what r holds.
func (z *Zone) PutObject(ctx context.Context, path, owner string, r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("put %s: %w", path, err)
	}
	c, err := z.client(owner)
	if err != nil {
		return err
	}
	defer c.Close()
	sum := sha256.Sum256(data)
	if err := c.Put(ctx, path, data, sum[:]); !errors.Is(err, irods.ErrExists) {
		return err
	}
	return nil
}
