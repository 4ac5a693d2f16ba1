package mount

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"omerods/fs/tree"
	"omerods/internal/transfer"
	"omerods/internal/version"
)

// Status is what a mount says of itself to one user.
type Status struct {
	Version    string            `json:"version"`
	Mountpoint string            `json:"mountpoint"`
	Started    time.Time         `json:"started"`
	PID        int               `json:"pid"`
	OMERO      ServerStatus      `json:"omero"`
	IRODS      ServerStatus      `json:"irods"`
	SpoolUsed  int64             `json:"spool_used"`
	SpoolLimit int64             `json:"spool_limit"`
	Transfers  []transfer.Record `json:"transfers"`
}

// ServerStatus is the connection to one server.
type ServerStatus struct {
	Server string `json:"server"`
	User   string `json:"user"`
	State  string `json:"state"`
}

// status returns what the caller of ctx may know.
func (m *Mount) status(ctx context.Context) Status {
	c, _ := tree.CallerFrom(ctx)
	s := Status{
		Version: version.Version, Mountpoint: m.cfg.Mountpoint, Started: m.started,
		SpoolUsed: m.spool.Used(), SpoolLimit: m.spool.Limit(),
		PID: os.Getpid(), Transfers: m.transfers(c.UID),
	}
	if _, err := m.people.Person(ctx, c.UID); err != nil {
		return s
	}
	s.OMERO, s.IRODS = m.health.servers(ctx, m)
	return s
}

// transfers returns a user's records with paths below the mount point.
func (m *Mount) transfers(uid uint32) []transfer.Record {
	out := []transfer.Record{}
	known := m.records.All(uid)
	for _, f := range m.irodsView.Unfinished(uid, transfer.TarSuffix) {
		if slices.ContainsFunc(known, func(r transfer.Record) bool { return r.Running() && strings.HasPrefix(f.Path, r.Path+"/") }) {
			continue // a file of a save
		}
		r := transfer.Record{
			ID: "tar " + f.Path, Direction: transfer.ToArchive, UID: uid, Path: f.Path, Tar: true, State: transfer.StateSaving,
			BytesDone: f.Bytes, Started: f.Since, Changed: time.Now(), Note: "whether this tar is a pack is known when it has come",
		}
		if took := r.Changed.Sub(r.Started).Seconds(); took >= 1 {
			r.Rate = int64(float64(f.Bytes) / took)
		}
		out = append(out, inTree(r))
	}
	for _, r := range known {
		out = append(out, inTree(r))
	}
	return out
}

// Text writes the status for people.
func (s Status) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "omerods %s at %s since %s\n", s.Version, s.Mountpoint, s.Started.Local().Format(time.DateTime))
	for _, srv := range []struct {
		name string
		ServerStatus
	}{{"OMERO", s.OMERO}, {"iRODS", s.IRODS}} {
		fmt.Fprintf(&b, "%s  %s as %s: %s\n", srv.name, srv.Server, srv.User, srv.State)
	}
	fmt.Fprintf(&b, "spool  %s of %s\n", humanBytes(s.SpoolUsed), humanBytes(s.SpoolLimit))
	if len(s.Transfers) == 0 {
		b.WriteString("no saves or loads yet\n")
		return b.String()
	}
	b.WriteString("\n" + transfersText(s.Transfers))
	return b.String()
}

// humanBytes writes a number of bytes for people, in powers of 1024.
func humanBytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 4 {
		v /= unit
		i++
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTP"[i])
}

func toJSON(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "{}\n" // plain structs always encode
	}
	return string(b) + "\n"
}
