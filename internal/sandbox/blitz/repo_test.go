package blitz

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/ice"
)

func TestImportIntoADataset(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	d := c.named("Dataset", "D")
	tag := c.save(c.fresh("TagAnnotation", map[string]any{"textValue": "old"}))[0]
	file := picture("/home/ada/a/b/c/d/cells.png")
	ids := c.imports(c.ref("Dataset", d), map[string]any{
		"userSpecifiedName": f.RString("renamed"), "userSpecifiedDescription": f.RString("about"),
		"userSpecifiedAnnotationList": []any{c.ref("TagAnnotation", tag), c.fresh("CommentAnnotation", map[string]any{"textValue": "new"})},
	}, file)
	if len(ids) != 1 {
		t.Fatalf("images %v", ids)
	}
	got := c.project("select i.name, i.description, i.fileset.id, p.sizeX, p.sizeY, t.value from DatasetImageLink l join l.child i join i.pixels p join p.pixelsType t where l.parent.id = :id", map[string]any{"id": d})
	if len(got) != 1 || got[0][0] != "renamed" || got[0][1] != "about" || got[0][3] != int32(40) || got[0][4] != int32(30) || got[0][5] != "uint8" {
		t.Errorf("image %v", got)
	}
	rows := c.project("select e.clientPath, o.path, o.name, o.size, o.hash, h.value from Fileset s join s.usedFiles e join e.originalFile o join o.hasher h where s.id = :id", map[string]any{"id": got[0][2]})
	if len(rows) != 1 || rows[0][0] != "home/ada/a/b/c/d/cells.png" || rows[0][3] != int64(len(file.data)) || rows[0][4] != file.sum() || rows[0][5] != "SHA1-160" {
		t.Errorf("files %v", rows)
	}
	if p := rows[0][1].(string); !strings.HasPrefix(p, fmt.Sprintf("ada_%d/2023-11/14/", f.users["ada"])) || !strings.HasSuffix(p, "/b/c/d/") {
		t.Errorf("path %q", p)
	}
	texts := c.project("select a.textValue from ImageAnnotationLink l join l.child a where l.parent.id = :id order by a.textValue", map[string]any{"id": ids[0]})
	if fmt.Sprint(texts) != "[[new] [old]]" {
		t.Errorf("annotations %v", texts)
	}
	if info := c.project("select v.name, v.value from FilesetJobLink l, UploadJob j join j.versionInfo v where l.child.id = j.id and l.parent.id = :id", map[string]any{"id": got[0][2]}); len(info) != 1 || info[0][1] != "k" {
		t.Errorf("version info %v", info)
	}
	// Others see it, and may not write into its file.
	if n := len(f.login("bob", "annotate").ids("select i.id from Image i where i.id = :id", map[string]any{"id": ids[0]})); n != 1 {
		t.Errorf("bob sees %d images", n)
	}

	// Deleting the fileset leaves nothing on the disk.
	rsp := c.run(f.defs.New("::omero::cmd::Delete2").Set("targetObjects", ice.Dict{{Key: "Fileset", Value: []int64{got[0][2].(int64)}}}))
	if !rsp.IsA("::omero::cmd::Delete2Response") {
		t.Fatalf("delete: %v", rsp.Values)
	}
	var left []string
	_ = filepath.Walk(filepath.Join(f.Dir(), ManagedRepository), func(p string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			left = append(left, p)
		}
		return nil
	})
	if len(left) > 0 {
		t.Errorf("left on the disk: %q", left)
	}
}

func TestImportOfAPlate(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	s := c.named("Screen", "S")
	file := upload{"hcs&plates=1&plateRows=2&plateCols=2&fields=1&plateAcqs=1&sizeX=16&sizeY=16.fake", []byte("x")}
	ids := c.imports(c.ref("Screen", s), nil, file)
	if len(ids) != 5 { // the plate comes first
		t.Fatalf("objects %v", ids)
	}
	if got := c.ids("select l.child.id from ScreenPlateLink l where l.parent.id = :id", map[string]any{"id": s}); len(got) != 1 || got[0] != ids[0] {
		t.Errorf("plates %v, want %d", got, ids[0])
	}
	if n := len(c.ids("select ws.id from Well w join w.wellSamples ws where w.plate.id = :id", map[string]any{"id": ids[0]})); n != 4 {
		t.Errorf("%d fields", n)
	}
	// By default nobody may read the originals of a plate.
	id := c.ids("select e.originalFile.id from FilesetEntry e", nil)[0]
	raw := c.open("createRawFileStore")
	c.must(raw, rawType, "setFileId", id)
	_, err := c.ask(raw, rawType, "read", int64(0), int32(1))
	wantException(t, "original of a plate", err, SecurityViolation)

	open := serveFiles(t, Config{BinaryAccess: "+read,+write,+image,+plate"})
	c = open.login("ada", "annotate")
	c.imports(nil, nil, file)
	raw = c.open("createRawFileStore")
	c.must(raw, rawType, "setFileId", c.ids("select e.originalFile.id from FilesetEntry e", nil)[0])
	if b := c.must(raw, rawType, "read", int64(0), int32(1)); string(b.([]byte)) != "x" {
		t.Errorf("read %q", b)
	}
}

func TestRefusedImports(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	repo := c.managed()
	begin := func(c *client, change func(fs, s *ice.Object)) error {
		fs, s := c.fileset(nil, nil, picture("a.png"))
		change(fs, s)
		_, err := c.ask(repo, managedType, "importFileset", fs, s)
		return err
	}
	wantException(t, "no files", begin(c, func(fs, _ *ice.Object) { fs.Set("usedFilesSeq", []any{}) }), APIUsage)
	wantException(t, "no algorithm", begin(c, func(_, s *ice.Object) { s.Set("checksumAlgorithm", nil) }), APIUsage)
	wantException(t, "unknown algorithm", begin(c, func(_, s *ice.Object) {
		s.Set("checksumAlgorithm", c.fresh("ChecksumAlgorithm", map[string]any{"value": "MD6"}))
	}), APIUsage)
	wantException(t, "two jobs", begin(c, func(fs, _ *ice.Object) {
		links := fs.Get("jobLinksSeq").([]any)
		fs.Set("jobLinksSeq", append(links, links[0]))
	}), Validation)
	wantException(t, "another job", begin(c, func(fs, _ *ice.Object) {
		fs.Get("jobLinksSeq").([]any)[0].(*ice.Object).Set("child", c.fresh("IndexingJob", nil))
	}), Validation)
	wantException(t, "a path upwards", begin(c, func(fs, _ *ice.Object) {
		fs.Get("usedFilesSeq").([]any)[0].(*ice.Object).Set("clientPath", f.RString("a/../../b.png"))
	}), "::omero::FilePathNamingException")
	wantException(t, "all groups", begin(c.on(-1), func(_, _ *ice.Object) {}), SecurityViolation)

	// A client without the session in its context is nobody to a repository.
	c.SetContext(map[string]string{"omero.client.uuid": "x", "omero.session.uuid": ""})
	_, err := c.ask(repo, managedType, "listChecksumAlgorithms")
	if err == nil {
		t.Error("a call without a session was answered")
	}

	// Before repositories() was called the router knows no repository.
	c = f.login("ada", "annotate")
	_, err = c.ask(repo, managedType, "listChecksumAlgorithms")
	wantStatus(t, "not admitted", err, ice.StatusObjectNotExist)
}

func TestUploadIsVerified(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	good := picture("a.png")
	fs, s := c.fileset(nil, nil, good)
	process := c.must(c.managed(), managedType, "importFileset", fs, s).(*ice.Proxy)
	verify := func() error {
		_, err := c.ask(process, processType, "verifyUpload", []string{good.sum()})
		return err
	}
	failing := func(err error) any {
		t.Helper()
		ex, _ := err.(*ice.UserException)
		if ex == nil || !ex.IsA("::omero::ChecksumValidationException") {
			t.Fatalf("got %v", err)
		}
		v, _ := ex.Get("failingChecksums").(ice.Dict).Get(int32(0))
		return v
	}
	if v := failing(verify()); v != "" {
		t.Errorf("before the upload: %v", v)
	}
	c.send(process, 0, []byte("wrong"))
	if v := failing(verify()); v != fmt.Sprintf("%x", sha1.Sum([]byte("wrong"))) {
		t.Errorf("wrong file: %v", v)
	}
	_, err := c.ask(process, processType, "verifyUpload", []string{})
	wantException(t, "too few sums", err, APIUsage)
	_, err = c.ask(process, processType, "getUploader", int32(1))
	wantException(t, "no such file", err, APIUsage)

	u := c.must(process, processType, "getUploader", int32(0)).(*ice.Proxy)
	c.must(u, rawType, "write", good.data, int64(0), int32(len(good.data)))
	if n := c.must(process, processType, "getUploadOffset", int32(0)); n != int64(len(good.data)) {
		t.Errorf("offset %v", n)
	}
	_, err = c.ask(u, rawType, "setFileId", int64(1))
	wantException(t, "another file", err, APIUsage)
	c.must(u, rawType, "close")
	if n := c.must(process, processType, "getUploadOffset", int32(0)); n != int64(0) {
		t.Errorf("offset %v after close", n)
	}
	_, err = c.ask(u, rawType, "size")
	wantStatus(t, "a closed uploader", err, ice.StatusObjectNotExist)
	if n := len(c.must(c.managed(), managedType, "listImports").([]any)); n != 1 {
		t.Errorf("%d imports run", n)
	}
	if rsp := c.finish(process, good); !rsp.IsA("::omero::grid::ImportResponse") {
		t.Errorf("import: %v", rsp.Values)
	}
	if n := len(c.must(c.managed(), managedType, "listImports").([]any)); n != 0 {
		t.Errorf("%d imports run after close", n)
	}
}

func TestFailedImports(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	project := c.ref("Project", c.named("Project", "P"))
	elsewhere := c.ref("Dataset", c.on(f.groups["write"]).named("Dataset", "D"))
	bobs := c.ref("Dataset", f.login("bob", "annotate").named("Dataset", "B"))
	for _, tc := range []struct {
		file   upload
		target any
		want   string
	}{
		{upload{"notes.txt", []byte("hello")}, nil, "error-on-init"},
		{upload{"half.png", picture("").data[:50]}, nil, "error-on-init"},
		{picture("p.png"), project, "import-request-failure"},
		{picture("p.png"), elsewhere, "import-request-failure"},
		{picture("p.png"), bobs, "import-request-failure"},
	} {
		rsp := c.finish(c.begin(tc.target, nil, tc.file), tc.file)
		if !rsp.IsA("::omero::cmd::ERR") || rsp.Get("name") != tc.want || rsp.Get("category") != "::omero::grid::ImportRequest" {
			t.Errorf("%s: got %s %v", tc.file.path, rsp.Class.ID, rsp.Values)
			continue
		}
		if text, ok := rsp.Get("parameters").(ice.Dict).Get("message"); !ok || text == "" {
			t.Errorf("%s: no message", tc.file.path)
		}
	}
	if n := f.Store().Count("Image"); n != 0 {
		t.Errorf("%d images", n)
	}
	left := c.ids("select s.id from Fileset s where s.details.owner.id = :uid and not exists (select i.id from Image i where i.fileset = s)", map[string]any{"uid": f.users["ada"]})
	if len(left) != 5 {
		t.Errorf("%d filesets left", len(left))
	}
}

func TestImportByPathsAndAutoClose(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	repo := c.managed()
	file := picture("b.png")
	process := c.must(repo, managedType, "importPaths", []string{"a/b.png"}).(*ice.Proxy)
	c.send(process, 0, file.data)
	if h, _ := c.must(process, processType, "getHandle").(*ice.Proxy); h != nil {
		t.Errorf("a handle before the upload was verified: %v", h)
	}
	if rsp := c.finish(process, file); !rsp.IsA("::omero::grid::ImportResponse") {
		t.Errorf("import by paths: %v", rsp.Values)
	}

	auto := c.fresh("BooleanAnnotation", map[string]any{"ns": nsAutoClose, "boolValue": true})
	process = c.begin(nil, map[string]any{"userSpecifiedAnnotationList": []any{auto}}, file)
	handle := c.must(process, processType, "verifyUpload", []string{file.sum()}).(*ice.Proxy)
	if rsp := c.wait(handle); !rsp.IsA("::omero::grid::ImportResponse") {
		t.Fatalf("import: %v", rsp.Values)
	}
	_, err := c.ask(process, processType, "getHandle")
	wantStatus(t, "a process that closed itself", err, ice.StatusObjectNotExist)
	if n := f.Store().Count("BooleanAnnotation"); n != 0 {
		t.Errorf("%d annotations made of the wish to close", n)
	}
}

func TestAlgorithmsAndListing(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	repo := c.managed()
	known := c.must(repo, managedType, "listChecksumAlgorithms").([]any)
	if len(known) == 0 || unbox(known[0].(*ice.Object).Get("value")) != "SHA1-160" {
		t.Errorf("algorithms %v", known)
	}
	alg := func(name string) any { return c.fresh("ChecksumAlgorithm", map[string]any{"value": name}) }
	got := c.must(repo, managedType, "suggestChecksumAlgorithm", []any{alg("MD5-128"), alg("SHA1-160")}).(*ice.Object)
	if unbox(got.Get("value")) != "SHA1-160" {
		t.Errorf("suggested %v", got.Values)
	}
	if got := c.must(repo, managedType, "suggestChecksumAlgorithm", []any{alg("MD6")}); got != nil && got.(*ice.Object) != nil {
		t.Errorf("suggested %v", got)
	}
	c.imports(nil, nil, picture("x/a.png"))
	top := c.must(repo, managedType, "list", "/").([]string)
	if len(top) != 1 || top[0] != fmt.Sprintf("/ada_%d", f.users["ada"]) {
		t.Errorf("list %q", top)
	}
	if ok := c.must(repo, managedType, "fileExists", top[0]); ok != true {
		t.Error("a folder that was listed does not exist")
	}
	_, err := c.ask(repo, managedType, "fileExists", "a:b")
	wantException(t, "an illegal path", err, "::omero::FilePathNamingException")
	files := c.ids("select e.originalFile.id from FilesetEntry e", nil)
	if bad := c.must(repo, managedType, "verifyChecksums", files).([]int64); len(bad) != 0 {
		t.Errorf("bad files %v", bad)
	}
	tree := c.must(repo, managedType, "treeList", "/").(*ice.Object)
	if _, ok := tree.Get("val").(ice.Dict).Get(top[0][1:]); !ok {
		t.Errorf("tree %v", tree.Values)
	}
	raw := c.must(repo, managedType, "fileById", files[0]).(*ice.Proxy)
	_, err = c.ask(raw, rawType, "write", []byte{1}, int64(0), int32(1))
	wantException(t, "fileById is read-only", err, SecurityViolation)
}
