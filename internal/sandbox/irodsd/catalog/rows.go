package catalog

import (
	"context"
	"database/sql"
	"path"
	"slices"

	"omerods/internal/sandbox/irodsd/genquery"
	"omerods/internal/sandbox/irodsd/status"
)

// Rows runs a translated query from an offset and returns at most limit rows.
func (t *Tx) Rows(q genquery.Query, limit, offset int) ([][]string, error) {
	return t.text(q.SQL+" LIMIT ? OFFSET ?", append(slices.Clip(q.Args), limit, offset)...)
}

// Count returns how many rows a translated query has in all.
func (t *Tx) Count(q genquery.Query) (int, error) {
	var n int
	err := t.row(status.CatalogSQL, []any{&n}, "SELECT COUNT(*) FROM ("+q.SQL+")", q.Args...)
	return n, err
}

// text reads all rows as text; NULL reads as empty.
func (t *Tx) text(query string, args ...any) ([][]string, error) {
	s, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	if err != nil {
		return nil, status.Errorf(status.CatalogSQL, "%v", err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]string
	cells := make([]sql.NullString, len(cols))
	dest := make([]any, len(cols))
	for i := range cells {
		dest[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row := make([]string, len(cols))
		for i, c := range cells {
			row[i] = c.String
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// specific are the specific queries by alias.
var specific = map[string]string{
	"ShowCollAcls": `SELECT u.name, u.zone, k.name, u.type FROM access a JOIN users u ON u.id = a.user_id
		JOIN tokens k ON k.id = a.level JOIN collections c ON c.id = a.object_id WHERE c.name = ?`,
}

// Specific runs a specific query by alias; an unknown one is
// UnknownSpecificQuery.
func (t *Tx) Specific(alias string, args []string, limit, offset int) ([][]string, error) {
	text, ok := specific[alias]
	if !ok {
		return nil, status.UnknownSpecificQuery
	}
	want := 0
	for _, c := range text {
		if c == '?' {
			want++
		}
	}
	if len(args) < want {
		return nil, status.InvalidArgument
	}
	bound := make([]any, 0, want+2)
	for _, a := range args[:want] {
		bound = append(bound, a)
	}
	return t.text("SELECT * FROM ("+text+") LIMIT ? OFFSET ?", append(bound, limit, offset)...)
}

// Seed is what a new zone starts with.
type Seed struct {
	AdminUser     string
	AdminPassword string
	Resource      string
	Host          string
	Vault         string
}

// Bootstrap makes the zone, its top collections, the administrator, the public
// group and the resource, if the catalogue is new.
func (c *Catalog) Bootstrap(ctx context.Context, s Seed) error {
	return c.Update(ctx, func(t *Tx) error {
		done, err := t.exists(`SELECT 1 FROM sequence`)
		if err != nil || done {
			return err
		}
		return t.bootstrap(s)
	})
}

func (t *Tx) bootstrap(s Seed) error {
	if _, err := t.exec(`INSERT INTO sequence (next) VALUES (10001)`); err != nil {
		return err
	}
	for name, id := range levels {
		if _, err := t.exec(`INSERT INTO tokens (namespace, id, name) VALUES ('access_type', ?, ?)`, id, name); err != nil {
			return err
		}
	}
	now := t.now()
	zone, err := t.nextID()
	if err != nil {
		return err
	}
	if _, err := t.exec(`INSERT INTO zones (id, name, ctime, mtime) VALUES (?, ?, ?, ?)`, zone, t.cat.zone, now, now); err != nil {
		return err
	}
	// The administrator owns the top collections, so it comes before them,
	// without the homes that AddUser would make.
	id, err := t.nextID()
	if err != nil {
		return err
	}
	admin := User{ID: id, Name: s.AdminUser, Zone: t.cat.zone, Type: TypeAdmin}
	if _, err := t.exec(`INSERT INTO users (id, name, zone, type, ctime, mtime) VALUES (?, ?, ?, ?, ?, ?)`,
		id, admin.Name, admin.Zone, admin.Type, now, now); err != nil {
		return err
	}
	top := "/" + t.cat.zone
	for _, p := range []string{"/", top, top + "/home", top + "/trash", top + "/trash/home"} {
		if _, err := t.insertColl(p, admin); err != nil {
			return err
		}
	}
	public, err := t.AddUser(PublicGroup, t.cat.zone, TypeGroup)
	if err != nil {
		return err
	}
	for _, group := range []int64{id, public.ID} {
		if err := t.addMember(group, id); err != nil {
			return err
		}
	}
	for _, p := range []string{path.Join(top, "home", admin.Name), path.Join(top, "trash/home", admin.Name)} {
		if _, err := t.insertColl(p, admin); err != nil {
			return err
		}
	}
	if err := t.SetPassword(id, PasswordOwn, s.AdminPassword, 0); err != nil {
		return err
	}
	if _, err := t.AddResource("bundleResc", "unixfilesystem", s.Host, "/bundle", ""); err != nil {
		return err
	}
	_, err = t.AddResource(s.Resource, "unixfilesystem", s.Host, s.Vault, "")
	return err
}
