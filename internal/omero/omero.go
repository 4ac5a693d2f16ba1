// Package omero is a client of OMERO.server 5.4 and later: it logs in, asks, reads,
// imports, creates and deletes. Answers and requests are plain structs; how
// they travel is the business of package ice.
//
// A Client is one login. It keeps its session alive, and connects again by
// itself after the connection was lost: calls that change nothing are then
// sent once more, others fail with an [Error] whose Unsure field says that the
// server may have done them.
//
// The context of a call may carry the group it runs in, see [InGroup].
package omero

import (
	"context"
	"log/slog"
	"time"
)

// Config says how to log in.
type Config struct {
	// Addresses are tried in order: "host", "host:port", or with a scheme
	// ("ssl", "tcp", "wss", "ws") as a URL. Default scheme ssl, port 4064.
	Addresses []string
	TLS       TLS
	// AllowPlain permits connections without TLS to other machines. To
	// loopback addresses they are always permitted.
	AllowPlain bool

	// User and Password, or SessionKey, the uuid of a session to join; a
	// joined session stays open after Close.
	User, Password string
	SessionKey     string
	// Group is the name of the session's group; "" takes the user's default.
	Group string
	// Agent is shown in the server's list of sessions.
	Agent string

	Logger *slog.Logger
	// Clock is for tests; nil means time.Now.
	Clock func() time.Time
	// ConnectTimeout bounds the time for one address; 0 means 15 s.
	ConnectTimeout time.Duration
	// KeepAlive is the pause between two signs of life, and how long the server
	// may take to answer one before the connection counts as lost; 0 means 30 s.
	KeepAlive time.Duration
}

type groupKey struct{}

// AllGroups is the id that stands for all groups the user may see.
const AllGroups int64 = -1

// InGroup makes the calls of ctx run in the group: only its objects are seen,
// and what is created belongs to it. Without it queries see all groups, and
// changes are made in the session's own group.
func InGroup(ctx context.Context, group int64) context.Context {
	return context.WithValue(ctx, groupKey{}, group)
}

func groupOf(ctx context.Context) (int64, bool) {
	g, ok := ctx.Value(groupKey{}).(int64)
	return g, ok
}

// Kind is the class of an object, by the name that the server's model gives it.
type Kind string

// The kinds of objects that have ids.
const (
	KindProject      Kind = "Project"
	KindDataset      Kind = "Dataset"
	KindScreen       Kind = "Screen"
	KindPlate        Kind = "Plate"
	KindWell         Kind = "Well"
	KindRun          Kind = "PlateAcquisition"
	KindReagent      Kind = "Reagent"
	KindImage        Kind = "Image"
	KindChannel      Kind = "Channel"
	KindFileset      Kind = "Fileset"
	KindOriginalFile Kind = "OriginalFile"
	KindROI          Kind = "Roi"
	KindShape        Kind = "Shape"
	KindFolder       Kind = "Folder"
	KindAnnotation   Kind = "Annotation"
	KindUser         Kind = "Experimenter"
	KindGroup        Kind = "ExperimenterGroup"
)

// Meta is what every object has.
type Meta struct {
	Owner   int64
	Group   int64
	Created time.Time
	Updated time.Time
}
