package irods

import (
	"cmp"
	"context"
	"encoding/base64"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Entry is a collection or data object.
type Entry struct {
	Path         string
	IsCollection bool
	ID           int64
	Owner, Zone  string // of the owner
	Created      time.Time
	Modified     time.Time

	// The rest is about data objects: the values of the best replica.
	Size     int64
	Checksum string // "" if none is registered
	Replicas []Replica
}

// Name returns the last part of the path.
func (e *Entry) Name() string { return path.Base(e.Path) }

// Good tells whether a data object has a replica that can be read.
func (e *Entry) Good() bool {
	return e.IsCollection || slices.ContainsFunc(e.Replicas, func(r Replica) bool { return r.Status == StatusGood })
}

// Status is the state of a replica.
type Status int

// The states of a replica.
const (
	StatusStale        Status = 0
	StatusGood         Status = 1
	StatusIntermediate Status = 2 // being written
	StatusReadLocked   Status = 3
	StatusWriteLocked  Status = 4
)

// Replica is one copy of a data object.
type Replica struct {
	Number    int
	Status    Status
	Size      int64
	Checksum  string
	Resource  string
	Hierarchy string
	Modified  time.Time
}

// SHA256 returns the 32 bytes of a registered checksum of that kind, nil for
// another.
func SHA256(checksum string) []byte {
	text, ok := strings.CutPrefix(checksum, "sha2:")
	if !ok {
		return nil
	}
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != 32 {
		return nil
	}
	return sum
}

// FormatSHA256 is iRODS' notation of a SHA-256 sum.
func FormatSHA256(sum []byte) string {
	return "sha2:" + base64.StdEncoding.EncodeToString(sum)
}

// Stat describes what is at path, in one request for a collection and two for
// a data object.
func (c *Client) Stat(ctx context.Context, path string) (Entry, error) {
	var e Entry
	err := c.withPath(ctx, "stat", path, repeatable, func(cn *conn) error {
		out, err := objStat(ctx, cn, path)
		if err != nil {
			return err
		}
		if e = statEntry(path, out); e.IsCollection {
			return nil
		}
		rows, err := replicaQuery(path, out).run(ctx, cn)
		e = bestOf(e, rows)
		return err
	})
	return e, err
}

// objStat asks what is at path.
func objStat(ctx context.Context, cn *conn, path string) (*element, error) {
	rep, err := cn.exchange(ctx, object{path: path}.request(common.OBJ_STAT_AN), nil)
	if err != nil {
		return nil, err
	}
	if rep.status < 0 {
		return nil, statusError(rep)
	}
	out, err := unpack(rep.body)
	return &out, err
}

func statEntry(path string, out *element) Entry {
	e := Entry{
		Path: path, IsCollection: out.num("objType") == 2, ID: out.num("dataId"),
		Owner: out.get("ownerName"), Zone: out.get("ownerZone"),
		Created: parseTime(out.get("createTime")), Modified: parseTime(out.get("modifyTime")),
	}
	if !e.IsCollection {
		e.Size, e.Checksum = out.num("objSize"), out.get("chksum")
	}
	return e
}

// replicaQuery asks for the replicas of a data object: the answer to objStat
// does not say which one its size is of. bestOf makes its entry from them.
func replicaQuery(path string, out *element) *query {
	return objectQuery(zoneOf(path), condition{common.ICAT_COLUMN_D_DATA_ID, "= '" + out.get("dataId") + "'"})
}

func bestOf(e Entry, rows []row) Entry {
	if found := objects(parentOf(e.Path), rows); len(found) > 0 {
		found[0].Path = e.Path
		return found[0]
	}
	return e
}

// withPath is with for calls whose path has to be possible.
func (c *Client) withPath(ctx context.Context, op, path string, again repeat, f func(*conn) error) error {
	if err := CheckPath(path); err != nil {
		return describe(err, op, path)
	}
	return c.with(ctx, op, path, again, f)
}

func parentOf(p string) string { return path.Dir(p) }

func join(dir, name string) string { return path.Join(dir, name) }

// objectQuery selects one row for each replica.
func objectQuery(zone string, where ...condition) *query {
	return &query{zone: zone, where: where, sel: []column{
		common.ICAT_COLUMN_D_DATA_ID, common.ICAT_COLUMN_DATA_NAME, common.ICAT_COLUMN_COLL_NAME,
		common.ICAT_COLUMN_DATA_REPL_NUM, common.ICAT_COLUMN_DATA_SIZE, common.ICAT_COLUMN_D_REPL_STATUS,
		common.ICAT_COLUMN_D_DATA_CHECKSUM, common.ICAT_COLUMN_D_OWNER_NAME, common.ICAT_COLUMN_D_OWNER_ZONE,
		common.ICAT_COLUMN_D_CREATE_TIME, common.ICAT_COLUMN_D_MODIFY_TIME,
		common.ICAT_COLUMN_D_RESC_NAME, common.ICAT_COLUMN_D_RESC_HIER,
	}}
}

// objects puts the replicas of each data object of a collection together.
func objects(coll string, rows []row) []Entry {
	var entries []Entry
	at := map[string]int{}
	for _, r := range rows {
		if coll != "" && r[2] != coll {
			continue
		}
		i, ok := at[r[0]]
		if !ok {
			i = len(entries)
			at[r[0]] = i
			entries = append(entries, Entry{
				Path: join(r[2], r[1]), ID: parseInt(r[0]), Owner: r[7], Zone: r[8], Created: parseTime(r[9]),
			})
		}
		entries[i].Replicas = append(entries[i].Replicas, Replica{
			Number: int(parseInt(r[3])), Size: parseInt(r[4]), Status: Status(parseInt(r[5])), Checksum: r[6],
			Modified: parseTime(r[10]), Resource: r[11], Hierarchy: r[12],
		})
	}
	for i := range entries {
		e := &entries[i]
		slices.SortFunc(e.Replicas, func(a, b Replica) int { return cmp.Compare(a.Number, b.Number) })
		best := bestReplica(e.Replicas)
		e.Size, e.Checksum, e.Modified = best.Size, best.Checksum, best.Modified
	}
	return entries
}

// bestReplica returns the first good replica, which is the one that times are
// set on: the others of a replication resource keep the time at which they
// were copied. Without a good one it is a locked one, then one being written,
// then any, the one changed last. Good replicas are equal, but a checksum may
// be registered for one of them only.
func bestReplica(replicas []Replica) Replica {
	rank := func(r Replica) int {
		switch r.Status {
		case StatusGood:
			return 3
		case StatusReadLocked, StatusWriteLocked:
			return 2
		case StatusIntermediate:
			return 1
		}
		return 0
	}
	best := replicas[0]
	for _, r := range replicas[1:] {
		switch {
		case rank(r) > rank(best), rank(r) == rank(best) && rank(r) < 3 && r.Modified.After(best.Modified):
			best = r
		case rank(r) == 3 && best.Checksum == "" && r.Size == best.Size:
			best.Checksum = r.Checksum
		}
	}
	return best
}

var collectionColumns = []column{
	common.ICAT_COLUMN_COLL_ID, common.ICAT_COLUMN_COLL_NAME, common.ICAT_COLUMN_COLL_PARENT_NAME,
	common.ICAT_COLUMN_COLL_OWNER_NAME, common.ICAT_COLUMN_COLL_OWNER_ZONE,
	common.ICAT_COLUMN_COLL_CREATE_TIME, common.ICAT_COLUMN_COLL_MODIFY_TIME,
}

// List returns what the user can see in a collection, by name. It costs two
// requests for each four thousand rows, all of them in one round trip, and a
// third when there are none: a collection that is not there is then told from
// one that is empty.
func (c *Client) List(ctx context.Context, coll string) ([]Entry, error) {
	var entries []Entry
	err := c.withPath(ctx, "list", coll, repeatable, func(cn *conn) error {
		all, err := runAll(ctx, cn, listQueries(coll)...)
		if err != nil {
			return err
		}
		if entries = listed(coll, all); len(entries) > 0 {
			return nil
		}
		return checkCollection(ctx, cn, coll)
	})
	return entries, err
}

// listQueries select what is in a collection: collections, then data objects.
func listQueries(coll string) []*query {
	return []*query{
		{sel: collectionColumns, zone: zoneOf(coll), where: []condition{equal(common.ICAT_COLUMN_COLL_PARENT_NAME, coll)}},
		objectQuery(zoneOf(coll), equal(common.ICAT_COLUMN_COLL_NAME, coll)),
	}
}

// listed puts their answers together, by name.
func listed(coll string, answers [][]row) []Entry {
	var entries []Entry
	for _, e := range collections(answers[0]) {
		// The root is its own child in the catalogue.
		if parentOf(e.Path) == coll && e.Path != coll {
			entries = append(entries, e)
		}
	}
	entries = append(entries, objects(coll, answers[1])...)
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	return entries
}

func collections(rows []row) []Entry {
	entries := make([]Entry, 0, len(rows))
	for _, r := range rows {
		entries = append(entries, Entry{
			Path: r[1], IsCollection: true, ID: parseInt(r[0]), Owner: r[3], Zone: r[4],
			Created: parseTime(r[5]), Modified: parseTime(r[6]),
		})
	}
	return entries
}

// checkCollection fails when there is no collection of that path.
func checkCollection(ctx context.Context, cn *conn, coll string) error {
	rep, err := cn.exchange(ctx, object{path: coll}.request(common.OBJ_STAT_AN), nil)
	switch {
	case err != nil:
		return err
	case rep.status < 0:
		return statusError(rep)
	case rep.status == 1:
		return errorf(ErrInvalid, "it is a data object, not a collection")
	}
	return nil
}

// Visible tells whether the user can see anything below a collection that
// itself cannot be seen.
func (c *Client) Visible(ctx context.Context, coll string) (bool, error) {
	found := false
	err := c.withPath(ctx, "look", coll, repeatable, func(cn *conn) error {
		q := &query{
			sel: []column{common.ICAT_COLUMN_COLL_NAME}, zone: zoneOf(coll), limit: 50,
			where: []condition{prefixed(common.ICAT_COLUMN_COLL_NAME, coll+"/")},
		}
		rows, err := q.run(ctx, cn)
		found = slices.ContainsFunc(rows, func(r row) bool { return strings.HasPrefix(r[0], coll+"/") })
		return err
	})
	return found, err
}

// Zones returns the names of the zones that the server knows, its own first.
func (c *Client) Zones(ctx context.Context) ([]string, error) {
	zones := []string{c.cfg.Zone}
	err := c.with(ctx, "list zones", "", repeatable, func(cn *conn) error {
		q := &query{sel: []column{zoneNameColumn}}
		rows, err := q.run(ctx, cn)
		zones = zones[:1]
		for _, r := range rows {
			if !slices.Contains(zones, r[0]) {
				zones = append(zones, r[0])
			}
		}
		slices.Sort(zones[1:])
		return err
	})
	return zones, err
}

// zoneNameColumn is ZONE_NAME, which the library's table does not have.
const zoneNameColumn column = 102

// Find returns the data objects of the user whose names match like, a pattern
// with % for anything, wherever they are in the user's zone.
func (c *Client) Find(ctx context.Context, like string) ([]Entry, error) {
	var entries []Entry
	err := c.with(ctx, "find", like, repeatable, func(cn *conn) error {
		q := objectQuery(c.cfg.Zone, condition{common.ICAT_COLUMN_DATA_NAME, "like '" + like + "'"},
			equal(common.ICAT_COLUMN_D_OWNER_NAME, c.cfg.ClientUser), equal(common.ICAT_COLUMN_D_OWNER_ZONE, c.cfg.ClientZone))
		rows, err := q.run(ctx, cn)
		entries = objects("", rows)
		return err
	})
	return entries, err
}
