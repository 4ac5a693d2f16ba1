package omero_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/store"
)

// pictured imports an image for one test and describes its pixels.
func pictured(t *testing.T, c *omero.Client) omero.Pixels {
	t.Helper()
	name := "x&sizeX=32&sizeY=24&sizeC=3&pixelType=uint16.fake"
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{name}, Thumbnails: true})
	check(t, err)
	_, _, err = im.Upload(ctx, 0, strings.NewReader(""))
	check(t, err)
	res, err := im.Finish(ctx, nil)
	check(t, err)
	pixels, err := c.PixelsOf(t.Context(), res.Images)
	check(t, err)
	return pixels[0]
}

// rendering returns the settings that a user has for pixels, read from the
// server's store.
func (s *server) rendering(t *testing.T, pixels, user int64) []*store.Row {
	t.Helper()
	var out []*store.Row
	s.store.Each("RenderingDef", func(r *store.Row) bool {
		if r.Ref("pixels") == pixels && r.Owner == user {
			out = append(out, r)
		}
		return true
	})
	return out
}

func TestRenderingSettingsAreWritten(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	p := pictured(t, c)
	list, err := c.Renderings(t.Context(), []int64{p.Image})
	check(t, err)
	if len(list) != 1 || len(list[0].Channels) != 3 {
		t.Fatalf("got %+v", list)
	}
	quality := 0.7
	want := list[0]
	want.Name, want.Model, want.DefaultZ, want.DefaultT, want.Compression = "mine", "greyscale", 0, 0, &quality
	want.CodomainStart, want.CodomainEnd = 10, 200
	want.Channels = []omero.ChannelRendering{
		{Active: true, Start: 5, End: 4000.5, Family: "polynomial", Coefficient: 1.5, Reverse: true, Color: -0x1000001 + 0x100, LookupTable: "cool.lut"},
		{Active: false, Start: 0, End: 255, Family: "linear", Coefficient: 1, NoiseReduction: true, Color: 0x10203040},
		{Active: true, Start: -3, End: 7, Family: "exponential", Coefficient: 0.5, Color: 0x7f},
	}
	save := func(step string) {
		t.Helper()
		id, err := c.SaveRendering(t.Context(), p, want)
		check(t, err)
		if id != want.ID {
			t.Errorf("%s: other settings were made", step)
		}
		got, err := c.Renderings(t.Context(), []int64{p.Image})
		check(t, err)
		if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", step, got, want)
		}
		def := s.store.Get("RenderingDef", id)
		bindings := s.store.Collection("RenderingDef", id, "waveRendering")
		if def.Text("name") != "mine" || len(bindings) != 3 || bindings[0].Get("inputEnd") != want.Channels[0].End {
			t.Errorf("%s: the server has %+v, %+v", step, def, bindings)
		}
	}
	before := s.store.Count("ChannelBinding")
	save("changed")
	save("the same again")
	want.Channels[0].Reverse, want.Channels[1].Reverse = false, true
	save("another channel reversed")
	if n := s.store.Count("ChannelBinding"); n != before {
		t.Errorf("%d more bindings", n-before)
	}
	bindings := s.store.Collection("RenderingDef", want.ID, "waveRendering")
	if a, b := s.store.Collection("ChannelBinding", bindings[0].ID, "spatialDomainEnhancement"), s.store.Collection("ChannelBinding", bindings[1].ID, "spatialDomainEnhancement"); len(a) != 0 || len(b) != 1 {
		t.Errorf("contexts: %+v, %+v", a, b)
	}
	short := want
	short.Channels = short.Channels[:2]
	if _, err := c.SaveRendering(t.Context(), p, short); !errors.Is(err, omero.Invalid) {
		t.Errorf("two of three channels: got %v", err)
	}

	// Somebody else has settings of their own, and the owner's stay.
	j := s.login(t, "juergen")
	id, err := j.SaveRendering(t.Context(), p, omero.Rendering{Model: "rgb", CodomainEnd: 255, BitResolution: 255, Channels: want.Channels})
	check(t, err)
	if rows := s.rendering(t, p.ID, j.Who().User); len(rows) != 1 || rows[0].ID != id || rows[0].Group != p.Group {
		t.Errorf("juergen has %+v", rows)
	}
	if got, err := c.Renderings(t.Context(), []int64{p.Image}); err != nil || len(got) != 2 || !reflect.DeepEqual(got[0], want) || got[1].Owner != j.Who().User {
		t.Errorf("the owner's settings changed: %+v, %v", got, err)
	}
	if _, err := j.SaveRendering(t.Context(), p, short); !errors.Is(err, omero.Invalid) {
		t.Errorf("two of three channels: got %v", err)
	}
}

func TestChannelsAreChanged(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	p := pictured(t, c)
	name, empty, lut, color := "Hoechst", "", "fire.lut", int32(0x11223344)
	check(t, c.ChangeChannels(t.Context(), map[int64]omero.ChannelChange{
		p.Channels[0].ID: {Name: &name}, p.Channels[1].ID: {Color: &color, LookupTable: &lut}}))
	got, err := c.PixelsOf(t.Context(), []int64{p.Image})
	check(t, err)
	want := p.Channels
	want[0].Name, want[1].LookupTable = name, lut
	red, green, blue, alpha := 0x11, 0x22, 0x33, 0x44
	want[1].Red, want[1].Green, want[1].Blue, want[1].Alpha = &red, &green, &blue, &alpha
	if !reflect.DeepEqual(got[0].Channels, want) {
		t.Errorf("got  %+v\nwant %+v", got[0].Channels, want)
	}
	if *got[0].Channels[1].Color() != color {
		t.Errorf("got colour %x", *got[0].Channels[1].Color())
	}
	check(t, c.ChangeChannels(t.Context(), map[int64]omero.ChannelChange{p.Channels[0].ID: {Name: &empty}}))
	lc := s.store.Get("LogicalChannel", s.store.Get("Channel", p.Channels[0].ID).Ref("logicalChannel"))
	if lc.Get("name") != nil {
		t.Errorf("the name is %v", lc.Get("name"))
	}
	if err := s.login(t, "juergen").ChangeChannels(t.Context(), map[int64]omero.ChannelChange{p.Channels[0].ID: {Name: &name}}); !errors.Is(err, omero.Denied) {
		t.Errorf("by another member: got %v", err)
	}
	if err := c.ChangeChannels(t.Context(), map[int64]omero.ChannelChange{1 << 40: {Name: &name}}); !errors.Is(err, omero.NotFound) {
		t.Errorf("no such channel: got %v", err)
	}
	check(t, c.ChangeChannels(t.Context(), nil))
}
