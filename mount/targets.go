package mount

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"omerods/internal/irods"
)

// Target is a collection that the caller may save into.
type Target struct {
	Path string `json:"path"` // below the mount point, as the command prints it
	Own  bool   `json:"own"`  // the user may also give rights to others
}

// Targets are the answer of the file "targets".
type Targets struct {
	User     string   `json:"user"` // of iRODS, with the zone
	Home     string   `json:"home"`
	Complete bool     `json:"complete"`
	Targets  []Target `json:"targets"`
}

// targetsText asks where the caller may write.
func (m *Mount) targetsText(ctx context.Context) (string, error) {
	c, found, err := m.irodsView.Targets(ctx)
	if err != nil {
		return "", err
	}
	user, zone := c.User()
	out := Targets{User: user + "#" + zone, Home: inIRODS(c.Home()), Complete: !found.Cut, Targets: []Target{}}
	for _, t := range found.Near(c.Home()) {
		out.Targets = append(out.Targets, Target{Path: inIRODS(t.Path), Own: t.Own})
	}
	return toJSON(out), nil
}

func inIRODS(p string) string { return path.Join("irods", p) }

// ReadTargets asks a mount where the caller may save to, the nearest to a
// path below the mount point first; one that is not in irods/ counts from the
// user's home.
func ReadTargets(mountpoint, near string) (Targets, error) {
	var t Targets
	b, err := os.ReadFile(filepath.Join(mountpoint, ControlDir, "targets"))
	if err != nil {
		if told, ok, _ := Why(filepath.Join(mountpoint, ControlDir, "targets")); ok {
			return t, fmt.Errorf("%w\n%s", err, told)
		}
		return t, err
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return t, err
	}
	if near != "irods" && !strings.HasPrefix(near, "irods/") {
		near = t.Home
	}
	slices.SortStableFunc(t.Targets, func(a, b Target) int { return irods.Steps(near, a.Path) - irods.Steps(near, b.Path) })
	return t, nil
}

// Text lists the targets as paths that programs can use.
func (t Targets) Text(mountpoint string) string {
	var b strings.Builder
	for _, e := range t.Targets {
		fmt.Fprintln(&b, filepath.Join(mountpoint, e.Path))
	}
	return b.String()
}
