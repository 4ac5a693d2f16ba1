package blitz

import (
	"context"
	"regexp"
	"strings"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// settings are the values that IConfig knows without further configuration.
func (s *Server) settings() map[string]string {
	all := map[string]string{
		"omero.version":                            s.cfg.Version,
		"omero.sessions.timeout":                   "600000",
		"omero.policy.binary_access":               s.cfg.BinaryAccess,
		"omero.fs.repo.path":                       "%user%_%userId%//%year%-%month%/%day%/%time%",
		"omero.fs.repo.path_rules":                 "Windows required, UNIX required",
		"omero.checksum.supported":                 "SHA1-160, MD5-128, Murmur3-128, Murmur3-32, CRC-32, Adler-32, File-Size-64",
		"omero.query.timeout":                      "1000",
		"omero.pixeldata.max_plane_width":          "3192",
		"omero.pixeldata.max_plane_height":         "3192",
		"omero.client.ui.tree.orphans.name":        "Orphaned Images",
		"omero.client.ui.tree.orphans.enabled":     "true",
		"omero.client.ui.tree.orphans.description": "Images that are in no dataset.",
		"omero.client.viewer.roi_limit":            "2000",
		"omero.client.viewer.initial_zoom_level":   "0",
		"omero.client.viewer.interpolate_pixels":   "true",
		"omero.client.download_as.max_size":        "144000000",
		"omero.client.scripts_to_ignore":           "",
		"omero.client.web.host":                    "",
	}
	for k, v := range s.cfg.Settings {
		all[k] = v
	}
	return all
}

var configMethods = Methods{
	"getVersion": func(_ context.Context, c *Call) ([]any, error) { return []any{c.Server.cfg.Version}, nil },
	"getConfigValue": func(_ context.Context, c *Call) ([]any, error) {
		key := Arg[string](c, 0)
		err := c.View(func(_ *store.Tx, who *Caller) error {
			if !who.Admin && strings.HasPrefix(key, "omero.security.") || !who.Admin && strings.HasPrefix(key, "omero.db.") {
				return Fail(SecurityViolation, "only administrators may read %s", key)
			}
			return nil
		})
		return []any{c.Server.settings()[key]}, err
	},
	"getConfigValues": func(_ context.Context, c *Call) ([]any, error) {
		re, err := regexp.Compile("^(?:" + Arg[string](c, 0) + ")$")
		if err != nil {
			return nil, Fail(APIUsage, "no regular expression: %v", err)
		}
		err = c.View(func(_ *store.Tx, who *Caller) error {
			if !who.Admin {
				return Fail(SecurityViolation, "only administrators may list settings")
			}
			return nil
		})
		return []any{c.Server.settingsDict(re.MatchString)}, err
	},
	"getClientConfigValues":   clientSettings,
	"getClientConfigDefaults": clientSettings,
	"getDatabaseUuid": func(_ context.Context, c *Call) ([]any, error) {
		node := c.Server.store.Get("Node", 0)
		if node == nil {
			return nil, store.ErrClosed
		}
		return []any{node.Text("uuid")}, nil
	},
	"getServerTime":   serverTime,
	"getDatabaseTime": serverTime,
}

func serverTime(_ context.Context, c *Call) ([]any, error) {
	return []any{c.Server.RTime(store.Time(c.Server.store.Now().UnixMilli()))}, nil
}

func clientSettings(_ context.Context, c *Call) ([]any, error) {
	return []any{c.Server.settingsDict(func(key string) bool { return strings.HasPrefix(key, "omero.client.") })}, nil
}

func (s *Server) settingsDict(match func(string) bool) ice.Dict {
	d := ice.Dict{}
	for k, v := range s.settings() {
		if match(k) {
			d = append(d, ice.Pair{Key: k, Value: v})
		}
	}
	return d
}
