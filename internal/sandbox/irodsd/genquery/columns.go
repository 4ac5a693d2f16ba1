package genquery

import "slices"

// column is where a query column's value comes from.
type column struct {
	table string // alias in tables
	expr  string // SQL over that alias
}

// columns maps the column numbers of the public rodsGenQuery header to the
// catalogue.
var columns = buildColumns()

func buildColumns() map[int]column {
	m := make(map[int]column)
	// add numbers the fields of one table upwards from first; an empty field
	// leaves a gap.
	add := func(first int, table string, fields ...string) {
		for i, f := range fields {
			if f != "" {
				m[first+i] = column{table, table + "." + f}
			}
		}
	}
	avu := func(first int, meta string) {
		add(first, meta, "name", "value", "unit", "id", "ctime", "mtime")
	}
	add(101, "z", "id", "name", "type", "conn", "comment", "ctime", "mtime")
	add(201, "u", "id", "name", "type", "zone", "", "info", "comment", "ctime", "mtime")
	add(301, "r", "id", "name", "zone", "type", "class", "loc", "vault", "free_space", "info",
		"comment", "ctime", "mtime", "status", "free_space_time", "children", "context", "parent", "parent_context")
	add(401, "d", "id", "coll_id", "name", "repl_num", "version", "type", "size", "", "resc_name", "path",
		"owner_name", "owner_zone", "repl_status", "status", "checksum", "expiry", "map_id", "comment",
		"ctime", "mtime", "mode", "resc_hier", "resc_id", "atime")
	add(500, "c", "id", "name", "parent_name", "owner_name", "owner_zone", "map_id", "inherit", "comment",
		"ctime", "mtime", "type", "info1", "info2")
	avu(600, "dmeta")
	avu(610, "cmeta")
	avu(630, "rmeta")
	avu(640, "umeta")
	add(700, "da", "level")
	add(701, "dat", "name", "namespace")
	add(703, "da", "user_id", "object_id")
	add(710, "ca", "level")
	add(711, "cat", "name", "namespace")
	add(713, "ca", "user_id", "object_id")
	add(900, "g", "id", "name")
	add(1000, "tok", "namespace", "id", "name")
	add(1300, "cau", "name", "zone")
	add(1310, "dau", "name", "zone")
	add(2000, "q", "user_id", "resc_id", "quota_limit", "over", "mtime")
	add(2010, "qs", "user_id", "resc_id", "bytes", "mtime")
	add(2020, "qr", "name")
	add(2021, "qu", "name", "zone", "type")
	add(2200, "t", "id", "name", "type", "user_id", "object_id", "object_type", "uses_limit", "uses_count",
		"expiry", "ctime", "mtime", "write_file_count", "write_file_limit", "write_byte_count", "write_byte_limit")
	add(2220, "th", "ticket_id", "host")
	add(2222, "tus", "ticket_id", "name")
	add(2224, "tg", "ticket_id", "name")
	add(2226, "td", "name")
	add(2227, "tdc", "name")
	add(2228, "tc", "name")
	add(2229, "tu", "name", "zone")
	return m
}

// tables maps an alias to the catalogue table behind it.
var tables = map[string]string{
	"z": "zones", "u": "users", "r": "resources", "d": "replicas_view", "c": "collections",
	"dmap": "avu_map", "dmeta": "avus", "cmap": "avu_map", "cmeta": "avus",
	"rmap": "avu_map", "rmeta": "avus", "umap": "avu_map", "umeta": "avus",
	"da": "access", "dat": "tokens", "dau": "users",
	"ca": "access", "cat": "tokens", "cau": "users",
	"gm": "members", "g": "users", "tok": "tokens",
	"q": "quotas", "qr": "resources", "qu": "users", "qs": "quota_usage",
	"t": "tickets", "th": "ticket_hosts", "tus": "ticket_users", "tg": "ticket_groups",
	"td": "ticket_objects", "tdc": "collections", "tc": "collections", "tu": "users",
}

// link is how two tables join. Collection access has no way to the users of
// columns 201 to 204: the real catalogue has none either.
type link struct{ a, b, on string }

var links = []link{
	{"d", "c", "d.coll_id = c.id"},
	{"d", "r", "d.resc_id = r.id"},
	{"d", "dmap", "dmap.object_id = d.id"},
	{"dmap", "dmeta", "dmap.avu_id = dmeta.id"},
	{"c", "cmap", "cmap.object_id = c.id"},
	{"cmap", "cmeta", "cmap.avu_id = cmeta.id"},
	{"r", "rmap", "rmap.object_id = r.id"},
	{"rmap", "rmeta", "rmap.avu_id = rmeta.id"},
	{"u", "umap", "umap.object_id = u.id"},
	{"umap", "umeta", "umap.avu_id = umeta.id"},
	{"d", "da", "da.object_id = d.id"},
	{"da", "dat", "da.level = dat.id"},
	{"da", "u", "da.user_id = u.id"},
	{"da", "dau", "da.user_id = dau.id"},
	{"c", "ca", "ca.object_id = c.id"},
	{"ca", "cat", "ca.level = cat.id"},
	{"ca", "cau", "ca.user_id = cau.id"},
	{"u", "gm", "gm.user_id = u.id"},
	{"gm", "g", "gm.group_id = g.id"},
	{"q", "qr", "q.resc_id = qr.id"},
	{"q", "qu", "q.user_id = qu.id"},
	{"qs", "qr", "qs.resc_id = qr.id"},
	{"qs", "qu", "qs.user_id = qu.id"},
	{"t", "th", "th.ticket_id = t.id"},
	{"t", "tus", "tus.ticket_id = t.id"},
	{"t", "tg", "tg.ticket_id = t.id"},
	{"t", "td", "td.id = t.object_id"},
	{"td", "tdc", "td.coll_id = tdc.id"},
	{"t", "tc", "tc.id = t.object_id"},
	{"t", "tu", "tu.id = t.user_id"},
}

// join returns the tables to read so that all wanted ones are connected, with
// the conditions that connect them. ok is false when there is no way.
func join(wanted []string) (from, on []string, ok bool) {
	if len(wanted) == 0 {
		return nil, nil, false
	}
	has := func(alias string) bool { return slices.Contains(wanted, alias) }
	if (has("u") || has("g")) && (has("ca") || has("cat")) {
		return nil, nil, false
	}
	in := map[string]bool{wanted[0]: true}
	from = []string{wanted[0]}
	for _, target := range wanted[1:] {
		if in[target] {
			continue
		}
		path := shortest(in, target)
		if path == nil {
			return nil, nil, false
		}
		for _, l := range path {
			on = append(on, l.on)
			for _, t := range []string{l.a, l.b} {
				if !in[t] {
					in[t] = true
					from = append(from, t)
				}
			}
		}
	}
	return from, on, true
}

// shortest finds the fewest links from any table of the set to target.
func shortest(set map[string]bool, target string) []link {
	type step struct {
		table string
		path  []link
	}
	queue := []step{{table: target}}
	seen := map[string]bool{target: true}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, l := range links {
			next := ""
			switch s.table {
			case l.a:
				next = l.b
			case l.b:
				next = l.a
			default:
				continue
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			path := append(s.path[:len(s.path):len(s.path)], l)
			if set[next] {
				return path
			}
			queue = append(queue, step{next, path})
		}
	}
	return nil
}
