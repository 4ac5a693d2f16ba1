package blitz

import (
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"image"
	"image/png"
	"testing"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// serveFiles is serve with the services for files.
func serveFiles(t *testing.T, cfg Config) *fixture {
	t.Helper()
	cfg.Dir = t.TempDir()
	f := serve(t, cfg)
	files, err := repository.Open(cfg.Dir, f.Store())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	f.ServeFiles(files)
	return f
}

// open calls a getter and returns the object it gives.
func (c *client) open(getter string) *ice.Proxy {
	c.f.t.Helper()
	out, err := c.factory(getter)
	if err != nil {
		c.f.t.Fatalf("%s: %v", getter, err)
	}
	return out[0].(*ice.Proxy)
}

// ask calls an operation of an object.
func (c *client) ask(p *ice.Proxy, iface, op string, args ...any) (any, error) {
	out, err := c.CallName(c.f.t.Context(), p, iface, op, c.ctx, args...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out[0], nil
}

func (c *client) must(p *ice.Proxy, iface, op string, args ...any) any {
	c.f.t.Helper()
	v, err := c.ask(p, iface, op, args...)
	if err != nil {
		c.f.t.Fatalf("%s.%s: %v", shortName(iface), op, err)
	}
	return v
}

const (
	managedType = "::omero::grid::ManagedRepository"
	processType = "::omero::grid::ImportProcess"
	rawType     = "::omero::api::RawFileStore"
	pixelsType  = "::omero::api::RawPixelsStore"
	thumbType   = "::omero::api::ThumbnailStore"
	handleType  = "::omero::cmd::Handle"
)

// managed finds the managed repository as clients do.
func (c *client) managed() *ice.Proxy {
	c.f.t.Helper()
	m := c.must(c.open("sharedResources"), "::omero::grid::SharedResources", "repositories").(*ice.Record)
	for _, v := range m.Get("proxies").([]any) {
		if p, _ := v.(*ice.Proxy); p != nil {
			if ok, err := c.IsA(c.f.t.Context(), p, managedType); err == nil && ok {
				return p
			}
		}
	}
	c.f.t.Fatal("no managed repository")
	return nil
}

// upload is a file to be imported.
type upload struct {
	path string
	data []byte
}

func (u upload) sum() string { return fmt.Sprintf("%x", sha1.Sum(u.data)) }

// fileset makes the arguments of importFileset.
func (c *client) fileset(target any, settings map[string]any, files ...upload) (*ice.Object, *ice.Object) {
	fs := c.fresh("Fileset", nil)
	var entries []any
	for _, f := range files {
		entries = append(entries, c.fresh("FilesetEntry", map[string]any{"clientPath": f.path, "fileset": fs}))
	}
	job := c.fresh("UploadJob", map[string]any{"versionInfo": c.f.NamedValues([]store.NamedValue{{Name: "omerods.import", Value: "k"}})})
	fs.Set("usedFilesSeq", entries).Set("usedFilesLoaded", true).Set("jobLinksLoaded", true)
	fs.Set("jobLinksSeq", []any{c.fresh("FilesetJobLink", map[string]any{"parent": fs, "child": job})})
	s := c.f.defs.New("::omero::grid::ImportSettings").
		Set("checksumAlgorithm", c.fresh("ChecksumAlgorithm", map[string]any{"value": "SHA1-160"}))
	if target != nil {
		s.Set("userSpecifiedTarget", target)
	}
	for k, v := range settings {
		s.Set(k, v)
	}
	return fs, s
}

// send uploads a file of an import.
func (c *client) send(process *ice.Proxy, i int, data []byte) {
	c.f.t.Helper()
	u := c.must(process, processType, "getUploader", int32(i)).(*ice.Proxy)
	c.must(u, rawType, "write", []byte{}, int64(0), int32(0))
	for at := 0; at < len(data); at += 1000 {
		part := data[at:min(at+1000, len(data))]
		c.must(u, rawType, "write", part, int64(at), int32(len(part)))
	}
	c.must(u, rawType, "close")
}

// begin starts an import and uploads the files.
func (c *client) begin(target any, settings map[string]any, files ...upload) *ice.Proxy {
	c.f.t.Helper()
	fs, s := c.fileset(target, settings, files...)
	process := c.must(c.managed(), managedType, "importFileset", fs, s).(*ice.Proxy)
	for i, f := range files {
		c.send(process, i, f.data)
	}
	return process
}

// finish verifies an upload and waits for the response.
func (c *client) finish(process *ice.Proxy, files ...upload) *ice.Object {
	c.f.t.Helper()
	var sums []string
	for _, f := range files {
		sums = append(sums, f.sum())
	}
	handle := c.must(process, processType, "verifyUpload", sums).(*ice.Proxy)
	c.must(process, processType, "close")
	return c.wait(handle)
}

func (c *client) wait(handle *ice.Proxy) *ice.Object {
	c.f.t.Helper()
	ctx, cancel := context.WithTimeout(c.f.t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if rsp, _ := c.must(handle, handleType, "getResponse").(*ice.Object); rsp != nil {
			return rsp
		}
		time.Sleep(time.Millisecond)
	}
	c.f.t.Fatal("the import does not end")
	return nil
}

// imports does a whole import and returns the ids of plates and images.
func (c *client) imports(target any, settings map[string]any, files ...upload) []int64 {
	c.f.t.Helper()
	rsp := c.finish(c.begin(target, settings, files...), files...)
	if !rsp.IsA("::omero::grid::ImportResponse") {
		c.f.t.Fatalf("import: %v", rsp.Values)
	}
	var ids []int64
	for _, v := range rsp.Get("objects").([]any) {
		ids = append(ids, unbox(v.(*ice.Object).Get("id")).(int64))
	}
	return ids
}

func picture(name string) upload {
	img := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range img.Pix {
		img.Pix[i] = byte(i)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return upload{name, b.Bytes()}
}
