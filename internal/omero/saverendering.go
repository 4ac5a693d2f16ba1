package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omerods/internal/ice"
)

// PixelsRendering are settings for some pixels.
type PixelsRendering struct {
	Pixels    Pixels // ID, SizeC and Group count
	Rendering Rendering
}

// SaveRendering makes settings the user's own for some pixels, as
// [Client.SaveRenderings] does. It returns their id.
func (c *Client) SaveRendering(ctx context.Context, p Pixels, r Rendering) (int64, error) {
	if err := c.SaveRenderings(ctx, []PixelsRendering{{p, r}}); err != nil {
		return 0, err
	}
	own, err := c.ownRenderings(ctx, []int64{p.ID})
	if err != nil || own[p.ID] == nil {
		return 0, errors.Join(err, failure(NotFound, "save", "the settings are gone"))
	}
	id, _ := plain(own[p.ID].Get("id")).(int64)
	return id, nil
}

// SaveRenderings makes settings the user's own for pixels of one group, all of
// them or none: those that the user has are changed, else new ones are made.
// There must be one ChannelRendering for each channel, in their order.
func (c *Client) SaveRenderings(ctx context.Context, list []PixelsRendering) error {
	if len(list) == 0 {
		return nil
	}
	if len(list) > batchIDs {
		return failure(Invalid, "save", fmt.Sprintf("%d rendering settings at once", len(list)))
	}
	if g := list[0].Pixels.Group; g != 0 {
		ctx = InGroup(ctx, g) // settings belong to the group of the image
	}
	for try := 1; ; try++ {
		err := c.saveRenderings(ctx, list)
		if err == nil {
			return nil
		}
		if !errors.Is(err, Conflict) || try >= conflictTries {
			return fmt.Errorf("rendering settings: %w", err)
		}
	}
}

func (c *Client) saveRenderings(ctx context.Context, list []PixelsRendering) error {
	ids := make([]int64, len(list))
	for i, p := range list {
		ids[i] = p.Pixels.ID
	}
	own, err := c.ownRenderings(ctx, ids)
	if err != nil {
		return err
	}
	var save []any
	for _, p := range list {
		def := own[p.Pixels.ID]
		switch {
		case def != nil:
			changed, err := c.changedRendering(def, p.Rendering)
			if err != nil {
				return fmt.Errorf("pixels %d: %w", p.Pixels.ID, err)
			}
			save = append(save, changed...)
		case len(p.Rendering.Channels) != p.Pixels.SizeC:
			return failure(Invalid, "save", fmt.Sprintf("settings of %d channels, pixels %d have %d", len(p.Rendering.Channels), p.Pixels.ID, p.Pixels.SizeC))
		default:
			save = append(save, c.newRendering(p.Pixels.ID, p.Rendering))
		}
	}
	_, err = c.call(ctx, updateService, "saveArray", save)
	return err
}

// ownRenderings loads the user's newest settings for pixels with their
// channels, by the pixels' ids; those that have none are missing.
func (c *Client) ownRenderings(ctx context.Context, pixels []int64) (map[int64]*ice.Object, error) {
	own := make(map[int64]*ice.Object) // one batch: the function below is not called at the same time
	newest := make(map[int64]int64)
	err := c.eachLoaded(ctx, `select distinct rd from RenderingDef rd join fetch rd.quantization join fetch rd.waveRendering cb `+
		`left outer join fetch cb.spatialDomainEnhancement where rd.pixels.id in (:ids) `+
		fmt.Sprintf(`and rd.details.owner.id = %d`, c.who.User), unique(pixels), func(id int64, o *ice.Object) error {
		if o.Mismatch {
			return failure(Unsupported, "load", "RenderingDef has another form on this server")
		}
		p := get[*ice.Object](o, "pixels")
		if p == nil {
			return failure(Unsupported, "load", "rendering settings without pixels")
		}
		of, _ := plain(p.Get("id")).(int64)
		if id > newest[of] {
			newest[of], own[of] = id, o
		}
		return nil
	})
	return own, err
}

// newRendering makes settings with all that belongs to them.
func (c *Client) newRendering(pixels int64, r Rendering) *ice.Object {
	def := c.fresh("RenderingDef").Set("pixels", c.object(Existing("Pixels", pixels))).Set("quantization", c.fresh("QuantumDef"))
	c.fillRendering(def, r)
	bindings := make([]any, len(r.Channels))
	for i, ch := range r.Channels {
		b := c.fresh("ChannelBinding").Set("renderingDef", def)
		c.fillBinding(b, ch)
		if ch.Reverse {
			c.setReverse(b, true)
		}
		bindings[i] = b
	}
	return def.Set("waveRenderingSeq", bindings).Set("waveRenderingLoaded", true)
}

// changedRendering puts settings into loaded objects and returns those to be
// saved. The bindings are saved as objects of their own: their list is left
// alone.
func (c *Client) changedRendering(def *ice.Object, r Rendering) ([]any, error) {
	var bindings []*ice.Object
	for _, v := range get[[]any](def, "waveRenderingSeq") {
		// A place whose binding was deleted is null.
		if b, _ := v.(*ice.Object); b != nil {
			bindings = append(bindings, b)
		}
	}
	if len(bindings) != len(r.Channels) {
		return nil, failure(Invalid, "save", fmt.Sprintf("settings of %d channels, the image has %d", len(r.Channels), len(bindings)))
	}
	c.fillRendering(unloaded(def), r)
	out := []any{def}
	for i, b := range bindings {
		c.fillBinding(b, r.Channels[i])
		c.setReverse(b, r.Channels[i].Reverse)
		out = append(out, b)
	}
	return out, nil
}

func (c *Client) fillRendering(def *ice.Object, r Rendering) {
	def.Set("name", c.optional(r.Name)).Set("defaultZ", c.rint(r.DefaultZ)).Set("defaultT", c.rint(r.DefaultT)).
		Set("model", c.enumeration("RenderingModel", r.Model))
	if r.Compression != nil {
		def.Set("compression", c.rdouble(*r.Compression))
	}
	get[*ice.Object](def, "quantization").Set("cdStart", c.rint(r.CodomainStart)).Set("cdEnd", c.rint(r.CodomainEnd)).
		Set("bitResolution", c.rint(r.BitResolution))
}

func (c *Client) fillBinding(b *ice.Object, ch ChannelRendering) {
	b.Set("family", c.enumeration("Family", ch.Family)).Set("coefficient", c.rdouble(ch.Coefficient)).
		Set("inputStart", c.rdouble(ch.Start)).Set("inputEnd", c.rdouble(ch.End)).
		Set("active", c.rbool(ch.Active)).Set("noiseReduction", c.rbool(ch.NoiseReduction)).
		Set("lookupTable", c.optional(ch.LookupTable))
	for i, field := range []string{"red", "green", "blue", "alpha"} {
		b.Set(field, c.rint(int(uint32(ch.Color)>>(24-8*i)&255)))
	}
}

// setReverse adds or takes the context that reverses a channel's intensity.
// The list of contexts is sent whole: the server deletes what it lacks.
func (c *Client) setReverse(b *ice.Object, reverse bool) {
	const class = "::omero::model::ReverseIntensityContext"
	contexts := slices.DeleteFunc(slices.Clone(get[[]any](b, "spatialDomainEnhancementSeq")), func(v any) bool {
		o, _ := v.(*ice.Object)
		return o == nil || o.Class != nil && o.IsA(class)
	})
	if reverse {
		contexts = append(contexts, c.fresh("ReverseIntensityContext").Set("channelBinding", b).Set("reverse", c.rbool(true)))
	}
	if contexts == nil {
		contexts = []any{}
	}
	b.Set("spatialDomainEnhancementSeq", contexts).Set("spatialDomainEnhancementLoaded", true)
}
