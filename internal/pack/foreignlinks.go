package pack

// dropDangling removes references to what is not in the document, and second
// references to the same.
func (d *decoder) dropDangling() {
	doc := d.doc
	datasets := byID(doc.Datasets, func(s *Dataset) ID { return s.ID })
	images := byID(doc.Images, func(im *Image) ID { return im.ID })
	plates := byID(doc.Plates, func(p *Plate) ID { return p.ID })
	rois := byID(doc.ROIs, func(r *ROI) ID { return r.ID })
	for i := range doc.Projects {
		p := &doc.Projects[i]
		p.Datasets = existing(d, p.ID, p.Datasets, datasets)
	}
	for i := range doc.Datasets {
		s := &doc.Datasets[i]
		s.Images = existing(d, s.ID, s.Images, images)
	}
	for i := range doc.Screens {
		s := &doc.Screens[i]
		s.Plates = existing(d, s.ID, s.Plates, plates)
	}
	d.dropFolders(images, rois)
	for i := range doc.Images {
		im := &doc.Images[i]
		im.ROIs = existing(d, im.ID, im.ROIs, rois)
	}
	for i := range doc.Plates {
		for j := range doc.Plates[i].Wells {
			w := &doc.Plates[i].Wells[j]
			for k := range w.Samples {
				if s := &w.Samples[k]; s.Image != "" && images[s.Image] == nil {
					d.warn("%s refers to %s, which is not there", clip(string(w.ID)), clip(string(s.Image)))
					s.Image = ""
				}
			}
		}
	}
}

func existing[T any](d *decoder, from ID, refs []ID, there map[ID]*T) []ID {
	seen := make(map[ID]bool, len(refs))
	kept := refs[:0]
	for _, id := range refs {
		switch {
		case there[id] == nil:
			d.warn("%s refers to %s, which is not there", clip(string(from)), clip(string(id)))
		case !seen[id]:
			seen[id] = true
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// dropFolders removes from folders what is not there, and folders that are
// within themselves.
func (d *decoder) dropFolders(images map[ID]*Image, rois map[ID]*ROI) {
	doc := d.doc
	doc.Folders = merge(doc.Folders, func(f *Folder) ID { return f.ID }, func(a, b *Folder) {})
	folders := byID(doc.Folders, func(f *Folder) ID { return f.ID })
	for i := range doc.Folders {
		f := &doc.Folders[i]
		f.Images = existing(d, f.ID, f.Images, images)
		f.ROIs = existing(d, f.ID, f.ROIs, rois)
		if folders[f.Parent] == nil {
			f.Parent = ""
		}
	}
	if top := doc.FoldersFromTop(); len(top) != len(doc.Folders) {
		d.warn("folders are within themselves")
		kept := make([]Folder, len(top))
		for i, f := range top {
			kept[i] = *f
		}
		doc.Folders = kept
	}
}

// foreignLinks keeps the references to annotations that are no records.
func (d *decoder) foreignLinks() {
	seen := make(map[Link]bool, len(d.refs))
	for _, l := range d.refs {
		if d.hidden[l.To] || seen[l] {
			continue
		}
		seen[l] = true
		if _, ok := d.listed[l.To]; !ok {
			d.warn("%s refers to %s, which is not there", clip(string(l.From)), clip(string(l.To)))
			continue
		}
		d.doc.Links = append(d.doc.Links, l)
	}
}

// foreignOrigin finds what the pack is of: its only top object.
func (d *decoder) foreignOrigin() {
	doc, o := d.doc, &d.doc.Origin
	switch {
	case len(doc.Projects) > 0:
		if len(doc.Projects) == 1 {
			o.Object, o.Name = doc.Projects[0].ID, doc.Projects[0].Name
		}
	case len(doc.Screens) > 0:
		if len(doc.Screens) == 1 {
			o.Object, o.Name = doc.Screens[0].ID, doc.Screens[0].Name
		}
	case len(doc.Datasets) > 0:
		if len(doc.Datasets) == 1 {
			o.Object, o.Name = doc.Datasets[0].ID, doc.Datasets[0].Name
		}
	case len(doc.Plates) > 0:
		if len(doc.Plates) == 1 {
			o.Object, o.Name = doc.Plates[0].ID, doc.Plates[0].Name
		}
	case len(doc.Images) == 1:
		o.Object, o.Name = doc.Images[0].ID, doc.Images[0].Name
	}
}
