package pack

import "fmt"

// apply puts the part over what the OME elements said.
func (p *part) apply(d *decoder) error {
	doc := d.doc
	doc.Origin, doc.Packed, doc.Links, doc.Filesets = p.origin, p.packed, p.links, p.filesets
	doc.LeftOut = p.leftOut
	p.applyAcquisition(doc)
	p.applyImages(doc)
	p.applyPlates(doc)
	p.fillEntries(d.manifest)
	if err := p.applyROIs(doc); err != nil {
		return err
	}
	for i := range doc.Folders {
		if rois, ok := p.folderROIs[doc.Folders[i].ID]; ok {
			doc.Folders[i].ROIs = rois
		}
	}
	if err := p.applyNotes(d); err != nil {
		return err
	}
	p.applyDetails(doc)
	if len(p.texts) > 0 {
		eachText(doc, d.manifest, func(of ID, field string, index int, text *string) {
			if t, ok := p.texts[textKey{of, field, index}]; ok {
				*text = t
			}
		})
	}
	return nil
}

func (p *part) applyImages(doc *Document) {
	for i := range doc.Images {
		im := &doc.Images[i]
		extra := p.images[im.ID]
		im.Fileset, im.Series, im.Path = extra.fileset, extra.series, extra.path
		im.Renderings = extra.renderings
		im.Archived, im.Partial = extra.archived, extra.partial
		if extra.objective != nil {
			im.Objective = extra.objective
		}
		if extra.environment != nil {
			im.Environment = extra.environment
		}
		if extra.rois != nil {
			im.ROIs = extra.rois
		}
		switch {
		case extra.noPixels:
			im.Pixels = nil
		case extra.pixels != nil:
			if im.Pixels != nil {
				extra.pixels.Planes = im.Pixels.Planes
			}
			im.Pixels = extra.pixels
		}
		if im.Pixels != nil {
			im.Pixels.SHA1, im.Pixels.NotedPlanes = extra.sha1, extra.noted
			if extra.planes != nil {
				im.Pixels.Planes = extra.planes
			}
			if extra.photometric != "" {
				for j := range im.Pixels.Channels {
					im.Pixels.Channels[j].Photometric = extra.photometric
				}
			}
		}
	}
}

func (p *part) applyPlates(doc *Document) {
	doc.Reagents = p.reagents
	for i := range doc.Plates {
		pl := &doc.Plates[i]
		if full, ok := p.plates[pl.ID]; ok {
			full.Description, full.Wells, full.Runs = pl.Description, pl.Wells, pl.Runs
			*pl = full
		}
		for j := range pl.Wells {
			if w, ok := p.wells[pl.Wells[j].ID]; ok {
				pl.Wells[j].Status, pl.Wells[j].Reagents = w.Status, w.Reagents
			}
		}
		for j := range pl.Runs {
			if r, ok := p.runs[pl.Runs[j].ID]; ok {
				pl.Runs[j].MaximumFields = r.MaximumFields
			}
		}
	}
}

// fillEntries takes from the manifest what it says of the files of filesets.
func (p *part) fillEntries(m *Manifest) {
	if m == nil {
		return
	}
	listed := m.ByPath()
	for i := range p.filesets {
		for j := range p.filesets[i].Entries {
			e := &p.filesets[i].Entries[j]
			if f := listed[e.Path]; f != nil && e.Size < 0 {
				e.Size, e.Hash, e.Algorithm, e.MediaType = f.Size, f.Hash, f.Algorithm, f.MediaType
			}
		}
	}
}

// applyROIs replaces the ROIs that OME-XML could not hold exactly and inserts
// those that it could not hold at all.
func (p *part) applyROIs(doc *Document) error {
	if len(p.rois) == 0 {
		return nil
	}
	there := byID(doc.ROIs, func(r *ROI) ID { return r.ID })
	var missing []placed[ROI]
	for _, r := range p.rois {
		if have := there[r.item.ID]; have != nil {
			*have = r.item
		} else {
			missing = append(missing, r)
		}
	}
	var err error
	doc.ROIs, err = insert(doc.ROIs, missing)
	return err
}

func (p *part) applyNotes(d *decoder) error {
	var missing []placed[Annotation]
	for _, n := range p.notes {
		if n.place >= 0 {
			missing = append(missing, placed[Annotation]{n.place, n.note})
			continue
		}
		i, ok := d.listed[n.note.ID]
		if !ok {
			return fmt.Errorf("%w: it adds to %q, which is not there", ErrInvalid, clip(string(n.note.ID)))
		}
		a := &d.doc.Annotations[i]
		a.Name = n.note.Name
		if n.note.File != nil {
			a.File = n.note.File
		}
	}
	var err error
	d.doc.Annotations, err = insert(d.doc.Annotations, missing)
	return err
}

// insert puts items into a list so that each has its place in the result. The
// places must rise.
func insert[T any](list []T, items []placed[T]) ([]T, error) {
	if len(items) == 0 {
		return list, nil
	}
	out := make([]T, 0, len(list)+len(items))
	for len(list) > 0 || len(items) > 0 {
		switch {
		case len(items) > 0 && items[0].place == len(out):
			out = append(out, items[0].item)
			items = items[1:]
		case len(list) > 0:
			out = append(out, list[0])
			list = list[1:]
		default:
			return nil, fmt.Errorf("%w: the place %d does not exist", ErrInvalid, items[0].place)
		}
	}
	return out, nil
}

// applyDetails sets the provenance of every object, also where the part has
// none: what OME says of owners is a part of it at most.
func (p *part) applyDetails(d *Document) {
	for i := range d.Projects {
		d.Projects[i].Details = p.details[d.Projects[i].ID]
	}
	for i := range d.Datasets {
		d.Datasets[i].Details = p.details[d.Datasets[i].ID]
	}
	for i := range d.Folders {
		d.Folders[i].Details = p.details[d.Folders[i].ID]
	}
	for i := range d.Screens {
		d.Screens[i].Details = p.details[d.Screens[i].ID]
	}
	for i := range d.Plates {
		d.Plates[i].Details = p.details[d.Plates[i].ID]
	}
	eachPlatePart(d, func(id ID, details *Details) { *details = p.details[id] })
	for i := range d.Images {
		d.Images[i].Details = p.details[d.Images[i].ID]
	}
	for i := range d.Filesets {
		d.Filesets[i].Details = p.details[d.Filesets[i].ID]
	}
	for i := range d.ROIs {
		d.ROIs[i].Details = p.details[d.ROIs[i].ID]
	}
	for i := range d.Annotations {
		d.Annotations[i].Details = p.details[d.Annotations[i].ID]
	}
	for i := range d.Groups {
		d.Groups[i].Permissions = p.details[d.Groups[i].ID].Permissions
	}
}
