package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"omerods/internal/ice"
)

// Batch collects new objects that [Client.Save] makes in one transaction: all
// of them or none.
type Batch struct {
	c     *Client
	roots []*ice.Object
	refs  []Ref // parallel to roots
	edits []*Edit
	links map[linkEnds]Ref
	err   error
}

// linkEnds are what a user has one link of a class between.
type linkEnds struct {
	kind          string
	parent, child Ref
}

// NewBatch starts an empty batch.
func (c *Client) NewBatch() *Batch { return &Batch{c: c} }

// Len is how many new objects and changes are in the batch.
func (b *Batch) Len() int { return len(b.roots) + len(b.edits) }

func (b *Batch) add(kind string, o *ice.Object, err error) Ref {
	if err != nil {
		if b.err == nil {
			b.err = err
		}
		// Stands for the missing object until Save reports the error.
		return Ref{kind: kind}
	}
	r := Ref{kind: kind, obj: o}
	b.roots = append(b.roots, o)
	b.refs = append(b.refs, r)
	return r
}

// Container adds a new project, dataset or screen.
func (b *Batch) Container(kind Kind, name, description string) Ref {
	switch kind {
	case KindProject, KindDataset, KindScreen:
	default:
		return b.add(string(kind), nil, failure(Invalid, "create", fmt.Sprintf("a %s cannot be made", kind)))
	}
	return b.add(string(kind), b.c.fresh(string(kind)).Set("name", b.c.rstring(name)).
		Set("description", b.c.optional(description)), nil)
}

// containerLinks are the classes of links by their ends.
var containerLinks = map[[2]string]string{
	{"Project", "Dataset"}: "ProjectDatasetLink",
	{"Dataset", "Image"}:   "DatasetImageLink",
	{"Screen", "Plate"}:    "ScreenPlateLink",
	{"Well", "Reagent"}:    "WellReagentLink",
	{"Folder", "Image"}:    "FolderImageLink",
	{"Folder", "Roi"}:      "FolderRoiLink",
}

// Link puts a child into a container: a dataset into a project, an image into
// a dataset, a plate into a screen, a reagent into a well, an image or a region
// into a folder.
func (b *Batch) Link(parent, child Ref) Ref {
	kind, ok := containerLinks[[2]string{parent.kind, child.kind}]
	if !ok {
		return b.add("", nil, failure(Invalid, "link", fmt.Sprintf("a %s holds no %s", parent.kind, child.kind)))
	}
	return b.link(kind, parent, child)
}

// link adds a link unless the batch has it: the server refuses a second one.
func (b *Batch) link(kind string, parent, child Ref) Ref {
	if b.err != nil {
		return Ref{kind: kind}
	}
	ends := linkEnds{kind, parent, child}
	if l, ok := b.links[ends]; ok {
		return l
	}
	if b.links == nil {
		b.links = make(map[linkEnds]Ref)
	}
	b.links[ends] = b.add(kind, b.c.fresh(kind).Set("parent", b.c.object(parent)).Set("child", b.c.object(child)), nil)
	return b.links[ends]
}

// Annotation adds a new annotation. That of a file needs File.ID, see
// [Client.UploadFile].
func (b *Batch) Annotation(a Annotation) Ref {
	o, err := b.c.annotation(a)
	return b.add(string(a.Kind), o, err)
}

// Annotate gives an object an annotation, either of which may be new. The
// object may itself be an annotation, such as a tag set.
func (b *Batch) Annotate(object, annotation Ref) Ref {
	kind := annotationLinkClass(object.kind)
	if b.c.defs.Class(modelClass(kind)) == nil {
		return b.add("", nil, failure(Invalid, "annotate", fmt.Sprintf("a %s takes no annotations", object.kind)))
	}
	return b.link(kind, object, annotation)
}

// annotationLinkClass is the class of the links between objects of a class and
// their annotations: those of all annotations are one, and so are those of all
// shapes and of all light sources.
func annotationLinkClass(kind string) string {
	if _, ok := geometries[ShapeKind(kind)]; ok {
		kind = string(KindShape)
	} else if isAnnotation(kind) {
		kind = string(KindAnnotation)
	} else if slices.Contains(lightKinds, Kind(kind)) {
		kind = string(KindLightSource)
	}
	return kind + "AnnotationLink"
}

func isAnnotation(kind string) bool {
	switch AnnotationKind(kind) {
	case TagAnnotation, CommentAnnotation, XMLAnnotation, TermAnnotation, LongAnnotation, DoubleAnnotation,
		BooleanAnnotation, TimestampAnnotation, FileAnnotation, MapAnnotation, ListAnnotation:
		return true
	}
	return false
}

// ROI adds a new region with its shapes on an image.
func (b *Batch) ROI(image Ref, r ROI) Ref {
	o, err := b.c.roi(image, r)
	return b.add(string(KindROI), o, err)
}

// Saved are the ids of what a batch made.
type Saved struct {
	ids map[*ice.Object]int64
}

// ID returns the id of a reference of the batch, or of an existing object.
func (s Saved) ID(r Ref) int64 {
	if r.obj == nil {
		return r.id
	}
	return s.ids[r.obj]
}

// Save makes everything in the batch at once, in the group of ctx. It is never
// repeated when the connection breaks meanwhile: then the error says Unsure.
func (c *Client) Save(ctx context.Context, b *Batch) (Saved, error) {
	if b.err != nil {
		return Saved{}, b.err
	}
	for try := 1; ; try++ {
		s, err := c.save(ctx, b)
		// Nothing was done when what a batch changes has changed meanwhile.
		if err == nil || len(b.edits) == 0 || !errors.Is(err, Conflict) || try >= conflictTries {
			return s, err
		}
	}
}

func (c *Client) save(ctx context.Context, b *Batch) (Saved, error) {
	roots := make([]any, len(b.roots))
	for i, o := range b.roots {
		roots[i] = o
	}
	changed, err := c.edited(ctx, b.edits)
	if err != nil {
		return Saved{}, err
	}
	if roots = append(roots, changed...); len(roots) == 0 {
		return Saved{}, nil
	}
	if len(b.roots) == 0 {
		_, err := c.call(ctx, updateService, "saveArray", roots)
		return Saved{}, err
	}
	res, err := c.call(ctx, updateService, "saveAndReturnIds", roots)
	ids, err := result[[]int64]("saveAndReturnIds", res, err)
	if err != nil {
		return Saved{}, fmt.Errorf("create: %w", err)
	}
	if len(ids) != len(roots) {
		return Saved{}, failure(Internal, "create", fmt.Sprintf("%d ids for %d objects", len(ids), len(roots)))
	}
	s := Saved{ids: make(map[*ice.Object]int64, len(ids))}
	for i, o := range b.roots {
		s.ids[o] = ids[i]
	}
	return s, nil
}

// Create makes one container, in the parent unless that is the zero Ref.
func (c *Client) Create(ctx context.Context, kind Kind, name, description string, parent Ref) (int64, error) {
	b := c.NewBatch()
	r := b.Container(kind, name, description)
	if parent != (Ref{}) {
		b.Link(parent, r)
	}
	s, err := c.Save(ctx, b)
	return s.ID(r), err
}

// Annotate makes a new annotation of an object and returns its id.
func (c *Client) Annotate(ctx context.Context, object Ref, a Annotation) (int64, error) {
	b := c.NewBatch()
	r := b.Annotation(a)
	b.Annotate(object, r)
	s, err := c.Save(ctx, b)
	return s.ID(r), err
}
