package mount

import (
	"context"

	"omerods/fs/tree"
	"omerods/internal/version"
)

// ControlDir is the folder in which a mount tells about itself.
const ControlDir = ".omerods"

// control builds the folder of small files about the mount. Each shows only
// what concerns the caller.
func (m *Mount) control() tree.Dir {
	d := &folder{ino: inoControl, mode: 0o555, uid: m.uid, gid: m.gid, made: m.started}
	next := uint64(inoFirstFile)
	add := func(name string, text func(ctx context.Context) string) {
		d.add(name, &page{ino: next, uid: m.uid, gid: m.gid, made: m.started, text: text})
		next++
	}
	add("status", func(ctx context.Context) string { return m.status(ctx).Text() })
	add("status.json", func(ctx context.Context) string { return toJSON(m.status(ctx)) })
	add("transfers", func(ctx context.Context) string {
		c, _ := tree.CallerFrom(ctx)
		return toJSON(m.transfers(c.UID))
	})
	add("errors", m.errorsText)
	d.add("targets", &question{ino: next, uid: m.uid, gid: m.gid, made: m.started, answer: m.targetsText})
	next++
	add("version", func(context.Context) string { return version.Version + "\n" })
	return d
}
