package genquery

// names maps the column names of GenQuery2 in iRODS 5.0.2 to column numbers,
// without those of delayed rules.
var names = buildNames()

func buildNames() map[string]int {
	m := make(map[string]int)
	add := func(first int, prefix string, fields ...string) {
		for i, f := range fields {
			if f != "" {
				m[prefix+f] = first + i
			}
		}
	}
	add(101, "ZONE_", "ID", "NAME", "TYPE", "CONNECTION", "COMMENT", "CREATE_TIME", "MODIFY_TIME")
	add(201, "USER_", "ID", "NAME", "TYPE", "ZONE", "", "INFO", "COMMENT", "CREATE_TIME", "MODIFY_TIME")
	add(301, "RESC_", "ID", "NAME", "ZONE_NAME", "TYPE_NAME", "CLASS_NAME", "HOSTNAME", "VAULT_PATH", "FREE_SPACE",
		"INFO", "COMMENT", "CREATE_TIME", "MODIFY_TIME", "STATUS", "FREE_SPACE_TIME", "CHILDREN", "CONTEXT",
		"PARENT_ID", "PARENT_CONTEXT")
	add(401, "DATA_", "ID", "COLL_ID", "NAME", "REPL_NUM", "VERSION", "TYPE_NAME", "SIZE", "", "", "PATH",
		"", "", "REPL_STATUS", "STATUS", "CHECKSUM", "EXPIRY", "MAP_ID", "COMMENTS",
		"CREATE_TIME", "MODIFY_TIME", "MODE", "RESC_HIER", "RESC_ID", "ACCESS_TIME")
	add(500, "COLL_", "ID", "NAME", "PARENT_NAME", "", "", "MAP_ID", "INHERITANCE", "COMMENTS",
		"CREATE_TIME", "MODIFY_TIME", "TYPE", "INFO1", "INFO2")
	for first, kind := range map[int]string{600: "DATA", 610: "COLL", 630: "RESC", 640: "USER"} {
		add(first, "META_"+kind+"_", "ATTR_NAME", "ATTR_VALUE", "ATTR_UNITS", "ATTR_ID", "CREATE_TIME", "MODIFY_TIME")
	}
	add(700, "DATA_ACCESS_", "PERM_ID", "PERM_NAME", "", "USER_ID")
	add(710, "COLL_ACCESS_", "PERM_ID", "PERM_NAME", "", "USER_ID")
	add(900, "GROUP_", "ID")
	add(1300, "COLL_ACCESS_", "USER_NAME", "USER_ZONE")
	add(1310, "DATA_ACCESS_", "USER_NAME", "USER_ZONE")
	return m
}

// ColumnNames returns the names that GenQuery2 knows, with their numbers.
func ColumnNames() map[string]int {
	out := make(map[string]int, len(names))
	for k, v := range names {
		out[k] = v
	}
	return out
}
