//go:build peer

package omeropy

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// looking is what gateway_image.py prints.
type looking struct {
	ROIs struct {
		ROIs map[string]struct {
			ROI    map[string]any
			Shapes [][]any
		}
		Count, Rectangles int
		OnPlane           []int64 `json:"on plane"`
	}
	Channels []struct {
		Label, Name, Unit, Fluor string
		Emission, Excitation     float64
		Color                    []int
		Window                   []float64
		Active                   bool
	}
	Sizes   map[string]any
	Samples struct {
		Planes, Tiles         []bool
		SHA1                  string
		Tile, Cube, Histogram bool
		Spread                []int
	}
	Rendered map[string]any
	Files    struct {
		SHA1       []string
		Size       []int64
		Name, Path string
		Paths      map[string][]string
		Fileset    []any
		Count      int
		Info       map[string]any
		Several    map[string]string
		Original   [][]string
		Archived   []any
	}
}

// members are the properties of an object that hold values, as dump in
// gateway.py has them.
func members(r *store.Row) map[string]any {
	out := make(map[string]any)
	for i, p := range r.Class.Stored() {
		v := r.Values[i]
		switch {
		case v == nil:
		case p.Kind == store.KindToOne:
			if p.Name == "transform" {
				out[p.Name] = members(box.Store().Get(p.Target.Name, v.(int64)))
			}
		case p.Kind == store.KindQuantity:
			q := v.(store.Quantity)
			out[p.Name] = []any{q.Value, unitName(p, q.Unit)}
		case p.Kind == store.KindBytes:
			out[p.Name] = hex.EncodeToString(v.([]byte))
		case p.Kind == store.KindNamedValues:
			var pairs [][]string
			for _, nv := range v.([]store.NamedValue) {
				pairs = append(pairs, []string{nv.Name, nv.Value})
			}
			out[p.Name] = pairs
		default:
			out[p.Name] = v
		}
	}
	return out
}

func unitName(p *store.Property, unit int32) string {
	for name, n := range p.Enum.Values {
		if n == unit {
			return name
		}
	}
	return ""
}

func TestGatewayImage(t *testing.T) {
	s := box.Store()
	image, several := object(t, "Image", "glomerulus.ome.tiff"), object(t, "Image", "tubules")
	var got looking
	newPerson(t, "ada").script(&got, "gateway_image.py", text(image.ID), text(several.ID))
	pixels := s.Collection("Image", image.ID, "pixels")[0]
	t.Run("rois", func(t *testing.T) { wantROIs(t, image, &got) })
	t.Run("channels", func(t *testing.T) {
		channels := s.Collection("Pixels", pixels.ID, "channels")
		if len(got.Channels) != len(channels) {
			t.Fatalf("got %d channels, want %d", len(got.Channels), len(channels))
		}
		for i, ch := range channels {
			g, lc, stats := got.Channels[i], s.Get("LogicalChannel", ch.Ref("logicalChannel")), s.Get("StatsInfo", ch.Ref("statsInfo"))
			bindings := s.Collection("RenderingDef", s.Collection("Pixels", pixels.ID, "settings")[0].ID, "waveRendering")
			b := bindings[i]
			same(t, "names", []string{g.Label, g.Name, g.Unit, g.Fluor}, []string{lc.Text("name"), lc.Text("name"), "NANOMETER", lc.Text("fluor")})
			same(t, "waves", []float64{g.Emission, g.Excitation}, []float64{lc.Get("emissionWave").(store.Quantity).Value, lc.Get("excitationWave").(store.Quantity).Value})
			same(t, "colour", g.Color, []any{b.Get("red"), b.Get("green"), b.Get("blue"), b.Get("alpha")})
			same(t, "window", g.Window, []any{stats.Get("globalMin"), stats.Get("globalMax"), b.Get("inputStart"), b.Get("inputEnd")})
			same(t, "active", g.Active, b.Get("active"))
		}
	})
	t.Run("sizes", func(t *testing.T) {
		mm := func(n string) float64 { return pixels.Get(n).(store.Quantity).Value }
		for what, want := range map[string]any{
			"pixel": []float64{mm("physicalSizeX"), mm("physicalSizeY"), mm("physicalSizeZ")}, "unit": "MICROMETER", "nanometres": 1000 * mm("physicalSizeZ"),
			"range": []int{0, 65535}, "type": "uint16", "bits": pixels.Get("significantBits"), "sha1": pixels.Text("sha1"), "order": "XYZCT",
			"planes": []int{len(s.Collection("Pixels", pixels.ID, "planeInfo")), int(pixels.Get("sizeZ").(int32) * pixels.Get("sizeC").(int32))},
		} {
			same(t, what, got.Sizes[what], want)
		}
	})
	t.Run("samples", func(t *testing.T) {
		m := got.Samples
		if len(m.Planes) != 15 || slices.Contains(m.Planes, false) || !m.Tile || len(m.Tiles) != 3 || slices.Contains(m.Tiles, false) || !m.Cube || !m.Histogram {
			t.Errorf("samples differ from those of the file: %+v", m)
		}
		if m.SHA1 != pixels.Text("sha1") || m.Spread[0] == m.Spread[1] {
			t.Errorf("got sum %s of samples from %d to %d, want %s", m.SHA1, m.Spread[0], m.Spread[1], pixels.Text("sha1"))
		}
	})
	t.Run("rendered", func(t *testing.T) { wantRendered(t, got.Rendered, image, several) })
	t.Run("files", func(t *testing.T) {
		f, file := got.Files, filesOf(image)[0]
		sum, size := file.Text("hash"), file.Get("size")
		same(t, "sums", f.SHA1, []string{sum, sum})
		same(t, "sizes", f.Size, []any{size, size})
		same(t, "name", []string{f.Name, f.Path}, []string{file.Text("name"), file.Text("path")})
		entry := s.Collection("Fileset", image.Ref("fileset"), "usedFiles")[0]
		same(t, "paths", f.Paths, map[string][]string{"server_paths": {file.Text("path") + file.Text("name")}, "client_paths": {entry.Text("clientPath")}})
		same(t, "fileset", f.Fileset, []any{image.Ref("fileset"), []int64{image.ID}, []string{file.Text("name")}})
		want := make(map[string]string)
		total := size.(int64)
		for _, o := range filesOf(several) {
			want[o.Text("name")] = o.Text("hash")
			total += o.Get("size").(int64)
		}
		same(t, "several", f.Several, want)
		if !slices.ContainsFunc(f.Original, func(kv []string) bool {
			return slices.Equal(kv, []string{"ImageWidth", fmt.Sprint(pixels.Get("sizeX"))})
		}) {
			t.Errorf("original metadata: got %v", f.Original)
		}
		same(t, "together", []any{f.Info["count"], f.Info["size"]}, []any{1 + len(want), total})
	})
}

// wantROIs compares all ROIs of an image with all attributes of their shapes.
func wantROIs(t *testing.T, image *store.Row, got *looking) {
	s := box.Store()
	rois := s.Collection("Image", image.ID, "rois")
	kinds := make(map[string]int)
	var onPlane []int64
	for _, r := range rois {
		g, ok := got.ROIs.ROIs[text(r.ID)]
		if !ok {
			t.Errorf("no ROI %d", r.ID)
			continue
		}
		same(t, fmt.Sprint("roi ", r.ID), g.ROI, members(r))
		var want [][]any
		for _, sh := range s.Collection("Roi", r.ID, "shapes") {
			kinds[sh.Class.Name]++
			want = append(want, []any{sh.Class.Name, sh.ID, members(sh)})
			z, hasZ := sh.Get("theZ").(int32)
			if (!hasZ || z == 1) && !slices.Contains(onPlane, r.ID) {
				onPlane = append(onPlane, r.ID)
			}
		}
		same(t, fmt.Sprint("shapes of roi ", r.ID), g.Shapes, want)
	}
	for _, kind := range []string{"Ellipse", "Rectangle", "Polygon", "Polyline", "Line", "Point", "Label", "Mask"} {
		if kinds[kind] == 0 {
			t.Errorf("the sample study has no %s", kind)
		}
	}
	withRectangle := 0
	for _, r := range rois {
		if slices.ContainsFunc(s.Collection("Roi", r.ID, "shapes"), func(sh *store.Row) bool { return sh.Class.Name == "Rectangle" }) {
			withRectangle++
		}
	}
	same(t, "counts", []int{got.ROIs.Count, got.ROIs.Rectangles, len(got.ROIs.ROIs)}, []int{len(rois), withRectangle, len(rois)})
	same(t, "on plane 1", got.ROIs.OnPlane, onPlane)
}

// wantRendered compares pictures with what numpy makes of the samples: exactly
// where they are not compressed, and in brightness where they are.
func wantRendered(t *testing.T, got map[string]any, image, several *store.Row) {
	for _, exact := range []string{"first", "region", "second", "grey"} {
		same(t, exact, got[exact], []int{0, 0})
	}
	near := func(what string, v any, most float64) {
		t.Helper()
		if d, ok := v.(float64); !ok || d > most {
			t.Errorf("%s: brightness is off by %v, at most %v", what, v, most)
		}
	}
	jpeg := got["jpeg"].([]any)
	same(t, "size", jpeg[0], []int{256, 256})
	near("JPEG", jpeg[1].([]any)[0], 3)
	near("renderJpeg", got["raw jpeg"].([]any)[0], 3)
	near("projection", got["projection"].([]any)[0], 3)
	same(t, "models", got["models"], []any{true, "greyscale"})
	same(t, "second settings", got["second settings"], map[string]any{"0": []any{200, 1500, []int{255, 128, 0}}, "2": []any{0, 4095, []int{0, 255, 255}}})
	thumbs := got["thumbnail"].(map[string]any)
	for what, side := range map[string]int{"default": 64, "square": 32, "longest": 50} {
		th := thumbs[what].([]any)
		same(t, what, th[:2], []any{"JPEG", []int{side, side}})
		near(what, th[2], 6) // Pillow shrinks a little differently
	}
	wide := box.Store().Collection("Image", several.ID, "pixels")[0]
	short := int32(64) * wide.Get("sizeY").(int32) / wide.Get("sizeX").(int32)
	same(t, "set", thumbs["set"], map[string][]int32{text(image.ID): {64, 64}, text(several.ID): {64, short}})
	if strings.Contains(fmt.Sprint(got), "NaN") {
		t.Error("something is not a number")
	}
}
