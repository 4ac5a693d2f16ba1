package mount

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"omerods/internal/transfer"
)

// The exit codes of omerods wait.
const (
	WaitFinished = 0
	WaitFailed   = 1 // failed, or given up
	WaitPartial  = 3 // some of it is missing
	WaitNothing  = 4 // there is no save or load at the path
	WaitTimeout  = 5 // it is still running
	WaitUnknown  = 6 // nobody could be asked
)

const (
	waitEvery = time.Second
	// silentAfter is when a save that gives no sign of life has been cut off:
	// anybody may take it over then.
	silentAfter = 10 * time.Minute
)

// WaitOptions say how to wait.
type WaitOptions struct {
	// Begin is how long to wait for a save or load to begin.
	Begin time.Duration
	// Timeout ends the waiting; 0 does not.
	Timeout time.Duration
	// Progress is told what is known while it goes on; may be nil.
	Progress func(transfer.Record)
}

// WaitResult is how a save or load has ended.
type WaitResult struct {
	transfer.Record
	Code int `json:"code"`
}

// Text says it in a sentence.
func (r WaitResult) Text() string {
	switch r.Code {
	case WaitNothing:
		return "there is no save or load at " + r.Path
	case WaitTimeout:
		return "still running: " + ProgressText(r.Record)
	}
	text := fmt.Sprintf("%s of %s: %s", r.Direction, r.Path, r.State)
	if r.Code == WaitFinished {
		text += fmt.Sprintf(", %d files, %s", r.FilesDone, humanBytes(r.BytesDone))
		if r.Direction == transfer.ToOMERO && r.Object != "" {
			text += ", is now " + r.Object
		}
	}
	for _, t := range []string{r.Reason, r.Note} {
		if t != "" {
			text += "\n  " + t
		}
	}
	return text
}

// Wait waits until the save or load at a path has ended. The path may be one
// inside of it, and may lie in any mount: a save that another one made is known
// by its metadata. An error says that nobody could be asked.
func Wait(ctx context.Context, p string, opts WaitOptions) (WaitResult, error) {
	mountpoint, below, err := Find(p)
	if err != nil {
		return WaitResult{Code: WaitUnknown}, err
	}
	began := time.Now()
	tick := time.NewTicker(waitEvery)
	defer tick.Stop()
	for {
		r, found, err := look(mountpoint, below)
		switch {
		case err != nil:
			return WaitResult{Code: WaitUnknown}, err
		case found && !r.Running():
			return WaitResult{Record: r, Code: codeOf(r.State)}, nil
		case !found && (time.Since(began) >= opts.Begin || opts.Timeout > 0 && time.Since(began) >= opts.Timeout):
			return WaitResult{Record: transfer.Record{Path: below}, Code: WaitNothing}, nil
		case found && opts.Timeout > 0 && time.Since(began) >= opts.Timeout:
			return WaitResult{Record: r, Code: WaitTimeout}, nil
		case found && opts.Progress != nil:
			opts.Progress(r)
		}
		select {
		case <-ctx.Done():
			return WaitResult{Record: r, Code: WaitUnknown}, ctx.Err()
		case <-tick.C:
		}
	}
}

func codeOf(s transfer.State) int {
	switch s {
	case transfer.StateFinished:
		return WaitFinished
	case transfer.StatePartial:
		return WaitPartial
	}
	return WaitFailed
}

// look finds what is known of the transfer at a path or around it: by the
// mount, which knows its own, otherwise by the metadata of the collection.
func look(mountpoint, below string) (transfer.Record, bool, error) {
	b, err := os.ReadFile(filepath.Join(mountpoint, ControlDir, "transfers"))
	if err != nil {
		return transfer.Record{}, false, err
	}
	var list []transfer.Record
	if err := json.Unmarshal(b, &list); err != nil {
		return transfer.Record{}, false, err
	}
	for _, r := range list { // the latest first
		if r.Path != below && !strings.HasPrefix(below, r.Path+"/") {
			continue
		}
		if r.Running() || r.Direction == transfer.ToOMERO {
			return r, true, nil
		}
		// It may have been removed since, or saved again by another mount.
		now, found, err := marksAt(mountpoint, r.Path)
		switch {
		case err != nil:
			return r, false, err
		case found && now.ID == r.ID && now.State == transfer.StateSaving:
			return r, true, nil // it could not be marked any more
		case found && now.State != r.State:
			return now, true, nil
		case found || r.State != transfer.StateFinished:
			return r, true, nil
		}
		break
	}
	return marksAt(mountpoint, below)
}

// marksAt reads the marks of a save from the outermost collection at or above
// a path that has some.
func marksAt(mountpoint, below string) (r transfer.Record, found bool, err error) {
	for p := below; strings.HasPrefix(p, "irods/"); p = path.Dir(p) {
		at := filepath.Join(mountpoint, p)
		state, err := attribute(at, "omerods::state")
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, unix.ENODATA), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, fs.ErrPermission):
			continue
		case err != nil:
			return r, false, fmt.Errorf("%s: %w", at, err)
		}
		r, found = transfer.Record{Direction: transfer.ToArchive, Path: p, State: transfer.State(state)}, true
		r.ID, _ = attribute(at, "omerods::save")
		r.Reason, _ = attribute(at, "omerods::reason")
		files, _ := attribute(at, "omerods::files")
		bytes, _ := attribute(at, "omerods::bytes")
		_, _ = fmt.Sscan(files, &r.FilesDone)
		_, _ = fmt.Sscan(bytes, &r.BytesDone)
		r.Files, r.Bytes = r.FilesDone, r.BytesDone
		if r.State == transfer.StateSaving {
			beat, _ := attribute(at, "omerods::heartbeat")
			if last, err := time.Parse(time.RFC3339, beat); err == nil && time.Since(last) > silentAfter {
				r.State = transfer.StatePartial
				r.Reason = fmt.Sprintf("the save was cut off: its last sign of life was at %s. Copy the same again: it goes on with what is there", last.Local().Format(time.DateTime))
			}
		}
	}
	return r, found, nil
}

// attribute reads metadata of what is in irods/. It asks again when a signal
// has ended the question: Go's runtime sends them to its own threads, and
// unlike those of package os this call does not go on by itself.
func attribute(at, name string) (string, error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Getxattr(at, "user.irods.avu."+name, buf)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return "", err
		default:
			return string(buf[:n]), nil
		}
	}
}
