package omero

import (
	"context"
	"fmt"
	"slices"
)

// PlatesWith lists the plates that have one of the images in a well.
func (c *Client) PlatesWith(ctx context.Context, images []int64) ([]int64, error) {
	rows, err := c.rowsFor(ctx, `select ws.id, w.plate.id from WellSample ws join ws.well w where ws.image.id in (:ids) order by ws.id`, unique(images))
	if err != nil {
		return nil, fmt.Errorf("plates of images: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id(1)
	}
	return unique(ids), nil
}

// LinkedPlates says which of the plates are in a screen.
func (c *Client) LinkedPlates(ctx context.Context, plates []int64) (map[int64]bool, error) {
	return c.set(c.rowsFor(ctx, `select l.child.id, l.id from ScreenPlateLink l where l.child.id in (:ids) order by l.id`, unique(plates)))
}

// MarkedPlates lists the plates that carry an annotation of the user with a
// namespace and a description.
func (c *Client) MarkedPlates(ctx context.Context, namespace, description string) ([]int64, error) {
	rows, err := c.rows(ctx, `select l.parent.id, l.id from PlateAnnotationLink l where l.child.ns = :ns and l.child.description = :key `+
		`and l.child.details.owner.id = :uid order by l.id`, params{"ns": namespace, "key": description, "uid": c.who.User})
	if err != nil {
		return nil, fmt.Errorf("marked plates: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id(0)
	}
	return unique(ids), nil
}

// MarkedAnnotations lists the annotations that themselves carry an annotation
// of the user with a namespace and a description.
func (c *Client) MarkedAnnotations(ctx context.Context, namespace, description string) ([]int64, error) {
	rows, err := c.rows(ctx, `select l.parent.id, l.id from AnnotationAnnotationLink l where l.child.ns = :ns and l.child.description = :key `+
		`and l.child.details.owner.id = :uid order by l.id`, params{"ns": namespace, "key": description, "uid": c.who.User})
	if err != nil {
		return nil, fmt.Errorf("marked annotations: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id(0)
	}
	return unique(ids), nil
}

// UnlinkedAnnotations returns those of the annotations that no object has but
// for other annotations.
func (c *Client) UnlinkedAnnotations(ctx context.Context, annotations []int64) ([]int64, error) {
	linked := make(map[int64]bool)
	for _, kind := range annotatedKinds {
		rows, err := c.rowsFor(ctx, `select l.child.id, l.id from `+annotationLinkClass(string(kind))+` l where l.child.id in (:ids) order by l.id`, unique(annotations))
		if err != nil {
			return nil, fmt.Errorf("annotated objects: %w", err)
		}
		for _, r := range rows {
			linked[r.id(0)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(annotations), func(id int64) bool { return linked[id] }), nil
}

// annotatedKinds are the kinds of objects to which people give annotations.
var annotatedKinds = []Kind{
	KindProject, KindDataset, KindScreen, KindPlate, KindRun, KindWell, KindReagent, KindImage, KindROI, KindShape, KindFileset,
	KindOriginalFile, KindChannel, KindFolder, KindInstrument, KindObjective, KindDetector, KindLightSource, KindFilter, KindDichroic,
	KindLightPath, KindPlaneInfo, KindUser, KindGroup,
}

// UnfinishedPlates says which plates of a group have a mark, themselves or on
// an image in one of their wells: an annotation of the namespace mark. Those
// that have one of the namespace done are not among them.
func (c *Client) UnfinishedPlates(ctx context.Context, group int64, mark, done string) (map[int64]bool, error) {
	p := params{"ns": mark, "gid": group}
	unfinished, err := c.set(c.rows(ctx, `select l.parent.id, l.id from PlateAnnotationLink l `+
		`where l.child.ns = :ns and l.details.group.id = :gid order by l.id`, p))
	if err != nil {
		return nil, err
	}
	// Few images have the mark; from them it is a short way to their plates.
	byImage, err := c.set(c.rows(ctx, `select distinct w.plate.id from ImageAnnotationLink l, WellSample ws join ws.well w `+
		`where ws.image.id = l.parent.id and l.child.ns = :ns and l.details.group.id = :gid order by w.plate.id`, p))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for id := range byImage {
		unfinished[id] = true
	}
	for id := range unfinished {
		ids = append(ids, id)
	}
	rows, err := c.rowsFor(ctx, `select l.parent.id, l.child.ns, l.id from PlateAnnotationLink l where l.parent.id in (:ids) `+
		`and l.child.ns is not null order by l.id`, ids)
	if err != nil {
		return nil, fmt.Errorf("marked plates: %w", err)
	}
	for _, r := range rows {
		if r.str(1) == done {
			delete(unfinished, r.id(0))
		}
	}
	return unfinished, nil
}

// set makes a set of the ids in the first column.
func (c *Client) set(rows []row, err error) (map[int64]bool, error) {
	if err != nil {
		return nil, fmt.Errorf("plates: %w", err)
	}
	set := make(map[int64]bool, len(rows))
	for _, r := range rows {
		set[r.id(0)] = true
	}
	return set, nil
}

// PlatesOfFilesets finds the plates that the images of filesets are in. Own are
// those in no screen of which all fields are such images, as imports make
// them; held says of which filesets an image is in another plate.
func (c *Client) PlatesOfFilesets(ctx context.Context, filesets []int64) (own []int64, held map[int64]bool, err error) {
	images, err := c.ImagesOfFilesets(ctx, filesets)
	if err != nil || len(images) == 0 {
		return nil, nil, err
	}
	ids := make([]int64, len(images))
	for i, im := range images {
		ids[i] = im.ID
	}
	plates, err := c.PlatesWith(ctx, ids)
	if err != nil || len(plates) == 0 {
		return nil, nil, err
	}
	fields, err := c.FieldsOf(ctx, plates)
	if err != nil {
		return nil, nil, err
	}
	other, err := c.LinkedPlates(ctx, plates)
	if err != nil {
		return nil, nil, err
	}
	given := make(map[int64]bool, len(filesets))
	for _, id := range filesets {
		given[id] = true
	}
	for _, f := range fields {
		if !given[f.Fileset] {
			other[f.Plate] = true
		}
	}
	held = make(map[int64]bool)
	for _, f := range fields {
		if other[f.Plate] {
			held[f.Fileset] = true
		}
	}
	for _, id := range plates {
		if !other[id] {
			own = append(own, id)
		}
	}
	return own, held, nil
}
