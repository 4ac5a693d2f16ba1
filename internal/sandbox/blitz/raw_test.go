package blitz

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"image/jpeg"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// attachment makes an OriginalFile for an annotation.
func (c *client) attachment(name string) int64 {
	c.f.t.Helper()
	return c.save(c.fresh("OriginalFile", map[string]any{
		"name": name, "path": "docs/", "size": int64(0), "mimetype": "text/plain",
		"hasher": c.fresh("ChecksumAlgorithm", map[string]any{"value": "SHA1-160"}),
	}))[0]
}

func TestRawFileStore(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	id := c.attachment("notes.bin")
	raw := c.open("createRawFileStore")
	_, err := c.ask(raw, rawType, "read", int64(0), int32(1))
	wantException(t, "no file yet", err, APIUsage)
	_, err = c.ask(raw, rawType, "setFileId", int64(99999))
	wantException(t, "no such file", err, Validation)
	c.must(raw, rawType, "setFileId", id)
	if got := unbox(c.must(raw, rawType, "getFileId")); got != id {
		t.Errorf("file %v", got)
	}
	if saved := c.must(raw, rawType, "save"); saved != nil && saved.(*ice.Object) != nil {
		t.Errorf("saved %v although nothing was written", saved)
	}
	c.must(raw, rawType, "write", []byte("hello world"), int64(0), int32(5))
	if n := c.must(raw, rawType, "size"); n != int64(5) {
		t.Errorf("size %v", n)
	}
	if b := c.must(raw, rawType, "read", int64(3), int32(4)); string(b.([]byte)) != "lo\x00\x00" {
		t.Errorf("read %q", b)
	}
	if b := c.must(raw, rawType, "read", int64(500), int32(2)); string(b.([]byte)) != "\x00\x00" {
		t.Errorf("read %q beyond the end", b)
	}
	saved := c.must(raw, rawType, "save").(*ice.Object)
	if unbox(saved.Get("hash")) != fmt.Sprintf("%x", sha1.Sum([]byte("hello"))) || unbox(saved.Get("size")) != int64(5) {
		t.Errorf("saved %v", saved.Values)
	}
	if ok := c.must(raw, rawType, "truncate", int64(9)); ok != false {
		t.Error("truncate made the file longer")
	}
	if ok := c.must(raw, rawType, "truncate", int64(4)); ok != true {
		t.Error("truncate did nothing")
	}
	for what, args := range map[string][]any{"too long": {int64(0), int32(64_000_001)}, "negative": {int64(-1), int32(1)}} {
		_, err = c.ask(raw, rawType, "read", args...)
		wantException(t, what, err, APIUsage)
	}
	_, err = c.ask(raw, rawType, "write", []byte("ab"), int64(0), int32(3))
	wantException(t, "more than was sent", err, APIUsage)
	c.must(raw, rawType, "close")
	_, err = c.ask(raw, rawType, "size")
	wantStatus(t, "closed", err, ice.StatusObjectNotExist)
	row := f.Store().Get("OriginalFile", id)
	if row.Text("hash") != fmt.Sprintf("%x", sha1.Sum([]byte("hell"))) || row.Get("size") != int64(4) {
		t.Errorf("after close: %v", row.Values)
	}

	// Who may do what.
	for _, tc := range []struct {
		c     *client
		read  string
		write string
	}{
		{f.login("bob", "annotate"), "", SecurityViolation},
		{c.on(-1), "", SecurityViolation}, // all groups: reading only
		{f.login("eve", "annotate"), "", ""},
	} {
		raw := tc.c.open("createRawFileStore")
		tc.c.must(raw, rawType, "setFileId", id)
		if b := tc.c.must(raw, rawType, "read", int64(0), int32(4)); string(b.([]byte)) != "hell" {
			t.Errorf("read %q", b)
		}
		_, err := tc.c.ask(raw, rawType, "write", []byte("hell"), int64(0), int32(4))
		if tc.write == "" && err != nil {
			t.Errorf("write: %v", err)
		} else if tc.write != "" {
			wantException(t, "write", err, tc.write)
		}
	}
	secret := f.login("ada", "private").attachment("secret")
	bob := f.login("bob", "private")
	raw = bob.open("createRawFileStore")
	_, err = bob.ask(raw, rawType, "setFileId", secret)
	wantException(t, "a private file", err, SecurityViolation)

	// Unsaved bytes are not lost when the session ends.
	c2 := f.login("ada", "annotate")
	id2 := c2.attachment("late")
	raw = c2.open("createRawFileStore")
	c2.must(raw, rawType, "setFileId", id2)
	c2.must(raw, rawType, "write", []byte("late"), int64(0), int32(4))
	if err := c2.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.Store().Get("OriginalFile", id2).Text("hash"); got != fmt.Sprintf("%x", sha1.Sum([]byte("late"))) {
		t.Errorf("hash %q after the session ended", got)
	}
}

// pixelsOf returns the id of an image's pixels.
func (c *client) pixelsOf(image int64) int64 {
	c.f.t.Helper()
	return c.ids("select p.id from Pixels p where p.image.id = :id", map[string]any{"id": image})[0]
}

func TestRawPixelsOfFiles(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	fake := "s&sizeX=20&sizeY=10&sizeZ=2&sizeC=2&sizeT=2&pixelType=uint16.fake"
	px := c.pixelsOf(c.imports(nil, nil, upload{fake, nil})[0])
	s := c.open("createRawPixelsStore")
	_, err := c.ask(s, pixelsType, "getPlane", int32(0), int32(0), int32(0))
	wantException(t, "no pixels yet", err, APIUsage)
	c.must(s, pixelsType, "setPixelsId", px, false)
	if out, err := c.factory("getByName", s.Identity.Name); err != nil || out[0].(*ice.Proxy).Identity != s.Identity {
		t.Errorf("the open store by name: got %v, %v", out, err)
	}
	plane := c.must(s, pixelsType, "getPlane", int32(1), int32(0), int32(1)).([]byte)
	if len(plane) != 400 {
		t.Fatalf("plane of %d bytes", len(plane))
	}
	i := func(v ...int32) []any {
		var out []any
		for _, x := range v {
			out = append(out, x)
		}
		return out
	}
	tile := c.must(s, pixelsType, "getTile", i(1, 0, 1, 3, 4, 5, 2)...).([]byte)
	want := append(bytes.Clone(plane[(4*20+3)*2:(4*20+8)*2]), plane[(5*20+3)*2:(5*20+8)*2]...)
	if !bytes.Equal(tile, want) {
		t.Error("the tile is not that part of the plane")
	}
	if row := c.must(s, pixelsType, "getRow", i(7, 1, 0, 1)...).([]byte); !bytes.Equal(row, plane[7*40:8*40]) {
		t.Error("the row is not that of the plane")
	}
	at := c.must(s, pixelsType, "getPlaneOffset", i(1, 0, 1)...).(int64)
	if region := c.must(s, pixelsType, "getRegion", int32(400), at).([]byte); !bytes.Equal(region, plane) {
		t.Error("the region is not the plane")
	}
	if stack := c.must(s, pixelsType, "getStack", i(0, 1)...).([]byte); !bytes.Equal(stack[400:], plane) {
		t.Error("the stack does not end with the plane")
	}
	cube := c.must(s, pixelsType, "getHypercube", []int32{0, 0, 1, 0, 1}, []int32{20, 10, 1, 1, 1}, []int32{2, 1 << 30, 1, 1, 1}).([]byte)
	if len(cube) != 20 || !bytes.Equal(cube[2:4], plane[4:6]) {
		t.Errorf("cube of %d bytes", len(cube))
	}
	for op, args := range map[string][]any{
		"getPlane": i(2, 0, 0), "getTile": i(0, 0, 0, 15, 0, 6, 1), "getRow": i(10, 0, 0, 0), "getRegion": {int32(1), int64(400 * 8)},
		"getPlaneRegion": i(0, 0, 0, 1, 200),
	} {
		_, err := c.ask(s, pixelsType, op, args...)
		wantException(t, op+" outside", err, APIUsage)
	}
	_, err = c.ask(s, pixelsType, "setPlane", make([]byte, 400), int32(0), int32(0), int32(0))
	wantException(t, "pixels of files", err, SecurityViolation)
	if n := c.must(s, pixelsType, "getTotalSize"); n != int64(400*8) {
		t.Errorf("total %v", n)
	}
}

func TestRawPixelsOfNoFiles(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	image := c.fresh("Image", map[string]any{"name": "made by hand"})
	pixels := c.fresh("Pixels", map[string]any{
		"image": image, "sizeX": int32(4), "sizeY": int32(3), "sizeZ": int32(2), "sizeC": int32(1), "sizeT": int32(1), "sha1": "Pending...",
		"pixelsType":     c.fresh("PixelsType", map[string]any{"value": "uint8"}),
		"dimensionOrder": c.fresh("DimensionOrder", map[string]any{"value": "XYZCT"}),
	})
	image.Set("pixelsSeq", []any{pixels}).Set("pixelsLoaded", true)
	id := c.save(pixels)[0]
	s := c.open("createRawPixelsStore")
	c.must(s, pixelsType, "setPixelsId", id, false)
	first, second := bytes.Repeat([]byte{1}, 12), bytes.Repeat([]byte{2}, 12)
	c.must(s, pixelsType, "setPlane", first, int32(0), int32(0), int32(0))
	c.must(s, pixelsType, "setPlane", second, int32(1), int32(0), int32(0))
	c.must(s, pixelsType, "setTile", []byte{9, 9}, int32(1), int32(0), int32(0), int32(2), int32(1), int32(1), int32(2))
	second[4+2], second[8+2] = 9, 9
	if got := c.must(s, pixelsType, "getPlane", int32(1), int32(0), int32(0)).([]byte); !bytes.Equal(got, second) {
		t.Errorf("plane %v, want %v", got, second)
	}
	_, err := c.ask(s, pixelsType, "setPlane", first[:5], int32(0), int32(0), int32(0))
	wantException(t, "half a plane", err, APIUsage)
	saved := c.must(s, pixelsType, "save").(*ice.Object)
	if want := fmt.Sprintf("%x", sha1.Sum(append(bytes.Clone(first), second...))); unbox(saved.Get("sha1")) != want {
		t.Errorf("sum %v, want %s", unbox(saved.Get("sha1")), want)
	}
	bob := f.login("bob", "annotate")
	s = bob.open("createRawPixelsStore")
	bob.must(s, pixelsType, "setPixelsId", id, false)
	_, err = bob.ask(s, pixelsType, "setPlane", first, int32(0), int32(0), int32(0))
	wantException(t, "another's pixels", err, SecurityViolation)
}

func TestThumbnailStore(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	seen := c.pixelsOf(c.imports(nil, nil, upload{"a&sizeX=200&sizeY=100&sizeC=2.fake", nil})[0])
	bare := c.pixelsOf(c.imports(nil, map[string]any{"doThumbnails": f.RBool(false)}, picture("b.png"))[0])
	s := c.open("createThumbnailStore")
	_, err := c.ask(s, thumbType, "getThumbnailByLongestSide", f.RInt(96))
	wantException(t, "no pixels yet", err, APIUsage)
	if ok := c.must(s, thumbType, "setPixelsId", seen); ok != true {
		t.Error("imported pixels have no rendering settings")
	}
	size := func(v any) string {
		t.Helper()
		img, err := jpeg.Decode(bytes.NewReader(v.([]byte)))
		if err != nil {
			t.Fatal(err)
		}
		return img.Bounds().Size().String()
	}
	if got := size(c.must(s, thumbType, "getThumbnailByLongestSide", f.RInt(96))); got != "(96,48)" {
		t.Errorf("by longest side %s", got)
	}
	if got := size(c.must(s, thumbType, "getThumbnail", f.RInt(30), nil)); got != "(30,48)" {
		t.Errorf("exactly %s", got)
	}
	_, err = c.ask(s, thumbType, "getThumbnail", f.RInt(-3), nil)
	wantException(t, "no size", err, APIUsage)
	all := c.must(s, thumbType, "getThumbnailByLongestSideSet", f.RInt(50), []int64{seen, bare, 99999}).(ice.Dict)
	if len(all) != 2 {
		t.Errorf("%d thumbnails of 2", len(all))
	}
	if ok := c.must(s, thumbType, "setPixelsId", bare); ok != false {
		t.Error("pixels without rendering settings have some")
	}
	c.must(s, thumbType, "resetDefaults")
	if ok := c.must(s, thumbType, "setPixelsId", bare); ok != true {
		t.Error("resetDefaults made no rendering settings")
	}
	_, err = c.ask(s, thumbType, "setPixelsId", int64(99999))
	wantException(t, "no such pixels", err, Validation)
}

func TestScriptedImageHasPixels(t *testing.T) {
	f := serveFiles(t, Config{})
	files, err := repository.Open(f.Dir(), f.Store())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	pic := imaging.Picture{
		Series: imaging.Series{Name: "drawn", SizeX: 5, SizeY: 4, SizeZ: 1, SizeC: 1, SizeT: 1, Type: imaging.Uint8},
		Plane:  func(int, int, int) []byte { return bytes.Repeat([]byte{7}, 20) },
	}
	row, err := files.AddImage(store.Actor{User: f.users["ada"], Group: f.groups["annotate"]}, pic)
	if err != nil {
		t.Fatal(err)
	}
	c := f.login("bob", "annotate")
	s := c.open("createRawPixelsStore")
	c.must(s, pixelsType, "setPixelsId", c.pixelsOf(row.ID), true)
	if b := c.must(s, pixelsType, "getPlane", int32(0), int32(0), int32(0)).([]byte); !bytes.Equal(b, pic.Plane(0, 0, 0)) {
		t.Errorf("plane %v", b)
	}
}
