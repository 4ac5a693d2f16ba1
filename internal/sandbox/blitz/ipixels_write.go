package blitz

import (
	"context"

	"omerods/internal/sandbox/store"
)

// pixelsWriteMethods are the operations of IPixels that make or change images.
var pixelsWriteMethods = Methods{
	"createImage":            createImage,
	"copyAndResizeImage":     copyAndResizeImage,
	"setChannelGlobalMinMax": setChannelMinMax,
}

// createImage makes an image without pixel data; a RawPixelsStore brings it.
func createImage(_ context.Context, c *Call) (out []any, err error) {
	v := store.Values{
		"pixelsType": nil, "sizeX": Arg[int32](c, 0), "sizeY": Arg[int32](c, 1), "sizeZ": Arg[int32](c, 2), "sizeT": Arg[int32](c, 3),
		"sizeC": len(Arg[[]int32](c, 4)), "dimensionOrder": "XYZCT", "sha1": "Pending...",
	}
	for _, name := range []string{"sizeX", "sizeY", "sizeZ", "sizeT"} {
		if v[name].(int32) < 1 {
			return nil, Fail(APIUsage, "%s is %d", name, v[name])
		}
	}
	if v["sizeC"] == 0 {
		return nil, Fail(APIUsage, "no channels")
	}
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		kind := enumValue(tx, c.Args[5])
		if tx.Enum("PixelsType", kind) == store.None {
			return Fail(APIUsage, "no pixels type %q", kind)
		}
		v["pixelsType"] = kind
		actor, err := who.creates()
		if err != nil {
			return err
		}
		a := tx.As(actor)
		image, err := a.Create("Image", newImage(tx, Arg[string](c, 6), Arg[string](c, 7)))
		if err != nil {
			return err
		}
		v["image"] = image
		pixels, err := a.Create("Pixels", v)
		if err != nil {
			return err
		}
		for range Arg[[]int32](c, 4) {
			if err := newChannel(a, pixels, store.Values{}); err != nil {
				return err
			}
		}
		out = []any{c.Server.RLong(image.ID)}
		return nil
	})
	return out, err
}

// creates checks that the caller may make objects in the group of the call.
func (c *Caller) creates() (store.Actor, error) {
	actor := c.Actor()
	if !c.canWriteIn(actor.Group) {
		return actor, Fail(SecurityViolation, "creating in group %d not permitted for %s", actor.Group, c.Name)
	}
	return actor, nil
}

func newImage(tx *store.Tx, name, description string) store.Values {
	v := store.Values{"name": name, "series": 0, "archived": false, "partial": false, "acquisitionDate": tx.Now()}
	if description != "" {
		v["description"] = description
	}
	return v
}

func newChannel(a *store.Author, pixels *store.Row, logical store.Values) error {
	lc, err := a.Create("LogicalChannel", logical)
	if err != nil {
		return err
	}
	info, err := a.Create("StatsInfo", store.Values{"globalMin": 0.0, "globalMax": 1.0})
	if err != nil {
		return err
	}
	_, err = a.Create("Channel", store.Values{"pixels": pixels, "logicalChannel": lc, "statsInfo": info})
	return err
}

// copyAndResizeImage makes an image like another, without its pixel data: with
// the channels named, and other sizes where they are given.
func copyAndResizeImage(_ context.Context, c *Call) (out []any, err error) {
	err = c.Update(func(tx *store.Tx, who *Caller) error {
		m := tx.Model()
		source := tx.Get(m.Class("Image"), Arg[int64](c, 0))
		if source == nil || !who.CanRead(tx, source) {
			return Fail(Validation, "no image %d", Arg[int64](c, 0))
		}
		all := tx.Collection(m.Class("Image").Property("pixels"), source.ID)
		if len(all) == 0 {
			return Fail(Validation, "image %d has no pixels", source.ID)
		}
		actor, err := who.creates()
		if err != nil {
			return err
		}
		a := tx.As(actor)
		image, err := a.Create("Image", newImage(tx, source.Text("name"), source.Text("description")))
		if err != nil {
			return err
		}
		channels := tx.Collection(m.Class("Pixels").Property("channels"), all[0].ID)
		wanted := Arg[[]int32](c, 5)
		row := all[0].Clone()
		copied := store.NewRow(row.Class)
		copied.Values = row.Values
		v := store.Values{"image": image, "sizeC": len(wanted), "sha1": "Pending..."}
		for i, name := range []string{"sizeX", "sizeY", "sizeZ", "sizeT"} {
			if n, ok := unbox(c.Args[1+i]).(int32); ok {
				v[name] = n
			}
		}
		if err := tx.Fill(copied, v); err != nil {
			return err
		}
		pixels := a.Insert(copied)
		for _, w := range wanted {
			if w < 0 || int(w) >= len(channels) {
				return Fail(APIUsage, "no channel %d", w)
			}
			logical := tx.Get(m.Class("LogicalChannel"), channels[w].Ref("logicalChannel"))
			if err := newChannel(a, pixels, store.Values{"name": logical.Get("name"), "emissionWave": logical.Get("emissionWave"), "excitationWave": logical.Get("excitationWave")}); err != nil {
				return err
			}
		}
		out = []any{c.Server.RLong(image.ID)}
		return nil
	})
	return out, err
}

// setChannelMinMax records the range of a channel.
func setChannelMinMax(_ context.Context, c *Call) ([]any, error) {
	return nil, c.Update(func(tx *store.Tx, who *Caller) error {
		row, err := readablePixels(tx, who, Arg[int64](c, 0))
		if err != nil {
			return err
		}
		if !who.Rights(tx, row).Edit {
			return Fail(SecurityViolation, "updating Pixels:Id_%d not permitted", row.ID)
		}
		w, channels := int(Arg[int32](c, 1)), tx.Collection(row.Class.Property("channels"), row.ID)
		if w < 0 || w >= len(channels) {
			return Fail(APIUsage, "no channel %d", w)
		}
		actor := who.Actor()
		actor.Group = row.Group
		a, v := tx.As(actor), store.Values{"globalMin": Arg[float64](c, 2), "globalMax": Arg[float64](c, 3)}
		if info := tx.Get(tx.Model().Class("StatsInfo"), channels[w].Ref("statsInfo")); info != nil {
			info = info.Clone()
			if err := tx.Fill(info, v); err != nil {
				return err
			}
			a.Update(info)
			return nil
		}
		info, err := a.Create("StatsInfo", v)
		if err != nil {
			return err
		}
		channel := channels[w].Clone()
		if err := tx.Fill(channel, store.Values{"statsInfo": info}); err != nil {
			return err
		}
		a.Update(channel)
		return nil
	})
}
