package blitz

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"slices"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

const engineType = "::omero::api::RenderingEngine"

// made makes an image of 4 by 2 samples of two channels with createImage.
func (c *client) made() (image, pixels int64) {
	c.f.t.Helper()
	kind := c.call("ITypes", "getEnumeration", "PixelsType", "uint16")[0]
	image = unbox(c.call("IPixels", "createImage", int32(4), int32(2), int32(2), int32(1), []int32{0, 1}, kind, "drawn äö", "d")[0]).(int64)
	pixels = c.pixelsOf(image)
	s := c.open("createRawPixelsStore")
	c.must(s, pixelsType, "setPixelsId", pixels, true)
	for ch := range int32(2) {
		for z := range int32(2) {
			var plane []byte
			for i := range 8 {
				plane = binary.BigEndian.AppendUint16(plane, uint16(i*100+int(z)*10))
			}
			c.must(s, pixelsType, "setPlane", plane, z, ch, int32(0))
		}
		c.call("IPixels", "setChannelGlobalMinMax", pixels, ch, 0.0, 710.0)
	}
	c.must(s, pixelsType, "close")
	return image, pixels
}

// renderer opens an engine for pixels.
func (c *client) renderer(pixels int64) *ice.Proxy {
	c.f.t.Helper()
	e := c.open("createRenderingEngine")
	c.must(e, engineType, "lookupPixels", pixels)
	if c.must(e, engineType, "lookupRenderingDef", pixels) == false {
		c.must(e, engineType, "resetDefaultSettings", true)
	}
	c.must(e, engineType, "load")
	return e
}

func (c *client) plane(z int32, region ...int32) *ice.Object {
	def := c.f.defs.New("::omero::romio::PlaneDef").Set("z", z)
	if region != nil {
		def.Set("region", c.f.defs.New("::omero::romio::RegionDef").Set("x", region[0]).Set("y", region[1]).Set("width", region[2]).Set("height", region[3]))
	}
	return def
}

func TestRenderingEngine(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	_, pixels := c.made()
	e := c.open("createRenderingEngine")
	_, err := c.ask(e, engineType, "renderAsPackedInt", c.plane(0))
	wantException(t, "nothing looked up", err, APIUsage)
	c.must(e, engineType, "lookupPixels", pixels)
	_, err = c.ask(e, engineType, "load")
	wantException(t, "no settings", err, APIUsage)
	if found := c.must(e, engineType, "lookupRenderingDef", pixels); found != false {
		t.Error("new pixels have settings")
	}

	e = c.renderer(pixels)
	for op, want := range map[string]float64{"getChannelWindowStart": 0, "getChannelWindowEnd": 710, "getPixelsTypeUpperBound": 65535} {
		if got := c.must(e, engineType, op, int32(1)); got != want {
			t.Errorf("%s: got %v, want %v", op, got, want)
		}
	}
	c.must(e, engineType, "setActive", int32(1), false)
	c.must(e, engineType, "setChannelWindow", int32(0), 100.0, 355.0)
	c.must(e, engineType, "setRGBA", int32(0), int32(0), int32(255), int32(0), int32(255))
	green := func(v any) (out []byte) {
		for _, p := range v.([]int32) {
			if uint32(p)&0xffff00ff != 0xff000000 {
				t.Errorf("pixel %#x is not green", uint32(p))
			}
			out = append(out, byte(uint32(p)>>8))
		}
		return out
	}
	want := []byte{0, 0, 100, 200, 255, 255, 255, 255}
	if got := green(c.must(e, engineType, "renderAsPackedInt", c.plane(0))); !bytes.Equal(got, want) {
		t.Errorf("section: got %v, want %v", got, want)
	}
	if got := green(c.must(e, engineType, "renderAsPackedInt", c.plane(1, 1, 0, 2, 1))); !bytes.Equal(got, []byte{10, 110}) {
		t.Errorf("region: got %v", got)
	}
	if got := green(c.must(e, engineType, "renderProjectedAsPackedInt", int32(1), int32(0), int32(1), int32(0), int32(1))); !bytes.Equal(got[1:4], []byte{5, 105, 205}) {
		t.Errorf("mean of two sections: got %v", got)
	}
	bands := c.must(e, engineType, "render", c.plane(0)).(*ice.Object).Get("bands").([]any)
	if !bytes.Equal(bands[1].([]byte), want) || !bytes.Equal(bands[0].([]byte), make([]byte, 8)) {
		t.Errorf("bands: got %v", bands)
	}
	img, err := jpeg.Decode(bytes.NewReader(c.must(e, engineType, "renderCompressed", c.plane(0)).([]byte)))
	if err != nil || img.Bounds().Dx() != 4 || img.Bounds().Dy() != 2 {
		t.Errorf("JPEG: got %v, %v", img, err)
	}
	c.must(e, engineType, "addCodomainMapToChannel", f.defs.New("::omero::romio::ReverseIntensityMapContext"), int32(0))
	if got := green(c.must(e, engineType, "renderAsPackedInt", c.plane(0))); got[2] != 155 {
		t.Errorf("reversed: got %v", got)
	}
	for op, args := range map[string][]any{
		"isActive": {int32(2)}, "renderAsPackedInt": {c.plane(2)}, "setChannelWindow": {int32(0), 5.0, 1.0}, "setRGBA": {int32(0), int32(256), int32(0), int32(0), int32(0)},
	} {
		_, err := c.ask(e, engineType, op, args...)
		wantException(t, op, err, APIUsage)
	}
}

func TestRenderingIsKept(t *testing.T) {
	f := serveFiles(t, Config{})
	c, bob := f.login("ada", "annotate"), f.login("bob", "annotate")
	image, pixels := c.made()
	e := c.renderer(pixels)
	def := c.must(e, engineType, "getRenderingDefId")
	c.must(e, engineType, "setChannelWindow", int32(1), 5.0, 50.0)
	c.must(e, engineType, "addCodomainMap", f.defs.New("::omero::romio::ReverseIntensityMapContext"))
	c.must(e, engineType, "setDefaultZ", int32(1))
	c.must(e, engineType, "saveCurrentSettings")
	e = c.renderer(pixels)
	if id := c.must(e, engineType, "getRenderingDefId"); id != def {
		t.Errorf("settings %v, want the same %v", id, def)
	}
	if v := c.must(e, engineType, "getChannelWindowStart", int32(1)); v != 5.0 || c.must(e, engineType, "getDefaultZ") != int32(1) {
		t.Errorf("kept window starts at %v", v)
	}
	if list := c.must(e, engineType, "getCodomainMapContext", int32(0)).([]any); len(list) != 1 {
		t.Errorf("%d codomain maps, want 1", len(list))
	}

	// Others see the owner's settings and keep their own.
	theirs := bob.renderer(pixels)
	if v := bob.must(theirs, engineType, "getChannelWindowStart", int32(1)); v != 5.0 {
		t.Errorf("bob's window starts at %v", v)
	}
	bob.must(theirs, engineType, "setChannelWindow", int32(1), 7.0, 70.0)
	bob.must(theirs, engineType, "saveCurrentSettings")
	owners := map[int64]int{}
	for _, d := range f.store.Collection("Pixels", pixels, "settings") {
		owners[d.Owner]++
	}
	if owners[f.users["ada"]] != 1 || owners[f.users["bob"]] != 1 {
		t.Errorf("settings by owner: %v", owners)
	}
	ro := f.login("ada", "readonly")
	_, other := ro.made()
	x := f.login("bob", "readonly")
	e = x.open("createRenderingEngine")
	x.must(e, engineType, "lookupPixels", other)
	_, err := x.ask(e, engineType, "resetDefaultSettings", true)
	wantException(t, "settings in a read-only group", err, SecurityViolation)

	// The settings of one image go to another, and back to what they were.
	second, to := c.made()
	service := c.open("getRenderingSettingsService")
	const kind = "::omero::api::IRenderingSettings"
	done := c.must(service, kind, "applySettingsToSet", pixels, "Image", []int64{second}).(ice.Dict)
	if yes, _ := done.Get(true); !slices.Equal(yes.([]int64), []int64{second}) {
		t.Errorf("applied: got %v", done)
	}
	e = c.renderer(to)
	if v := c.must(e, engineType, "getChannelWindowStart", int32(1)); v != 5.0 {
		t.Errorf("applied window starts at %v", v)
	}
	if got := c.must(service, kind, "resetDefaultsInSet", "Image", []int64{second, image}).([]int64); len(got) != 2 {
		t.Errorf("reset: got %v", got)
	}
	e = c.renderer(to)
	if v := c.must(e, engineType, "getChannelWindowEnd", int32(1)); v != 710.0 {
		t.Errorf("window ends at %v, want all", v)
	}
	if list := c.must(e, engineType, "getCodomainMapContext", int32(0)).([]any); len(list) != 0 {
		t.Errorf("%d codomain maps, want none", len(list))
	}
}

func TestCreatedImages(t *testing.T) {
	f := serveFiles(t, Config{})
	c := f.login("ada", "annotate")
	image, pixels := c.made()
	if row := f.store.Get("Image", image); row.Text("name") != "drawn äö" || row.Owner != f.users["ada"] || row.Group != f.groups["annotate"] {
		t.Errorf("image: got %v", row.Values)
	}
	s := c.open("createRawPixelsStore")
	c.must(s, pixelsType, "setPixelsId", pixels, false)
	h := c.must(s, pixelsType, "getHistogram", []int32{0}, int32(8), true, c.plane(0)).(ice.Dict)
	if counts, _ := h.Get(int32(0)); !slices.Equal(counts.([]int32), []int32{1, 1, 1, 1, 1, 1, 1, 1}) {
		t.Errorf("histogram: got %v", h)
	}
	h = c.must(s, pixelsType, "getHistogram", []int32{1}, int32(2), false, c.plane(0)).(ice.Dict)
	if counts, _ := h.Get(int32(1)); !slices.Equal(counts.([]int32), []int32{4, 4}) {
		t.Errorf("histogram of the section: got %v", h)
	}
	copied := unbox(c.call("IPixels", "copyAndResizeImage", image, f.RInt(2), nil, nil, nil, []int32{1}, "", true)[0]).(int64)
	px := f.store.Get("Pixels", c.pixelsOf(copied))
	if px.Get("sizeX") != int32(2) || px.Get("sizeZ") != int32(2) || px.Get("sizeC") != int32(1) || len(f.store.Collection("Pixels", px.ID, "channels")) != 1 {
		t.Errorf("copy: got %v", px.Values)
	}
	bob := f.login("bob", "annotate")
	_, err := bob.try("IPixels", "setChannelGlobalMinMax", pixels, int32(0), 1.0, 2.0)
	wantException(t, "another's channel", err, SecurityViolation)
	kind := c.call("ITypes", "getEnumeration", "PixelsType", "uint8")[0]
	_, err = c.try("IPixels", "createImage", int32(0), int32(2), int32(2), int32(1), []int32{0}, kind, "x", "")
	wantException(t, "no columns", err, APIUsage)
	if n := f.store.Count("StatsInfo"); n != 3 {
		t.Errorf("%d ranges of channels, want 3", n)
	}
	f.store.Each("StatsInfo", func(r *store.Row) bool {
		if r.Owner != f.users["ada"] {
			t.Errorf("range of %d", r.Owner)
		}
		return true
	})
}
