package store

import (
	"fmt"
	"strings"

	"omerods/internal/ice"
)

var scalarKinds = map[string]Kind{
	"::omero::RString": KindString, "::omero::RInt": KindInt, "::omero::RLong": KindLong,
	"::omero::RDouble": KindDouble, "::omero::RBool": KindBool, "::omero::RTime": KindTime,
}

// property makes a property of a Slice member, nil for members that only
// describe others (xLoaded, xCountPerOwner) and for the version.
func (m *Model) property(c *Class, f ice.Field) *Property {
	p := &Property{Name: f.Name, Class: c, slot: -1}
	if f.Name == "version" {
		return nil
	}
	switch t := f.Type; t.Kind {
	case ice.KindClass:
		if t.Class == nil {
			return nil
		}
		switch kind, scalar := scalarKinds[t.Class.ID]; {
		case scalar:
			p.Kind = kind
		case t.Class.IsA(iObjectID):
			p.Kind, p.Target = KindToOne, m.classes[strings.TrimPrefix(t.Class.ID, modelPrefix)]
			if p.Target == nil {
				return nil
			}
		case t.Class.FieldIndex("unit") >= 0:
			p.Kind, p.Unit = KindQuantity, strings.TrimPrefix(t.Class.ID, modelPrefix)
			p.Enum = t.Class.AllFields()[t.Class.FieldIndex("unit")].Type.Enum
		default:
			return nil
		}
	case ice.KindSequence:
		switch e := t.Elem; {
		case e.Kind == ice.KindByte:
			p.Kind = KindBytes
		case e.Kind == ice.KindString:
			p.Kind = KindStrings
		case e.Kind == ice.KindClass && e.Class != nil && e.Class.ID == modelPrefix+"NamedValue":
			p.Kind = KindNamedValues
		case e.Kind == ice.KindClass && e.Class != nil && e.Class.IsA(iObjectID):
			p.Kind, p.Name = KindToMany, strings.TrimSuffix(f.Name, "Seq")
			p.Target = m.classes[strings.TrimPrefix(e.Class.ID, modelPrefix)]
			if p.Target == nil {
				return nil
			}
		default:
			return nil
		}
	default:
		return nil
	}
	return p
}

// inherit lays out the values of a row: the members of the root class first,
// so that an inherited member has the same slot in every subclass.
func (m *Model) inherit(c *Class) {
	if c.props != nil {
		return
	}
	c.props = map[string]*Property{"id": idProp, "details": detailsProp}
	if !c.Immutable {
		c.props["version"] = versionProp
	}
	if c.Base != nil {
		m.inherit(c.Base)
		c.stored = append(c.stored, c.Base.stored...)
		for name, p := range c.Base.props {
			c.props[name] = p
		}
	}
	for _, p := range c.own {
		c.props[p.Name] = p
		if p.Kind != KindToMany {
			p.slot = len(c.stored)
			c.stored = append(c.stored, p)
			p.get = func(r *Row) any {
				if p.slot >= len(r.Values) || r.Class.stored[p.slot] != p {
					return nil
				}
				return r.Values[p.slot]
			}
		}
	}
	parent, child := c.props["parent"], c.props["child"]
	c.Link = parent != nil && child != nil && parent.Kind == KindToOne && child.Kind == KindToOne
	c.details = m.detailsOf(c)
}

// detailsOf lists the parts of Details that the class has columns for.
func (m *Model) detailsOf(c *Class) map[string]*Property {
	id := func(get func(*Row) int64) func(*Row) any {
		return func(r *Row) any {
			if v := get(r); v >= 0 {
				return v
			}
			return nil
		}
	}
	d := map[string]*Property{
		"permissions": {Name: "details.permissions", Kind: KindPermissions, slot: -1, get: func(r *Row) any { return r.Perm }},
		"externalInfo": {Name: "details.externalInfo", Kind: KindToOne, Target: m.classes["ExternalInfo"], slot: -1,
			get: id(func(r *Row) int64 { return r.External })},
	}
	if c.Global {
		return d
	}
	add := func(name, target string, get func(*Row) int64) {
		d[name] = &Property{Name: "details." + name, Kind: KindToOne, Target: m.classes[target], slot: -1, get: id(get)}
	}
	add("owner", "Experimenter", func(r *Row) int64 { return r.Owner })
	add("group", "ExperimenterGroup", func(r *Row) int64 { return r.Group })
	add("creationEvent", "Event", func(r *Row) int64 { return r.Created })
	if !c.Immutable {
		add("updateEvent", "Event", func(r *Row) int64 { return r.Updated })
	}
	return d
}

// inverses names the other side of collections whose types leave a choice.
var inverses = map[string]string{
	"Annotation.annotationLinks": "parent",
	"Folder.childFolders":        "parentFolder",
	"Session.events":             "session",
}

// ordered lists the collections whose elements have a position.
var ordered = map[string]bool{
	"Image.pixels": true, "Pixels.channels": true, "Fileset.usedFiles": true, "Roi.shapes": true,
	"Well.wellSamples": true, "RenderingDef.waveRendering": true, "RenderingDef.projections": true,
	"ChannelBinding.spatialDomainEnhancement": true, "LightPath.excitationFilterLink": true,
	"Experimenter.groupExperimenterMap": true,
}

// invert finds, for each collection, the association of the element class that
// points back.
func (m *Model) invert(c *Class) error {
	for _, p := range c.own {
		if p.Kind != KindToMany {
			continue
		}
		p.Ordered = ordered[p.String()]
		var candidates []*Property
		for _, back := range p.Target.All() {
			if back.Kind == KindToOne && c.IsA(back.Target) && (inverses[p.String()] == "" || inverses[p.String()] == back.Name) {
				candidates = append(candidates, back)
			}
		}
		if len(candidates) != 1 {
			return fmt.Errorf("collection %s has %d possible inverses", p, len(candidates))
		}
		p.Inverse = candidates[0]
		if p.Ordered {
			p.Target.ordered = append(p.Target.ordered, p)
		}
	}
	return nil
}
