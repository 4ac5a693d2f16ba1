package catalog

// schema creates what is missing, so it runs at every start. Ids of users,
// collections, objects, resources, AVUs and tickets come from one sequence, as
// access entries and AVUs name their item by id alone. Times are the
// protocol's text: eleven digits of seconds.
const schema = `
CREATE TABLE IF NOT EXISTS sequence (next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS zones (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL DEFAULT 'local',
	conn TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '', ctime TEXT NOT NULL, mtime TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL, zone TEXT NOT NULL, type TEXT NOT NULL,
	info TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '', ctime TEXT NOT NULL, mtime TEXT NOT NULL,
	UNIQUE (name, zone));
CREATE TABLE IF NOT EXISTS passwords (
	user_id INTEGER NOT NULL, kind TEXT NOT NULL, password TEXT NOT NULL, expires INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS passwords_user ON passwords (user_id);
CREATE TABLE IF NOT EXISTS members (
	group_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (user_id, group_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_group ON members (group_id);
CREATE TABLE IF NOT EXISTS resources (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, zone TEXT NOT NULL, type TEXT NOT NULL,
	class TEXT NOT NULL DEFAULT 'cache', loc TEXT NOT NULL, vault TEXT NOT NULL, free_space TEXT NOT NULL DEFAULT '',
	free_space_time TEXT NOT NULL DEFAULT '', info TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '',
	status TEXT NOT NULL DEFAULT '', children TEXT NOT NULL DEFAULT '', context TEXT NOT NULL DEFAULT '',
	parent TEXT NOT NULL DEFAULT '', parent_context TEXT NOT NULL DEFAULT '', ctime TEXT NOT NULL, mtime TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS collections (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, parent_name TEXT NOT NULL,
	owner_name TEXT NOT NULL, owner_zone TEXT NOT NULL, map_id INTEGER NOT NULL DEFAULT 0,
	inherit TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '', type TEXT NOT NULL DEFAULT '',
	info1 TEXT NOT NULL DEFAULT '', info2 TEXT NOT NULL DEFAULT '', ctime TEXT NOT NULL, mtime TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS collections_parent ON collections (parent_name);
CREATE TABLE IF NOT EXISTS replicas (
	id INTEGER NOT NULL, coll_id INTEGER NOT NULL, name TEXT NOT NULL, repl_num INTEGER NOT NULL,
	version TEXT NOT NULL DEFAULT '', type TEXT NOT NULL, size INTEGER NOT NULL, resc_id INTEGER NOT NULL,
	path TEXT NOT NULL, owner_name TEXT NOT NULL, owner_zone TEXT NOT NULL, repl_status INTEGER NOT NULL,
	status TEXT NOT NULL DEFAULT '', checksum TEXT NOT NULL DEFAULT '', expiry TEXT NOT NULL DEFAULT '00000000000',
	map_id INTEGER NOT NULL DEFAULT 0, comment TEXT NOT NULL DEFAULT '', mode TEXT NOT NULL DEFAULT '0',
	ctime TEXT NOT NULL, mtime TEXT NOT NULL, atime TEXT NOT NULL,
	PRIMARY KEY (id, repl_num), UNIQUE (coll_id, name, repl_num)) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS replicas_view AS
	SELECT replicas.*, res.name AS resc_name, res.hier AS resc_hier FROM replicas
	JOIN resource_hier res ON res.id = replicas.resc_id;
CREATE VIEW IF NOT EXISTS resource_hier AS
	SELECT id, name, CASE parent WHEN '' THEN name ELSE parent || ';' || name END AS hier FROM resources;
CREATE TABLE IF NOT EXISTS tokens (
	namespace TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (id, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access (
	object_id INTEGER NOT NULL, user_id INTEGER NOT NULL, level INTEGER NOT NULL,
	PRIMARY KEY (object_id, user_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS access_user ON access (user_id);
CREATE TABLE IF NOT EXISTS avus (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, unit TEXT NOT NULL,
	ctime TEXT NOT NULL, mtime TEXT NOT NULL, UNIQUE (name, value, unit));
CREATE TABLE IF NOT EXISTS avu_map (
	object_id INTEGER NOT NULL, avu_id INTEGER NOT NULL, PRIMARY KEY (object_id, avu_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS avu_map_avu ON avu_map (avu_id);
CREATE TABLE IF NOT EXISTS quotas (
	user_id INTEGER NOT NULL, resc_id INTEGER NOT NULL, quota_limit INTEGER NOT NULL,
	over INTEGER NOT NULL DEFAULT 0, mtime TEXT NOT NULL, PRIMARY KEY (user_id, resc_id)) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS quota_usage AS
	SELECT users.id AS user_id, replicas.resc_id AS resc_id, SUM(replicas.size) AS bytes, MAX(replicas.mtime) AS mtime
	FROM replicas JOIN users ON users.name = replicas.owner_name AND users.zone = replicas.owner_zone
	GROUP BY users.id, replicas.resc_id;
CREATE INDEX IF NOT EXISTS replicas_owner ON replicas (owner_name, owner_zone, resc_id, size);
CREATE TABLE IF NOT EXISTS tickets (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL, user_id INTEGER NOT NULL,
	object_id INTEGER NOT NULL, object_type TEXT NOT NULL, uses_limit INTEGER NOT NULL DEFAULT 0,
	uses_count INTEGER NOT NULL DEFAULT 0, expiry TEXT NOT NULL DEFAULT '', ctime TEXT NOT NULL, mtime TEXT NOT NULL,
	write_file_count INTEGER NOT NULL DEFAULT 0, write_file_limit INTEGER NOT NULL DEFAULT 10,
	write_byte_count INTEGER NOT NULL DEFAULT 0, write_byte_limit INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS ticket_hosts (ticket_id INTEGER NOT NULL, host TEXT NOT NULL, PRIMARY KEY (ticket_id, host));
CREATE TABLE IF NOT EXISTS ticket_users (ticket_id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (ticket_id, name));
CREATE TABLE IF NOT EXISTS ticket_groups (ticket_id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (ticket_id, name));
CREATE VIEW IF NOT EXISTS ticket_objects AS SELECT DISTINCT id, coll_id, name FROM replicas;
`

// Access levels by name, from the access_type tokens of iRODS 4.3 and later.
// The short names of requests are aliases.
var levels = map[string]int{
	"null":                 1000,
	"execute":              1010,
	"read_annotation":      1020,
	"read_system_metadata": 1030,
	"read_metadata":        1040,
	"read_object":          1050,
	"write_annotation":     1060,
	"create_metadata":      1070,
	"modify_metadata":      1080,
	"delete_metadata":      1090,
	"administer_object":    1100,
	"create_object":        1110,
	"modify_object":        1120,
	"delete_object":        1130,
	"create_token":         1140,
	"delete_token":         1150,
	"curate":               1160,
	"own":                  1200,
}

// Levels that rights checks ask for.
const (
	LevelNull           = 1000
	LevelReadMetadata   = 1040
	LevelRead           = 1050
	LevelCreateMetadata = 1070
	LevelModifyMetadata = 1080
	LevelDeleteMetadata = 1090
	LevelCreate         = 1110
	LevelWrite          = 1120
	LevelDelete         = 1130
	LevelOwn            = 1200
)

// Level returns the number of an access level name, long, short, or with
// blanks as releases before 4.3 spelt it.
func Level(name string) (int, bool) {
	switch name {
	case "read", "read object":
		return LevelRead, true
	case "write", "modify object":
		return LevelWrite, true
	}
	n, ok := levels[name]
	return n, ok
}
