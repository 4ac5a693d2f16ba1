package irodsd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// The calls below change the zone directly, as its administrator, for seeding
// and for tests. What exists already is no error.

// AddUser makes a user of type rodsuser, rodsadmin or groupadmin, with home,
// and sets the password.
func (s *Server) AddUser(ctx context.Context, name, kind, password string) error {
	return s.admin(ctx, "add user "+name, func(t *catalog.Tx, _ catalog.Actor) error {
		_, err := t.AddUser(name, s.cfg.Zone, kind)
		if err := ignore(err, status.AlreadyExists); err != nil {
			return err
		}
		u, err := t.User(name, s.cfg.Zone)
		if err != nil {
			return err
		}
		return t.SetPassword(u.ID, catalog.PasswordOwn, password, 0)
	})
}

// AddGroup makes a group.
func (s *Server) AddGroup(ctx context.Context, name string) error {
	return s.admin(ctx, "add group "+name, func(t *catalog.Tx, _ catalog.Actor) error {
		_, err := t.AddUser(name, s.cfg.Zone, catalog.TypeGroup)
		return ignore(err, status.AlreadyExists)
	})
}

// AddToGroup puts a user into a group.
func (s *Server) AddToGroup(ctx context.Context, group, user string) error {
	return s.admin(ctx, "add to group "+group, func(t *catalog.Tx, _ catalog.Actor) error {
		return t.AddMember(group, user, s.cfg.Zone)
	})
}

// MakeCollection makes a collection, and those missing above it, that belong
// to owner.
func (s *Server) MakeCollection(ctx context.Context, path, owner string) error {
	return s.admin(ctx, "make "+path, func(t *catalog.Tx, a catalog.Actor) error {
		u, err := t.User(owner, s.cfg.Zone)
		if err != nil {
			return err
		}
		a.User = u
		return t.MakeColls(a, path)
	})
}

// SetAccess gives a user or group a level such as "read", "write", "own" or
// "null" on a path and all below it.
func (s *Server) SetAccess(ctx context.Context, path, user, level string) error {
	return s.admin(ctx, "set access on "+path, func(t *catalog.Tx, a catalog.Actor) error {
		n, ok := catalog.Level(level)
		if !ok {
			return status.InvalidArgument
		}
		return t.SetAccess(a, path, user, s.cfg.Zone, n, true)
	})
}

// SetInherit turns inheritance of a collection on or off.
func (s *Server) SetInherit(ctx context.Context, path string, on bool) error {
	return s.admin(ctx, "set inheritance of "+path, func(t *catalog.Tx, a catalog.Actor) error {
		return t.SetInherit(a, path, on, false)
	})
}

// SetQuota limits the bytes that a user owns, on a resource or, with an empty
// one, in all. 0 removes the limit.
func (s *Server) SetQuota(ctx context.Context, user, resource string, bytes int64) error {
	return s.admin(ctx, "set quota of "+user, func(t *catalog.Tx, _ catalog.Actor) error {
		u, err := t.User(user, s.cfg.Zone)
		if err != nil {
			return err
		}
		return t.SetQuota(u, resource, bytes)
	})
}

// AddResource makes another storage resource.
func (s *Server) AddResource(ctx context.Context, name string) error {
	return s.admin(ctx, "add resource "+name, func(t *catalog.Tx, _ catalog.Actor) error {
		_, err := t.AddResource(name, "unixfilesystem", s.cfg.Host, s.vault.root+"/"+name, "")
		return ignore(err, status.AlreadyExists)
	})
}

// SetFreeSpace states the free bytes of a resource, as administrators' cron
// jobs do.
func (s *Server) SetFreeSpace(ctx context.Context, resource string, bytes int64) error {
	return s.admin(ctx, "set free space of "+resource, func(t *catalog.Tx, _ catalog.Actor) error {
		return t.SetFreeSpace(resource, strconv.FormatInt(bytes, 10))
	})
}

// AddReplicated makes a resource that keeps copies of every object, each on a
// storage resource of its own.
func (s *Server) AddReplicated(ctx context.Context, name string, copies int) error {
	return s.admin(ctx, "add resource "+name, func(t *catalog.Tx, _ catalog.Actor) error {
		if _, err := t.Resource(name); err == nil {
			return nil
		}
		if _, err := t.AddResource(name, "replication", "EMPTY_RESC_HOST", "EMPTY_RESC_PATH", ""); err != nil {
			return err
		}
		for i := range copies {
			child := fmt.Sprintf("%s%d", name, i)
			if _, err := t.AddResource(child, "unixfilesystem", s.cfg.Host, s.vault.root+"/"+child, ""); err != nil {
				return err
			}
			if err := t.SetParent(child, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddAVU attaches an attribute to a collection or data object.
func (s *Server) AddAVU(ctx context.Context, path, name, value, unit string) error {
	return s.admin(ctx, "add attribute to "+path, func(t *catalog.Tx, a catalog.Actor) error {
		kind := catalog.KindCollection
		if _, err := t.Coll(path); err != nil {
			kind = catalog.KindObject
		}
		id, err := t.AVUItem(a, kind, path, catalog.LevelOwn)
		if err != nil {
			return err
		}
		return ignore(t.AddAVU(id, catalog.AVU{Name: name, Value: value, Unit: unit}), status.AlreadyExists)
	})
}

// PutObject makes a data object of owner with what r holds. An existing one is
// left as it is.
func (s *Server) PutObject(ctx context.Context, path, owner string, r io.Reader) error {
	var made catalog.Replica
	err := s.admin(ctx, "put "+path, func(t *catalog.Tx, a catalog.Actor) error {
		u, err := t.User(owner, s.cfg.Zone)
		if err != nil {
			return err
		}
		a.User = u
		resc, err := t.Resource(s.cfg.Resource)
		if err != nil {
			return err
		}
		made, err = t.CreateObject(a, path, "", resc, catalog.Intermediate, func(id int64) string {
			return s.vault.path(resc.Name, id, 0)
		})
		return err
	})
	if errors.Is(err, status.AlreadyExists) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := s.vault.open(made.Path, os.O_WRONLY, true)
	if err != nil {
		return fmt.Errorf("irods sandbox: put %s: %w", path, err)
	}
	n, err := io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("irods sandbox: put %s: %w", path, err)
	}
	made.Size, made.State = n, catalog.Good
	return s.admin(ctx, "put "+path, func(t *catalog.Tx, _ catalog.Actor) error { return t.SaveReplica(made) })
}

// Repair makes replicas stale that a killed server left in the intermediate
// state, as an administrator would, and returns how many. No client may be
// writing.
func (s *Server) Repair(ctx context.Context) (int, error) {
	n := 0
	err := s.admin(ctx, "repair", func(t *catalog.Tx, _ catalog.Actor) error {
		reps, err := t.Interrupted()
		if err != nil {
			return err
		}
		for _, r := range reps {
			if r.Size, err = s.vault.size(r.Path); err != nil {
				return err
			}
			r.State, r.Checksum = catalog.Stale, ""
			if err := t.SaveReplica(r); err != nil {
				return err
			}
			if err := t.SetSiblings(r, catalog.Stale); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

func (s *Server) admin(ctx context.Context, what string, fn func(*catalog.Tx, catalog.Actor) error) error {
	err := s.cat.Update(ctx, func(t *catalog.Tx) error {
		u, err := t.User(s.cfg.AdminUser, s.cfg.Zone)
		if err != nil {
			return err
		}
		return fn(t, catalog.Actor{User: u, Force: true})
	})
	if err != nil {
		return fmt.Errorf("irods sandbox: %s: %w", what, err)
	}
	return nil
}
