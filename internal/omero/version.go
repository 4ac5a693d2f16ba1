package omero

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// ServerInfo describes the server.
type ServerInfo struct {
	Version  string
	Database string // the uuid of its database: its lasting identity
	Host     string // as given in Config.Addresses
}

func (c *Client) serverInfo(ctx context.Context) (ServerInfo, error) {
	res, err := c.call(ctx, configService, "getVersion")
	version, err := result[string]("getVersion", res, err)
	if err != nil {
		return ServerInfo{}, err
	}
	if err := checkVersion(version); err != nil {
		return ServerInfo{}, err
	}
	res, err = c.call(ctx, configService, "getDatabaseUuid")
	db, err := result[string]("getDatabaseUuid", res, err)
	if err != nil {
		return ServerInfo{}, err
	}
	return ServerInfo{Version: version, Database: db, Host: c.addresses[0].Host}, nil
}

// The servers that are spoken to: from 5.4.0 up to, not including, the next
// major version.
//
// What is sent must have exactly the members that the server's model has. The
// mappings from which the model is generated (ome/openmicroscopy up to 5.4,
// ome/omero-model since) gained their last member in January 2017,
// OriginalFile.repo; with it Session.sudoer and EventContext.adminPrivileges,
// the lookup tables of ChannelBinding and Delete2.typesToIgnore first appeared
// in a release with 5.4.0. Since then members were only marked as deprecated.
// Servers before 5.5 differ in one thing that arrives here: the answers to
// some commands (ImportResponse, DiskUsage2Response, UsedFilesResponse and
// others) are not derived from OK, which adds no members; the decoder takes
// what is missing in a chain of slices as empty. What 6.0 will change is not
// known.
const (
	versionMajor    = 5
	versionMinorMin = 4
)

// checkVersion refuses servers whose model has other members than ours: what
// they were sent would be taken for something else.
func checkVersion(v string) error {
	major, minor, ok := parseVersion(v)
	refuse := func(why string) error {
		return failure(Unsupported, "connect", fmt.Sprintf("OMERO.server %s: %s; versions %d.%d to %d.x are supported",
			v, why, versionMajor, versionMinorMin, versionMajor))
	}
	switch {
	case !ok:
		return refuse("its version cannot be read")
	case major < versionMajor, major == versionMajor && minor < versionMinorMin:
		return refuse("it is too old, its model has other members")
	case major > versionMajor:
		return refuse("it is newer than this program, its model may have other members")
	}
	return nil
}

// parseVersion reads the beginning of a version such as "5.6.18-ice36" or
// "5.4.10-ice36-b105".
func parseVersion(v string) (major, minor int, ok bool) {
	first, rest, dot := strings.Cut(v, ".")
	second := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		second = rest[:i]
	}
	major, err1 := strconv.Atoi(first)
	minor, err2 := strconv.Atoi(second)
	return major, minor, dot && err1 == nil && err2 == nil
}
