package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path"
	"strings"
	"time"

	"omerods/internal/sandbox/store"
)

// Upload says what a client is about to send.
type Upload struct {
	ClientPaths []string // entry 0 is the file that readers are given
	VersionInfo []store.NamedValue
	Algorithm   string
}

// ErrUpload is the class of errors for an upload that cannot be as it is
// described.
var ErrUpload = errors.New("upload refused")

// Import is one import: first the files arrive, then Run makes images of them.
type Import struct {
	m     *Managed
	actor store.Actor

	Fileset int64   // id of the Fileset
	JobLink int64   // id of the link to the UploadJob
	Files   []int64 // ids of the OriginalFiles, one for each entry
	LogFile int64   // id of the OriginalFile of the log

	prefix string   // folder in the repository, without a slash at its end
	paths  []string // of the files within that folder
}

// Begin makes the rows and folders of a fileset whose files are still to come.
// It fails with ErrUpload or a *NamingError.
func (m *Managed) Begin(actor store.Actor, u Upload) (*Import, error) {
	if len(u.ClientPaths) == 0 {
		return nil, fmt.Errorf("%w: no paths provided", ErrUpload)
	}
	if newHash(u.Algorithm) == nil {
		return nil, fmt.Errorf("%w: checksum algorithm %q is not supported", ErrUpload, u.Algorithm)
	}
	client := make([]string, len(u.ClientPaths))
	for i, p := range u.ClientPaths {
		client[i] = safeClientPath(p)
	}
	paths, err := trimPaths(client, reader(u.VersionInfo))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, p := range paths {
		if seen[p] {
			return nil, fmt.Errorf("%w: two files are called %s", ErrUpload, p)
		}
		seen[p] = true
	}
	im := &Import{m: m, actor: actor, paths: paths}
	if im.prefix, err = m.newFolder(actor); err != nil {
		return nil, err
	}
	err = m.store.Write(actor, func(a *store.Author) error { return im.register(a, client, u) })
	if err != nil {
		return nil, fmt.Errorf("register the fileset: %w", err)
	}
	return im, nil
}

// reader returns the reader that the client named, "" when it named none.
func reader(info []store.NamedValue) string {
	for _, nv := range info {
		if nv.Name == "bioformats.reader" {
			return nv.Value
		}
	}
	return ""
}

// newFolder makes the folder <user>_<id>/<year-month>/<day>/<time> for the
// files of an import. No two imports get the same.
func (m *Managed) newFolder(actor store.Actor) (string, error) {
	user := m.store.Get("Experimenter", actor.User)
	if user == nil {
		return "", fmt.Errorf("no user %d", actor.User)
	}
	base := fmt.Sprintf("%s_%d", safeComponent(user.Text("omeName")), actor.User)
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.store.Now().Truncate(time.Millisecond)
	for {
		if !at.After(m.lastAt) {
			at = m.lastAt.Add(time.Millisecond)
		}
		m.lastAt = at
		parent := path.Join(base, at.Format("2006-01"), at.Format("02"))
		if err := m.files.MkdirAll(parent, 0o700); err != nil {
			return "", fmt.Errorf("make the folder of the import: %w", err)
		}
		dir := path.Join(parent, strings.ReplaceAll(at.Format("15-04-05.000"), ":", "-"))
		err := m.files.Mkdir(dir, 0o700)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			continue // the clock was set back, or a deletion took the empty parent away
		}
		if err != nil {
			return "", fmt.Errorf("make the folder of the import: %w", err)
		}
		return dir, nil
	}
}

// register makes the rows: directories, files, the fileset with its entries,
// the upload job and the log.
func (im *Import) register(a *store.Author, client []string, u Upload) error {
	m := im.m
	fileset, err := a.Create("Fileset", store.Values{"templatePrefix": im.prefix + "/"})
	if err != nil {
		return err
	}
	im.Fileset = fileset.ID
	for i, p := range im.paths {
		whole := path.Join(im.prefix, p)
		if err := m.makeDirs(a, path.Dir(whole)); err != nil {
			return err
		}
		file, err := m.newFile(a, whole, "", u.Algorithm)
		if err != nil {
			return err
		}
		im.Files = append(im.Files, file.ID)
		_, err = a.Create("FilesetEntry", store.Values{"fileset": fileset, "originalFile": file, "clientPath": client[i]})
		if err != nil {
			return err
		}
	}
	log, err := m.newFile(a, im.prefix+".log", "application/omero-log-file", u.Algorithm)
	if err != nil {
		return err
	}
	im.LogFile = log.ID
	job, link, err := im.addJob(a, "UploadJob", store.Values{"versionInfo": u.VersionInfo})
	if err != nil {
		return err
	}
	im.JobLink = link.ID
	_, err = a.Create("JobOriginalFileLink", store.Values{"parent": job, "child": log})
	return err
}

// addJob records a job of the fileset.
func (im *Import) addJob(a *store.Author, class string, v store.Values) (job, link *store.Row, err error) {
	m := a.Tx().Model()
	now := a.Tx().Now()
	all := store.Values{
		"username": a.Tx().Get(m.Class("Experimenter"), im.actor.User).Text("omeName"),
		"type":     "Import", "message": class, "status": "Finished",
		"submitted": now, "scheduledFor": now, "started": now, "finished": now,
	}
	group := a.Tx().Get(m.Class("ExperimenterGroup"), im.actor.Group)
	if group == nil {
		return nil, nil, fmt.Errorf("no group %d", im.actor.Group)
	}
	all["groupname"] = group.Text("name")
	for k, x := range v {
		all[k] = x
	}
	if job, err = a.Create(class, all); err != nil {
		return nil, nil, err
	}
	link, err = a.Create("FilesetJobLink", store.Values{"parent": im.Fileset, "child": job})
	return job, link, err
}

// newFile makes the row of a file of the repository.
func (m *Managed) newFile(a *store.Author, whole, mimetype, algorithm string) (*store.Row, error) {
	if mimetype == "" {
		mimetype = mediaType(whole)
	}
	v := store.Values{
		"path": dirOf(whole), "name": path.Base(whole), "repo": m.uuid,
		"mimetype": mimetype, "size": 0, "mtime": a.Tx().Now(),
	}
	if algorithm != "" {
		v["hasher"] = algorithm
	}
	return a.Create("OriginalFile", v)
}

// mediaType guesses a file's type from its name.
func mediaType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".tif", ".tiff":
		return "image/tiff"
	case ".log", ".txt", ".ini":
		return "text/plain"
	case ".ome", ".xml":
		return "application/xml"
	}
	if t, _, _ := strings.Cut(mime.TypeByExtension(path.Ext(name)), ";"); t != "" {
		return t
	}
	return "application/octet-stream"
}

// makeDirs makes a directory of the repository and those above it, on the disk
// and as rows.
func (m *Managed) makeDirs(a *store.Author, dir string) error {
	if dir == "." || dir == "/" || dir == "" {
		return nil
	}
	if err := m.files.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if m.lookup(a.Tx(), dir) != nil {
			return nil
		}
		if err := m.newDir(a, dir); err != nil {
			return err
		}
	}
	return nil
}

// newDir makes the row of a directory. It belongs to the group of all users,
// because the data of several groups may lie below it.
func (m *Managed) newDir(a *store.Author, dir string) error {
	row := store.NewRow(a.Tx().Model().Class("OriginalFile"))
	row.Group = store.UserGroup
	err := a.Tx().Fill(row, store.Values{
		"path": dirOf(dir), "name": path.Base(dir), "repo": m.uuid, "mimetype": directoryType, "size": 0, "mtime": a.Tx().Now(),
	})
	if err != nil {
		return err
	}
	a.Insert(row)
	return nil
}

// dirOf returns the value of the column path for something of that path.
func dirOf(whole string) string {
	if d := path.Dir(whole); d != "." {
		return d + "/"
	}
	return "/"
}

// lookup returns the row of a path in the repository, nil when there is none.
func (m *Managed) lookup(tx *store.Tx, whole string) *store.Row {
	c := tx.Model().Class("OriginalFile")
	dir, name := dirOf(whole), path.Base(whole)
	ids, _ := tx.TextIDs(c.Property("path"), dir)
	for _, id := range ids {
		if r := tx.Get(c, id); r.Text("name") == name && r.Text("repo") == m.uuid {
			return r
		}
	}
	return nil
}

// Open opens the file of an entry for the upload.
func (im *Import) Open(i int) (*RawFile, error) {
	if i < 0 || i >= len(im.Files) {
		return nil, fmt.Errorf("%w: no file %d of %d", ErrUpload, i, len(im.Files))
	}
	return im.m.OpenRaw(im.Files[i], true)
}

// Verify compares checksums with those of the files that arrived. The result
// has the server's checksum of each entry that differs, "" where it has none.
func (im *Import) Verify(sums []string) (map[int]string, error) {
	if len(sums) != len(im.Files) {
		return nil, fmt.Errorf("%w: %d checksums for %d files", ErrUpload, len(sums), len(im.Files))
	}
	failing := map[int]string{}
	for i, id := range im.Files {
		row := im.m.store.Get("OriginalFile", id)
		if row == nil {
			return nil, fmt.Errorf("%w: file %d is gone", ErrUpload, id)
		}
		if got := row.Text("hash"); got != sums[i] || got == "" {
			failing[i] = got
		}
	}
	return failing, nil
}

// writeLog appends a line to the log of the import. A log that cannot be
// written is no reason to fail.
func (im *Import) writeLog(format string, args ...any) {
	f, err := im.m.files.OpenFile(im.prefix+".log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s\n", im.m.store.Now().UTC().Format("2006-01-02 15:04:05,000"), fmt.Sprintf(format, args...))
}

// Size returns how many bytes of the file of an entry are on the disk.
func (im *Import) Size(i int) (int64, error) {
	f, err := im.Open(i)
	if err != nil {
		return 0, err
	}
	defer f.f.Close()
	return f.Size()
}

// Prefix is the folder of the files in the repository.
func (im *Import) Prefix() string { return im.prefix }

// Paths are the files within that folder.
func (im *Import) Paths() []string { return im.paths }
