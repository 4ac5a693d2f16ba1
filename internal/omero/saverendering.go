package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omerods/internal/ice"
)

// SaveRendering makes settings the user's own for some pixels: those that the
// user has are changed, else new ones are made. There must be one
// ChannelRendering for each channel, in their order. It returns the id.
func (c *Client) SaveRendering(ctx context.Context, p Pixels, r Rendering) (int64, error) {
	id, err := c.saveRendering(ctx, p, r)
	if err != nil {
		return 0, fmt.Errorf("rendering settings of pixels %d: %w", p.ID, err)
	}
	return id, nil
}

func (c *Client) saveRendering(ctx context.Context, p Pixels, r Rendering) (int64, error) {
	if p.Group != 0 {
		ctx = InGroup(ctx, p.Group) // settings belong to the group of the image
	}
	for try := 1; ; try++ {
		def, err := c.ownRendering(ctx, p.ID)
		if err != nil {
			return 0, err
		}
		if def == nil {
			if len(r.Channels) != p.SizeC {
				return 0, failure(Invalid, "save", fmt.Sprintf("settings of %d channels, the image has %d", len(r.Channels), p.SizeC))
			}
			res, err := c.call(ctx, updateService, "saveAndReturnIds", []any{c.newRendering(p.ID, r)})
			ids, err := result[[]int64]("saveAndReturnIds", res, err)
			if err != nil || len(ids) != 1 {
				return 0, errors.Join(err, missingID(len(ids)))
			}
			return ids[0], nil
		}
		id, _ := plain(def.Get("id")).(int64)
		changed, err := c.changedRendering(def, r)
		if err != nil {
			return 0, err
		}
		_, err = c.call(ctx, updateService, "saveArray", changed)
		if err == nil || !errors.Is(err, Conflict) || try >= conflictTries {
			return id, err
		}
	}
}

func missingID(n int) error {
	if n == 1 {
		return nil
	}
	return failure(Internal, "save", fmt.Sprintf("%d ids for one object", n))
}

// ownRendering loads the user's newest settings for pixels with their channels,
// nil when there are none.
func (c *Client) ownRendering(ctx context.Context, pixels int64) (*ice.Object, error) {
	res, err := c.call(queryContext(ctx), queryService, "findAllByQuery", `select distinct rd from RenderingDef rd `+
		`join fetch rd.quantization join fetch rd.waveRendering cb left outer join fetch cb.spatialDomainEnhancement `+
		`where rd.pixels.id = :id and rd.details.owner.id = :uid order by rd.id`, c.parameters(params{"id": pixels, "uid": c.who.User}, 0, 0))
	list, err := result[[]any]("findAllByQuery", res, err)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	o, ok := list[len(list)-1].(*ice.Object)
	if !ok || o == nil || o.Class == nil || o.Mismatch {
		return nil, failure(Unsupported, "load", "RenderingDef has another form on this server")
	}
	return o, nil
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

// ChannelChange says what becomes of a channel; what is nil stays.
type ChannelChange struct {
	Name        *string
	Color       *int32 // RGBA, red in the top byte
	LookupTable *string
}

// ChangeChannels changes channels, by their ids, all of them or none. Names
// belong to what channels of several images may share, and change for all of
// these. How an image looks is up to its rendering settings.
func (c *Client) ChangeChannels(ctx context.Context, changes map[int64]ChannelChange) error {
	if len(changes) == 0 {
		return nil
	}
	for try := 1; ; try++ {
		err := c.changeChannels(ctx, changes)
		if err == nil {
			return nil
		}
		if !errors.Is(err, Conflict) || try >= conflictTries {
			return fmt.Errorf("channels: %w", err)
		}
	}
}

func (c *Client) changeChannels(ctx context.Context, changes map[int64]ChannelChange) error {
	ids := make([]int64, 0, len(changes))
	for id := range changes {
		ids = append(ids, id)
	}
	if len(ids) > batchIDs {
		return failure(Invalid, "change", fmt.Sprintf("%d channels at once", len(ids)))
	}
	slices.Sort(ids)
	var save []any // one batch: the function below is not called at the same time
	shared := make(map[*ice.Object]bool)
	err := c.eachLoaded(ctx, `select c from Channel c join fetch c.logicalChannel where c.id in (:ids)`, ids, func(id int64, o *ice.Object) error {
		lc := get[*ice.Object](o, "logicalChannel")
		if lc == nil || lc.Class == nil || lc.Mismatch || o.Mismatch {
			return failure(Unsupported, "load", "Channel has another form on this server")
		}
		ch := changes[id]
		if ch.Name != nil {
			lc.Set("name", c.optional(*ch.Name))
		}
		if ch.Color != nil {
			for i, field := range []string{"red", "green", "blue", "alpha"} {
				o.Set(field, c.rint(int(uint32(*ch.Color)>>(24-8*i)&255)))
			}
		}
		if ch.LookupTable != nil {
			o.Set("lookupTable", c.optional(*ch.LookupTable))
		}
		save = append(save, unloaded(o))
		if !shared[lc] {
			shared[lc] = true
			save = append(save, unloaded(lc))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n := len(save) - len(shared); n != len(ids) {
		return failure(NotFound, "load", fmt.Sprintf("%d of %d channels", len(ids)-n, len(ids)))
	}
	_, err = c.call(ctx, updateService, "saveArray", save)
	return err
}
