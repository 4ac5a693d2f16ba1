package transfer

import (
	"context"
	"path"
	"regexp"
	"strings"

	"omerods/fs/tree"
)

// TarSuffix ends the name of an archive of an object.
const TarSuffix = ".tar"

// tarSuffixes end the names under which archives may be written.
var tarSuffixes = []string{TarSuffix, ".zip"}

// Names that programs use until a file is complete. The first group is the
// name that the file will have, where that can be told.
var temporaryNames = []*regexp.Regexp{
	regexp.MustCompile(`^\.(.+\.(?:tar|zip))\.[A-Za-z0-9]{6}$`),                                                 // rsync
	regexp.MustCompile(`^(.+\.(?:tar|zip))\.(?:part|partial|filepart|crdownload|download|tmp|[A-Za-z0-9]{6})$`), // KIO, browsers, GLib
	regexp.MustCompile(`^(.+\.(?:tar|zip))\.[A-Za-z0-9]{8}\.partial$`),                                          // rclone
	regexp.MustCompile(`^\.goutputstream-()[A-Za-z0-9]{6}$`),                                                    // GLib
	regexp.MustCompile(`^()zi[A-Za-z0-9]{6}$`),                                                                  // zip
}

// tarName says which object the archive with that file name is of. The
// object is "" when the name does not tell. final is false for a name that a
// program uses until the file is complete.
func tarName(file string) (object string, final bool, err error) {
	for _, s := range tarSuffixes {
		if object, ok := strings.CutSuffix(file, s); ok && object != "" && !strings.HasPrefix(file, ".") {
			return object, true, nil
		}
	}
	for _, t := range temporaryNames {
		if m := t.FindStringSubmatch(file); m != nil {
			return strings.TrimSuffix(strings.TrimSuffix(m[1], ".tar"), ".zip"), false, nil
		}
	}
	advice := "copy a file whose name ends in .tar or .zip, or a folder into omero/"
	for _, s := range []string{".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar", ".gz"} {
		if strings.HasSuffix(strings.ToLower(file), s) {
			return "", false, tree.Errorf(tree.ErrInvalid, "%s: only plain .tar and .zip can be loaded, nothing that is compressed as a whole", file).
				WithAdvice("unpack it, and copy the tar that is in it")
		}
	}
	return "", false, tree.Errorf(tree.ErrInvalid, "%s: only .tar and .zip can be loaded here", file).WithAdvice("%s", advice)
}

func tarPath(place Place, file string) string { return path.Join(place.Key(), file) }

// CreateTar makes an archive that the caller writes: its end makes an
// object of the archive's name in place.
func (ls *Loads) CreateTar(ctx context.Context, place Place, file string, opts tree.CreateOptions) (tree.File, tree.WriteHandle, error) {
	if old := ls.StagedTar(ctx, place, file); old != nil {
		if opts.Exclusive {
			return nil, nil, tree.ErrExists
		}
		h, err := old.Open(ctx, opts.OpenOptions)
		if err != nil {
			return nil, nil, err
		}
		return old, h.(tree.WriteHandle), nil
	}
	object, final, err := tarName(file)
	if err != nil {
		return nil, nil, err
	}
	if err := place.MayLoad(ctx); err != nil {
		return nil, nil, err
	}
	if err := ls.free(ctx, place, object, final); err != nil {
		return nil, nil, err
	}
	if object == "" {
		object = file
	}
	key := keyOf(ctx, place, file)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if old := ls.tars[key]; old != nil && old.load.staged() {
		return nil, nil, tree.ErrExists
	}
	a := newTar(ctx, ls, place, file, object, final, opts.Mode)
	ls.tars[key] = a
	ls.wait.Add(1)
	go a.load.watch()
	a.load.saw(ctx)
	a.load.mu.Lock()
	defer a.load.mu.Unlock()
	h, err := a.openLocked(tree.OpenOptions{Write: true})
	return a, h, err
}

// free says whether an object of that name may be made. To a name that is not
// final it does not answer ErrExists: programs would look for another one.
func (ls *Loads) free(ctx context.Context, place Place, object string, final bool) error {
	if object == "" {
		return nil
	}
	exists, err := place.Exists(ctx, object)
	if err != nil {
		return err
	}
	if !exists && ls.Staged(ctx, place, object) == nil {
		return nil
	}
	class := tree.ErrExists
	if !final {
		class = tree.ErrNotPermitted
	}
	return tree.Errorf(class, "%s exists in OMERO; what is live is never changed", object).
		WithAdvice("copy the archive under another name: that makes a new object")
}

// StagedTar returns the archive that the caller is writing under that
// name, nil when there is none.
func (ls *Loads) StagedTar(ctx context.Context, place Place, file string) *StagedTar {
	if a := ls.tar(ctx, place, file); a != nil && a.load.staged() {
		return a
	}
	return nil
}

// TarAlias returns the written form of an archive that has become an
// object, for as long as its path is good for the caller's programs. Nil when
// there is none.
func (ls *Loads) TarAlias(ctx context.Context, place Place, file string) *StagedTar {
	if a := ls.tar(ctx, place, file); a != nil && a.load.aliased() {
		return a
	}
	return nil
}

func (ls *Loads) tar(ctx context.Context, place Place, file string) *StagedTar {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.tars[keyOf(ctx, place, file)]
}

// ListTars returns the archives that the caller is writing into place.
func (ls *Loads) ListTars(ctx context.Context, place Place) []tree.Entry {
	var mine []*StagedTar
	ls.mu.Lock()
	for k, a := range ls.tars {
		if k.place == place.Key() && k.uid == callerUID(ctx) {
			mine = append(mine, a)
		}
	}
	ls.mu.Unlock()
	var out []tree.Entry
	for _, a := range mine {
		if a.load.staged() {
			out = append(out, tree.Entry{Name: a.name(), Kind: tree.KindFile, Ino: a.ino, Node: a})
		}
	}
	return out
}

// RemoveTar cancels the load of an archive; false says that there is none.
func (ls *Loads) RemoveTar(ctx context.Context, place Place, file string) (bool, error) {
	a := ls.StagedTar(ctx, place, file)
	if a == nil {
		return false, nil
	}
	return true, a.load.cancel(tree.Errorf(tree.ErrNotFound, "the load of %s was cancelled by removing it", file))
}

// RenameTar gives an archive that is being written another name in its
// place; false says that there is none. The name decides what is made: one that
// a program has used until the file was complete is loaded with the rename,
// which waits for the load's end.
func (ls *Loads) RenameTar(ctx context.Context, place Place, file, newFile string) (bool, error) {
	a := ls.StagedTar(ctx, place, file)
	if a == nil || file == newFile {
		return a != nil, nil
	}
	object, final, err := tarName(newFile)
	if err != nil {
		return true, err
	}
	if err := ls.free(ctx, place, object, true); err != nil {
		return true, err
	}
	if object == "" {
		object = newFile
	}
	a.load.saw(ctx)
	if err := ls.moveTar(ctx, a, place, file, newFile, object, final); err != nil {
		return true, err
	}
	a.load.mu.Lock()
	closed := a.closed || a.handed
	a.load.mu.Unlock()
	if !closed {
		return true, nil
	}
	return true, a.finish(ctx)
}

func (ls *Loads) moveTar(ctx context.Context, a *StagedTar, place Place, file, newFile, object string, final bool) error {
	from, to := keyOf(ctx, place, file), keyOf(ctx, place, newFile)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if old := ls.tars[to]; old != nil && old.load.staged() {
		return tree.Errorf(tree.ErrBusy, "%s is on its way into OMERO", newFile).
			WithAdvice("wait for its end, or remove it, which cancels the load")
	}
	l := a.load
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.writable(); err != nil {
		return err
	}
	delete(ls.tars, from)
	ls.tars[to] = a
	a.file, a.final, l.name = newFile, final, object
	l.record.Path = tarPath(place, newFile)
	l.of.cfg.Records.Put(l.record)
	return nil
}

// tarFor says whether an archive is being written that becomes the object of a
// folder of that key; the mutex is held.
func (ls *Loads) tarFor(key loadKey) bool {
	for k, a := range ls.tars {
		if k.place == key.place && k.uid == key.uid && a.load.title() == key.name && a.load.staged() {
			return true
		}
	}
	return false
}

// dropTar forgets an archive; the mutex is held.
func (ls *Loads) dropTar(a *StagedTar) {
	for k, other := range ls.tars {
		if other == a {
			delete(ls.tars, k)
		}
	}
}
