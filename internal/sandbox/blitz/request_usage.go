package blitz

import (
	"context"
	"os"
	"path/filepath"
	"sort"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// ownership is whose disk space something takes: of which user, in which
// group.
type ownership struct{ user, group int64 }

// usage adds up the files below some objects; no file counts twice.
type usage struct {
	srv   *Server
	tx    *store.Tx
	who   *Caller
	seen  map[graphKey]bool
	turn  []*store.Row
	late  []*store.Row                   // files that something else in turn may refer to
	files map[ownership]map[string]int64 // by what refers to them
	bytes map[ownership]map[string]int64
}

// diskUsage works on ::omero::cmd::DiskUsage2: how much the files of the
// targets and of all that is in them take. Users and groups stand for what they
// own.
func diskUsage(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
	u := &usage{
		srv: c.Server, seen: make(map[graphKey]bool),
		files: make(map[ownership]map[string]int64), bytes: make(map[ownership]map[string]int64),
	}
	err := c.inAllGroups().View(func(tx *store.Tx, who *Caller) error {
		u.tx, u.who = tx, who
		if err := u.targets(req); err != nil {
			return err
		}
		u.walk()
		for _, file := range u.late {
			u.add(file)
		}
		u.walk()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return u.response(), nil
}

// walk goes down from all that waits.
func (u *usage) walk() {
	for len(u.turn) > 0 {
		row := u.turn[0]
		u.turn = u.turn[1:]
		u.around(row)
	}
}

func (u *usage) targets(req *ice.Object) error {
	dict, _ := req.Get("targetObjects").(ice.Dict)
	for _, e := range dict {
		name, _ := e.Key.(string)
		class := u.tx.Model().Class(name)
		if class == nil {
			return Fail(APIUsage, "unknown target class: %s", name)
		}
		ids, _ := e.Value.([]int64)
		for _, id := range ids {
			if row := u.tx.Get(class, id); row != nil {
				u.target(row)
			}
		}
	}
	classes, _ := req.Get("targetClasses").([]string)
	for _, name := range classes {
		class := u.tx.Model().Class(name)
		if class == nil {
			return Fail(APIUsage, "unknown target class: %s", name)
		}
		for row := range u.tx.Rows(class) {
			u.target(row)
		}
	}
	return nil
}

// target takes up an object, or all that a user or a group has.
func (u *usage) target(row *store.Row) {
	of := map[string]func(*store.Row) bool{
		"Experimenter":      func(r *store.Row) bool { return r.Owner == row.ID },
		"ExperimenterGroup": func(r *store.Row) bool { return r.Group == row.ID },
	}[row.Class.Name]
	if of == nil {
		u.add(row)
		return
	}
	for _, name := range []string{"Image", "Fileset", "Annotation", "Job"} {
		for r := range u.tx.Rows(u.tx.Model().Class(name)) {
			if of(r) {
				u.add(r)
			}
		}
	}
	for r := range u.tx.Rows(u.tx.Model().Class("OriginalFile")) {
		if of(r) {
			u.late = append(u.late, r)
		}
	}
}

func (u *usage) add(row *store.Row) {
	if row == nil || u.seen[keyOf(row)] || !u.who.CanRead(u.tx, row) {
		return
	}
	u.seen[keyOf(row)] = true
	u.turn = append(u.turn, row)
}

// around goes down from an object: to what is in it, and to the files it names.
func (u *usage) around(row *store.Row) {
	m := u.tx.Model()
	for _, next := range inside(u.tx, row) {
		if row.Class.Root.Name == "Job" { // its files are counted as such
			u.file(next.ID, "Job")
		} else {
			u.add(next)
		}
	}
	switch row.Class.Name {
	case "FilesetEntry":
		u.file(row.Ref("originalFile"), "FilesetEntry")
	case "FileAnnotation":
		u.file(row.Ref("file"), "FileAnnotation")
	case "OriginalFile":
		u.file(row.ID, "OriginalFile")
	case "Pixels":
		for _, id := range u.tx.RefIDs(m.Class("PixelsOriginalFileMap").Property("child"), row.ID) {
			u.file(u.tx.Get(m.Class("PixelsOriginalFileMap"), id).Ref("parent"), "Pixels")
		}
		u.disk(row, "Pixels", u.srv.PixelsPath(row.ID))
	}
}

// file counts an original file, for the first that refers to it.
func (u *usage) file(id int64, referer string) {
	row := u.tx.Get(u.tx.Model().Class("OriginalFile"), id)
	key := graphKey{u.tx.Model().Class("OriginalFile"), -1 - id} // apart from the file as a target
	if row == nil || repository.IsDirectory(row) || u.seen[key] || !u.who.CanRead(u.tx, row) {
		return
	}
	u.seen[key] = true
	if size, ok := row.Get("size").(int64); ok {
		u.count(row, referer, size)
	}
}

// disk counts what the server keeps for an object itself.
func (u *usage) disk(row *store.Row, referer, path string) {
	filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // what is not there takes nothing
		}
		if info, err := e.Info(); err == nil {
			u.count(row, referer, info.Size())
		}
		return nil
	})
}

func (u *usage) count(row *store.Row, referer string, size int64) {
	o := ownership{row.Owner, row.Group}
	if u.files[o] == nil {
		u.files[o], u.bytes[o] = make(map[string]int64), make(map[string]int64)
	}
	u.files[o][referer]++
	u.bytes[o][referer] += size
}

func (u *usage) response() *ice.Object {
	owners := make([]ownership, 0, len(u.files))
	for o := range u.files {
		owners = append(owners, o)
	}
	sort.Slice(owners, func(i, j int) bool {
		a, b := owners[i], owners[j]
		return a.user < b.user || a.user == b.user && a.group < b.group
	})
	var fileCounts, byteCounts, totalFiles, totalBytes ice.Dict
	for _, o := range owners {
		pair := u.srv.defs.NewRecord("::omero::api::LongPair").Set("first", o.user).Set("second", o.group)
		var files, bytes ice.Dict
		var n, size int64
		for referer, count := range u.files[o] {
			files = append(files, ice.Pair{Key: referer, Value: int32(count)})
			bytes = append(bytes, ice.Pair{Key: referer, Value: u.bytes[o][referer]})
			n, size = n+count, size+u.bytes[o][referer]
		}
		fileCounts, byteCounts = append(fileCounts, ice.Pair{Key: pair, Value: files}), append(byteCounts, ice.Pair{Key: pair, Value: bytes})
		totalFiles, totalBytes = append(totalFiles, ice.Pair{Key: pair, Value: int32(n)}), append(totalBytes, ice.Pair{Key: pair, Value: size})
	}
	return u.srv.defs.New("::omero::cmd::DiskUsage2Response").
		Set("fileCountByReferer", fileCounts).Set("bytesUsedByReferer", byteCounts).
		Set("totalFileCount", totalFiles).Set("totalBytesUsed", totalBytes)
}
