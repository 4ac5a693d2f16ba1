package mount

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"omerods/internal/omero"
	"omerods/internal/transfer"
	"omerods/internal/version"
	"omerods/omeroview"
)

// annotator tells OMERO about saves.
type annotator struct {
	view *omeroview.View
	// database is that of the mounted server: packs of others are none of its
	// business.
	database string
}

// AnnotateSave implements transfer.Annotator.
func (a annotator) AnnotateSave(ctx context.Context, rec transfer.SaveRecord) error {
	if rec.Database != "" && rec.Database != a.database {
		return nil
	}
	verified := "yes: every file by its size, and by OMERO's checksum where there is one"
	if rec.State != transfer.StateFinished {
		verified = "no: " + rec.Reason
	}
	if n := rec.LeftOut; n > 0 {
		verified += fmt.Sprintf("; without %d images whose files OMERO refused or has lost", n)
	}
	pairs := []omero.Pair{
		{Key: "state", Value: string(rec.State)},
		{Key: "verified", Value: verified},
		{Key: "files", Value: strconv.Itoa(rec.Files)},
		{Key: "bytes", Value: strconv.FormatInt(rec.Bytes, 10)},
		{Key: "when", Value: rec.When.UTC().Format(time.RFC3339)},
		{Key: "by", Value: rec.By},
		{Key: "with", Value: "omerods " + version.Version},
	}
	return a.view.AnnotateSave(ctx, omero.Kind(rec.Kind), rec.ID, rec.Group, rec.Target, pairs)
}

// whyNot finds why a file below omero/ could not be read, by the end of its
// path, in the log of failures.
func (m *Mount) whyNot(uid uint32, since time.Time, rel string) string {
	server := m.server.Load()
	if server == nil {
		return ""
	}
	for _, f := range server.Errors().All(uid) {
		if f.Time.Before(since) || !strings.HasPrefix(f.Path, "omero/") || !strings.HasSuffix(f.Path, "/"+rel) {
			continue
		}
		if f.Advice != "" {
			return f.Reason + " (what to do: " + f.Advice + ")"
		}
		return f.Reason
	}
	return ""
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// inTree turns the path of a record, which is as its own side calls it, into
// one below the mount point.
func inTree(r transfer.Record) transfer.Record {
	side := "omero"
	switch {
	case r.Direction == transfer.ToArchive:
		side = "irods"
	case r.Tar:
		side = "tars"
	}
	r.Path = path.Join(side, r.Path)
	return r
}
