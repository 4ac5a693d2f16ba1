package irodsview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// overwrite is the journal's entry for new content, verified in a temporary
// object, that is being written into an existing one. It outlives a crash in
// a file of the state folder, and holds no secrets.
type overwrite struct {
	Who         string // the identity and the server, see [irods.Client.String]
	Temp, Final string // logical paths
	ID          int64  // of the file
	Old         content
	Size        int64
	SHA256      []byte
	Modified    int64 `json:",omitempty"` // the time that a program has set, in seconds
}

// content is what the catalogue says of a file's content.
type content struct {
	Size, Modified int64
	Checksum       string
}

func contentOf(e irods.Entry) content {
	return content{Size: e.Size, Modified: e.Modified.Unix(), Checksum: e.Checksum}
}

// overwrites is the journal of a view.
type overwrites struct {
	temps *tempNames
	log   *slog.Logger

	mu   sync.Mutex // guards the fields below
	late []postponed
	busy map[string]chan struct{} // files whose content is being replaced
}

// take waits until nobody else is replacing the content of a file, so that
// what was postponed cannot come after what is newer.
func (j *overwrites) take(ctx context.Context, final string) (release func(), err error) {
	for {
		j.mu.Lock()
		other := j.busy[final]
		if other == nil {
			if j.busy == nil {
				j.busy = make(map[string]chan struct{})
			}
			mine := make(chan struct{})
			j.busy[final] = mine
			j.mu.Unlock()
			return func() {
				j.mu.Lock()
				defer j.mu.Unlock()
				delete(j.busy, final)
				close(mine)
			}, nil
		}
		j.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fail(context.Cause(ctx))
		}
	}
}

// openOverwrite is an entry of the journal that is not finished.
type openOverwrite struct {
	overwrite
	file string // "" without a state folder
}

// postponed is an overwrite that could not be finished yet.
type postponed struct {
	*openOverwrite
	client *irods.Client
	next   time.Time
	wait   time.Duration
}

const overwriteSuffix = ".overwrite"

// begin writes an entry, which is on the disk before it returns. Without a lock
// another mount could not tell that this one is at work on it, so there is no
// journal then.
func (j *overwrites) begin(o overwrite) (*openOverwrite, error) {
	open := &openOverwrite{overwrite: o}
	if j.temps.lock == nil {
		return open, nil
	}
	name := fmt.Sprintf("irods-%s-%x%s", j.temps.instance, j.temps.count.Add(1), overwriteSuffix)
	open.file = filepath.Join(j.temps.dir, name)
	text, err := json.Marshal(o)
	if err == nil {
		err = writeDurably(open.file, text)
	}
	if err != nil {
		open.end()
		return nil, tree.Errorf(tree.ErrIO, "%s was not changed: the change cannot be noted in the local journal: %w", o.Final, err).
			WithAdvice("Look at the room and the rights in %s.", j.temps.dir)
	}
	return open, nil
}

// writeDurably writes a new file that a power cut does not undo.
func writeDurably(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// end takes an entry out of the journal.
func (o *openOverwrite) end() {
	if o.file != "" {
		_ = os.Remove(o.file)
	}
}

// The first and the longest wait before a postponed overwrite is tried again.
const (
	firstPause = 5 * time.Second
	longPause  = 10 * time.Minute
)

// postpone leaves an overwrite for later.
func (j *overwrites) postpone(o *openOverwrite, c *irods.Client) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.late = append(j.late, postponed{openOverwrite: o, client: c, wait: firstPause})
}

// again tries what was postponed.
func (j *overwrites) again(ctx context.Context, now time.Time) {
	j.mu.Lock()
	late := j.late
	j.late = nil
	j.mu.Unlock()
	for _, p := range late {
		if now.After(p.next) {
			err := j.finish(ctx, p.client, p.openOverwrite)
			if err == nil {
				continue
			}
			j.log.Warn("a file still waits for its new content", "path", p.Final, "err", err)
			p.next, p.wait = now.Add(p.wait), min(p.wait*2, longPause)
		}
		j.mu.Lock()
		j.late = append(j.late, p)
		j.mu.Unlock()
	}
}

// recover finishes what mounts of this client's user that are gone have begun.
// It returns the temporary objects that are still needed.
func (j *overwrites) recover(ctx context.Context, c *irods.Client) map[string]bool {
	needed := map[string]bool{}
	if j.temps.dir == "" {
		return needed
	}
	files, _ := filepath.Glob(filepath.Join(j.temps.dir, "irods-*"+overwriteSuffix)) // the pattern is good
	for _, name := range files {
		instance, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), "irods-"), "-")
		if s := j.temps.state(instance); s == alive || s == elsewhere {
			continue
		}
		o := &openOverwrite{file: name}
		text, err := os.ReadFile(name)
		if err != nil {
			j.log.Error("the journal of changes cannot be read", "file", name, "err", err)
			continue
		}
		if json.Unmarshal(text, &o.overwrite) != nil {
			o.end() // cut off before the change began
			continue
		}
		if o.Who != c.String() {
			continue
		}
		if err := j.finish(ctx, c, o); err != nil {
			j.log.Warn("a file waits for its new content", "path", o.Final, "err", err)
			needed[o.Temp] = true
			j.postpone(o, c)
		}
	}
	return needed
}

// finish brings an overwrite to its end: the file has the new content, or
// what others have made of it meanwhile. Without an error it is out of the
// journal.
func (j *overwrites) finish(ctx context.Context, c *irods.Client, o *openOverwrite) error {
	release, err := j.take(ctx, o.Final)
	if err != nil {
		return err
	}
	defer release()
	if _, err := c.Stat(ctx, o.Temp); isNotFound(err) {
		o.end() // it was finished, or its content has another name
		return nil
	} else if err != nil {
		return err
	}
	again, err := o.judge(ctx, c)
	if err != nil {
		return err
	}
	if again {
		if err := sameContent(ctx, c, o.Temp, o.SHA256, o.Size); err != nil {
			return err
		}
		if err := copyInside(ctx, c, o.Temp, o.Final, true, o.Size); err != nil {
			return err
		}
		if err := sameContent(ctx, c, o.Final, o.SHA256, o.Size); err != nil {
			return err
		}
		j.log.Info("a file that was being changed has its new content", "path", o.Final)
		if o.Modified != 0 {
			if err := c.Touch(ctx, o.Final, time.Unix(o.Modified, 0)); err != nil {
				j.log.Warn("modification time not kept", "path", o.Final, "err", err)
			}
		}
	}
	if err := removeTemp(ctx, c, o.Temp); err != nil {
		return err
	}
	o.end()
	return nil
}

// judge tells whether the copy has to be made again: the file still has its
// old content, or none that is whole. What others have written since stays.
func (o *openOverwrite) judge(ctx context.Context, c *irods.Client) (again bool, err error) {
	e, err := c.Stat(ctx, o.Final)
	switch {
	case isNotFound(err):
		return false, nil
	case err != nil:
		return false, err
	case e.IsCollection || e.ID != o.ID:
		return false, nil
	case !e.Good():
		return true, nil
	case contentOf(e) == o.Old && e.Checksum != "":
		return true, nil
	}
	err = sameContent(ctx, c, o.Final, o.SHA256, o.Size)
	if errors.Is(err, tree.ErrIO) {
		return contentOf(e) == o.Old, nil
	}
	return false, err
}
