package pack

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// mostWarnings bounds what a document of others can make us say about it.
const mostWarnings = 100

func (d *decoder) warn(format string, args ...any) {
	if len(d.doc.Warnings) < mostWarnings {
		d.doc.Warnings = append(d.doc.Warnings, fmt.Sprintf(format, args...))
	}
}

// finishForeign makes a clean document of what omero-cli-transfer wrote.
func (d *decoder) finishForeign() error {
	d.mergeTwins()
	if len(d.doc.Images) > 0 && len(d.paths) == 0 {
		if d.oldRecord {
			return fmt.Errorf("%w: it can be loaded after omero-cli-transfer 0.x has unpacked it and 1.x packed it again", ErrOldPack)
		}
		return fmt.Errorf("%w: OME-XML without the paths of its images", ErrNotPack)
	}
	if err := d.imagePaths(); err != nil {
		return err
	}
	if err := d.attachmentPaths(); err != nil {
		return err
	}
	d.dropDangling()
	d.dropAcquisition()
	d.foreignLinks()
	d.foreignOrigin()
	return nil
}

// dropAcquisition forgets how images were taken: their files know it better
// than packs of others, which tell a part of it.
func (d *decoder) dropAcquisition() {
	d.doc.Instruments, d.doc.Experiments = nil, nil
	for i := range d.doc.Images {
		im := &d.doc.Images[i]
		im.Instrument, im.Experiment, im.Objective, im.Environment = "", "", nil, nil
		if im.Pixels == nil {
			continue
		}
		im.Pixels.Planes = nil
		for j := range im.Pixels.Channels {
			ch := &im.Pixels.Channels[j]
			ch.Light, ch.Detector, ch.LightPath, ch.FilterSet = nil, nil, nil, ""
		}
	}
}

// imagePaths gives each image the first path record, in the order of the
// document, that it refers to.
func (d *decoder) imagePaths() error {
	images := byID(d.doc.Images, func(im *Image) ID { return im.ID })
	first := make(map[ID]int, len(d.paths)) // record → place
	for i, p := range d.paths {
		if _, ok := first[p.id]; !ok {
			first[p.id] = i
		}
	}
	chosen := make(map[ID]int, len(images)) // image → place of its record
	for _, r := range d.refs {
		i, ok := first[r.To]
		if !ok || images[r.From] == nil {
			continue
		}
		if have, ok := chosen[r.From]; !ok || i < have {
			chosen[r.From] = i
		}
	}
	for i := range d.doc.Images {
		im := &d.doc.Images[i]
		place, ok := chosen[im.ID]
		if !ok {
			return fmt.Errorf("%w: %s refers to no path record", ErrInvalid, clip(string(im.ID)))
		}
		p, err := foreignPath(d.paths[place].path)
		if err != nil {
			return fmt.Errorf("path of %s: %w", clip(string(im.ID)), err)
		}
		im.Path = p
	}
	return nil
}

// foreignPath makes one of our paths of one from a record: Windows wrote
// backslashes once, and mock_folder stands for the folder it is in, which gets
// a slash at its end.
func foreignPath(p string) (string, error) {
	p = strings.ReplaceAll(p, `\`, "/")
	p = strings.TrimPrefix(p, "./")
	folder, mock := strings.CutSuffix(p, "/"+mockFolder)
	if p == mockFolder {
		return "", fmt.Errorf("%w %q: the whole pack as one image", ErrUnsafePath, p)
	}
	if err := CheckPath(folder); err != nil {
		return "", err
	}
	if mock {
		folder += "/"
	}
	return folder, nil
}

func (d *decoder) attachmentPaths() error {
	records := make(map[ID]string, len(d.paths))
	for _, p := range slices.Backward(d.paths) {
		records[p.id] = p.path
	}
	kept := d.doc.Annotations[:0]
	for _, a := range d.doc.Annotations {
		if a.Kind == FileAnnotation {
			p := d.figures[a.ID]
			for _, r := range d.filePaths[a.ID] {
				if q, ok := records[r]; ok && p == "" {
					p = q
				}
			}
			if p == "" {
				return fmt.Errorf("%w: %s refers to no path record", ErrInvalid, clip(string(a.ID)))
			}
			p, err := foreignPath(p)
			if err == nil && strings.HasSuffix(p, "/") {
				err = fmt.Errorf("%w %q: a folder", ErrUnsafePath, clip(p))
			}
			if err != nil {
				return fmt.Errorf("path of %s: %w", clip(string(a.ID)), err)
			}
			if a.File == nil {
				a.File = &Attachment{}
			}
			a.File.Path = p
			if n := a.File.Name; n == "" || n == "/" || n == "." {
				a.File.Name = path.Base(p)
			}
		}
		kept = append(kept, a)
	}
	d.doc.Annotations = kept
	return nil
}

// mergeTwins joins what is listed twice under one id, as happens when several
// objects were packed together: references add up, the rest is that of the
// first.
func (d *decoder) mergeTwins() {
	doc := d.doc
	doc.Projects = merge(doc.Projects, func(p *Project) ID { return p.ID }, func(a, b *Project) {
		a.Datasets = append(a.Datasets, b.Datasets...)
	})
	doc.Datasets = merge(doc.Datasets, func(s *Dataset) ID { return s.ID }, func(a, b *Dataset) {
		a.Images = append(a.Images, b.Images...)
	})
	doc.Screens = merge(doc.Screens, func(s *Screen) ID { return s.ID }, func(a, b *Screen) {
		a.Plates = append(a.Plates, b.Plates...)
	})
	doc.Plates = merge(doc.Plates, func(p *Plate) ID { return p.ID }, func(a, b *Plate) {})
	doc.Images = merge(doc.Images, func(im *Image) ID { return im.ID }, func(a, b *Image) {
		a.ROIs = append(a.ROIs, b.ROIs...)
	})
	doc.ROIs = merge(doc.ROIs, func(r *ROI) ID { return r.ID }, func(a, b *ROI) {})
	doc.Users = merge(doc.Users, func(u *User) ID { return u.ID }, func(a, b *User) {})
	doc.Groups = merge(doc.Groups, func(g *Group) ID { return g.ID }, func(a, b *Group) {})
}

func merge[T any](list []T, id func(*T) ID, join func(a, b *T)) []T {
	first := make(map[ID]int, len(list))
	out := list[:0]
	for i := range list {
		if j, twice := first[id(&list[i])]; twice {
			join(&out[j], &list[i])
			continue
		}
		first[id(&list[i])] = len(out)
		out = append(out, list[i])
	}
	return out
}
