package omeroview

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// packRef names the object that a pack is of.
type packRef struct {
	kind omero.Kind
	id   int64
	// nested says that the pack is shown inside another one, which has the
	// thumbnails of both.
	nested bool
}

func (p packRef) String() string {
	if p.nested {
		return fmt.Sprintf("%s-%d-nested", p.kind, p.id)
	}
	return fmt.Sprintf("%s-%d", p.kind, p.id)
}

// packState is the state of a pack: everything that is generated of it stays
// the same as long as the state does.
type packState struct {
	token string // the server's
	left  string // changes with what is left out
	// extent is how much there is, true only as long as the token does not change.
	extent *omero.Extent
	mtime  time.Time // whole seconds; the time of all its generated files
	dir    string    // on disk, of all states of the pack
	name   string    // of this state on disk
}

// packDir is where the generated files of a pack are kept: what one user sees
// another may not.
func (a *account) packDir(p packRef) string {
	return a.v.disk.path(a.c.Server().Database, strconv.FormatInt(a.c.Who().User, 10), p.String())
}

// state asks for the state of a pack.
func (a *account) state(ctx context.Context, p packRef) (packState, error) {
	return remember(ctx, a, stateKey(p), func(ctx context.Context) (packState, error) {
		t, err := a.c.ChangeToken(ctx, p.kind, p.id, OwnNamespaces)
		if err != nil {
			return packState{}, treeError("look for changes", err)
		}
		left, err := a.leftToken(ctx, p)
		if err != nil {
			return packState{}, treeError("look for files that cannot be had", err)
		}
		return a.stateOf(p, t, left)
	})
}

func stateKey(p packRef) string { return "state/" + p.String() }

// stateOf gives a token its time. That is the newest event; a change that has
// none, such as a tag unlinked, has the time when it was first seen.
func (a *account) stateOf(p packRef, t omero.Token, left string) (packState, error) {
	s := packState{token: t.Hash, extent: t.Extent, left: left, mtime: t.Newest.Truncate(time.Second), dir: a.packDir(p)}
	last, err := readSeen(s.dir)
	switch {
	case err == nil && last.Token == s.seenAs():
		s.mtime = time.Unix(last.Mtime, 0).UTC()
	default:
		// What was listed before may not be so any more.
		a.memo.clear(stateKey(p))
		if err == nil && s.mtime.Unix() <= last.Mtime {
			s.mtime = time.Unix(max(a.v.now().Unix(), last.Mtime+1), 0).UTC()
		}
		if err := writeSeen(s.dir, seen{Token: s.seenAs(), Mtime: s.mtime.Unix()}); err != nil {
			return packState{}, treeError("keep the state of a pack", err)
		}
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%d\x00%s\x00%s\x00%s\x00%s", s.seenAs(), s.mtime.Unix(),
		pack.FormatVersion, a.v.cfg.Software, a.v.cfg.Version, a.host())))
	s.name = hex.EncodeToString(sum[:12])
	return s, nil
}

// seenAs tells the states of a pack apart.
func (s packState) seenAs() string {
	if s.left == "" {
		return s.token
	}
	return s.token + "/" + s.left
}

// seen is what is remembered of the last state of a pack.
type seen struct {
	Token string `json:"token"`
	Mtime int64  `json:"mtime"`
}

const seenName = "seen.json"

func readSeen(dir string) (s seen, err error) {
	data, err := os.ReadFile(filepath.Join(dir, seenName))
	if err != nil {
		return seen{}, err
	}
	return s, json.Unmarshal(data, &s)
}

func writeSeen(dir string, s seen) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	d := diskCache{}
	return d.write(dir, "", seenName, data)
}

// host is the server's name in packs.
func (a *account) host() string {
	if a.v.cfg.Host != "" {
		return a.v.cfg.Host
	}
	return a.c.Server().Host
}

// generated is a generated file on disk.
type generated struct {
	path  string
	size  int64
	sha1  string
	state packState
}

// file returns a generated file of a state, making it when it is not there.
func (a *account) file(s packState, name string, write func(io.Writer) error) (generated, error) {
	g, err := readGenerated(s, name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return g, err
	}
	if err := a.v.disk.writeFrom(s.dir, s.name, name, write); err != nil {
		return generated{}, treeError("keep a generated file", err)
	}
	if err := a.v.disk.prune(s.dir, s.name); err != nil {
		a.v.log.Warn("omeroview: old generated files stay", "dir", s.dir, "err", err)
	}
	return readGenerated(s, name)
}
