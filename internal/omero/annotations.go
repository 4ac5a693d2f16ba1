package omero

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// AnnotationKind is the class of an annotation.
type AnnotationKind string

// The kinds of annotations, with the field of [Annotation] that has the value.
const (
	TagAnnotation       AnnotationKind = "TagAnnotation"       // Text
	CommentAnnotation   AnnotationKind = "CommentAnnotation"   // Text
	XMLAnnotation       AnnotationKind = "XmlAnnotation"       // Text
	TermAnnotation      AnnotationKind = "TermAnnotation"      // Text
	LongAnnotation      AnnotationKind = "LongAnnotation"      // Long
	DoubleAnnotation    AnnotationKind = "DoubleAnnotation"    // Double
	BooleanAnnotation   AnnotationKind = "BooleanAnnotation"   // Bool
	TimestampAnnotation AnnotationKind = "TimestampAnnotation" // Time
	FileAnnotation      AnnotationKind = "FileAnnotation"      // File
	MapAnnotation       AnnotationKind = "MapAnnotation"       // Pairs
	ListAnnotation      AnnotationKind = "ListAnnotation"      // none
)

// Namespaces that OMERO's own programs use.
const (
	NamespaceTagSet   = "openmicroscopy.org/omero/insight/tagset"
	NamespaceKeyValue = "openmicroscopy.org/omero/client/mapAnnotation"
	NamespaceRating   = "openmicroscopy.org/omero/insight/rating"
)

// Annotation is something said about other objects.
type Annotation struct {
	ID          int64
	Kind        AnnotationKind
	Namespace   string
	Name        string
	Description string

	Text   string
	Long   int64
	Double float64
	Bool   bool
	Time   time.Time
	Pairs  []Pair
	File   OriginalFile
	// Null says that a number, truth value or time is not there, which other
	// clients may leave out.
	Null bool

	Meta
}

// AnnotationLink says that an object has an annotation.
type AnnotationLink struct {
	ID         int64
	Kind       Kind // of the object; KindAnnotation for annotations of annotations
	Parent     int64
	Annotation int64
	Owner      int64 // who linked them
	Created    time.Time
}

// AnnotationLinks lists the annotations of objects of one kind.
func (c *Client) AnnotationLinks(ctx context.Context, kind Kind, parents []int64) ([]AnnotationLink, error) {
	return c.AnnotationLinksOf(ctx, kind, These(parents))
}

// AnnotationLinksOf is [Client.AnnotationLinks] of a selection of objects.
func (c *Client) AnnotationLinksOf(ctx context.Context, kind Kind, parents Selection) ([]AnnotationLink, error) {
	rows, err := c.rowsOf(ctx, annotationLinkQuery(kind)+`where l.parent.id in (:ids) order by l.id`, parents, annotationLinkClass(string(kind)))
	return toLinks(kind, rows, err)
}

// PlaneAnnotationLinks lists the annotations of the planes of images.
func (c *Client) PlaneAnnotationLinks(ctx context.Context, images Selection) ([]AnnotationLink, error) {
	rows, err := c.rowsOf(ctx, annotationLinkQuery(KindPlaneInfo)+`where l.parent.pixels.image.id in (:ids) order by l.id`, images,
		annotationLinkClass(string(KindPlaneInfo)))
	return toLinks(KindPlaneInfo, rows, err)
}

// TagSetLinks lists the tag sets that hold some of the annotations.
func (c *Client) TagSetLinks(ctx context.Context, members []int64) ([]AnnotationLink, error) {
	rows, err := c.rowsFor(ctx, annotationLinkQuery(KindAnnotation)+`where l.child.id in (:ids) and l.parent.ns = '`+NamespaceTagSet+
		`' order by l.id`, unique(members))
	return toLinks(KindAnnotation, rows, err)
}

func annotationLinkQuery(kind Kind) string {
	return `select l.id, l.parent.id, l.child.id, l.details.owner.id, l.details.creationEvent.time from ` +
		string(kind) + `AnnotationLink l `
}

func toLinks(kind Kind, rows []row, err error) ([]AnnotationLink, error) {
	if err != nil {
		return nil, fmt.Errorf("annotations of %ss: %w", kind, err)
	}
	links := make([]AnnotationLink, len(rows))
	for i, r := range rows {
		links[i] = AnnotationLink{ID: r.id(0), Kind: kind, Parent: r.id(1), Annotation: r.id(2), Owner: r.id(3), Created: r.time(4)}
	}
	return links, nil
}

// valueColumn is the property that holds the value of each kind with a simple
// one.
var valueColumn = map[AnnotationKind]string{
	TagAnnotation: "a.textValue", CommentAnnotation: "a.textValue", XMLAnnotation: "a.textValue", TermAnnotation: "a.termValue",
	LongAnnotation: "a.longValue", DoubleAnnotation: "a.doubleValue", BooleanAnnotation: "a.boolValue",
	TimestampAnnotation: "a.timeValue",
}

const annotationColumns = `select a.id, a.ns, a.name, a.description, `

func (r row) annotation(kind AnnotationKind) Annotation {
	return Annotation{Kind: kind, ID: r.id(0), Namespace: r.str(1), Name: r.str(2), Description: r.str(3), Meta: r.meta(4)}
}

// Annotations returns annotations of all kinds by their ids, in the order of
// the ids; those that are gone are missing.
func (c *Client) Annotations(ctx context.Context, ids []int64) ([]Annotation, error) {
	ids = unique(ids)
	var mu sync.Mutex
	found := make(map[int64]Annotation, len(ids))
	add := func(as []Annotation) {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range as {
			found[a.ID] = a
		}
	}
	jobs := []func(context.Context) error{
		func(ctx context.Context) error { return c.fileAnnotations(ctx, ids, add) },
		func(ctx context.Context) error { return c.mapAnnotations(ctx, ids, add) },
		func(ctx context.Context) error { return c.simpleAnnotations(ctx, ListAnnotation, ids, add) },
	}
	for kind := range valueColumn {
		jobs = append(jobs, func(ctx context.Context) error { return c.simpleAnnotations(ctx, kind, ids, add) })
	}
	if err := together(ctx, jobs...); err != nil {
		return nil, fmt.Errorf("annotations: %w", err)
	}
	list := make([]Annotation, 0, len(found))
	for _, id := range ids {
		if a, ok := found[id]; ok {
			list = append(list, a)
		}
	}
	return list, nil
}

func (c *Client) simpleAnnotations(ctx context.Context, kind AnnotationKind, ids []int64, add func([]Annotation)) error {
	columns := annotationColumns + meta("a")
	if v := valueColumn[kind]; v != "" {
		columns += ", " + v
	}
	rows, err := c.rowsFor(ctx, columns+` from `+string(kind)+` a where a.id in (:ids) order by a.id`, ids)
	if err != nil {
		return err
	}
	list := make([]Annotation, len(rows))
	for i, r := range rows {
		a := r.annotation(kind)
		switch v := r.at(8).(type) {
		case string:
			a.Text = v
		case int64:
			a.Long = v
		case float64:
			a.Double = v
		case bool:
			a.Bool = v
		case time.Time:
			a.Time = v
		case nil:
			a.Null = nullable(kind)
		}
		list[i] = a
	}
	add(list)
	return nil
}

// nullable kinds are those in which no value is something else than an empty
// one.
func nullable(kind AnnotationKind) bool {
	switch kind {
	case LongAnnotation, DoubleAnnotation, BooleanAnnotation, TimestampAnnotation:
		return true
	}
	return false
}

func (c *Client) fileAnnotations(ctx context.Context, ids []int64, add func([]Annotation)) error {
	rows, err := c.rowsFor(ctx, annotationColumns+meta("a")+`, `+fileColumns("f")+` from FileAnnotation a `+
		`left outer join a.file f left outer join f.hasher h where a.id in (:ids) order by a.id`, ids)
	if err != nil {
		return err
	}
	list := make([]Annotation, len(rows))
	for i, r := range rows {
		list[i] = r.annotation(FileAnnotation)
		list[i].File = r.file(8)
	}
	add(list)
	return nil
}

func (c *Client) mapAnnotations(ctx context.Context, ids []int64, add func([]Annotation)) error {
	var values []row
	maps, err := c.rowsFor(ctx, annotationColumns+meta("a")+` from MapAnnotation a where a.id in (:ids) order by a.id`, ids)
	if err != nil {
		return err
	}
	list := make([]Annotation, len(maps))
	at := make(map[int64]*Annotation, len(maps))
	found := make([]int64, len(maps))
	for i, r := range maps {
		list[i] = r.annotation(MapAnnotation)
		found[i] = list[i].ID
		at[found[i]] = &list[i]
	}
	values, err = c.rowsFor(ctx, `select a.id, v.name, v.value, index(v) from MapAnnotation a join a.mapValue v `+
		`where a.id in (:ids) order by a.id, index(v)`, found)
	if err != nil {
		return err
	}
	for _, r := range values {
		if a := at[r.id(0)]; a != nil {
			a.Pairs = append(a.Pairs, Pair{Key: r.str(1), Value: r.str(2)})
		}
	}
	add(list)
	return nil
}

// FileAnnotationsIn lists the file annotations that belong into the folder of
// a pack: those of a project itself; of a screen and its reagents; of a
// dataset or plate and all that it holds; and those of annotations of these;
// and the figures of the images of a dataset or plate, see [Client.FiguresIn].
// Namespaces that begin with except are left out, as are annotations whose file
// is gone.
func (c *Client) FileAnnotationsIn(ctx context.Context, kind Kind, id int64, except string) ([]Annotation, error) {
	parts := partsOf(kind)
	switch kind {
	case KindProject:
		parts = parts[:1]
	case KindScreen:
		parts = parts[:2]
	case KindDataset, KindPlate, KindImage:
	default:
		return nil, failure(Invalid, "file annotations", "of a "+string(kind))
	}
	var figures []int64
	if kind != KindProject && kind != KindScreen {
		list, err := c.FiguresIn(ctx, kind, id)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			figures = append(figures, f.Annotation)
		}
	}
	drawn, p := "", params{"id": id}
	if len(figures) > 0 {
		drawn, p["figures"] = ` or a.id in (:figures)`, figures
	}
	rows, err := c.rows(ctx, annotationColumns+meta("a")+`, `+fileColumns("f")+` from FileAnnotation a `+
		`join a.file f left outer join f.hasher h where (`+noted("a.id", parts)+` or `+notedTwice("a.id", parts)+drawn+`)`+
		notIn("a", except)+` order by a.id`, p)
	if err != nil {
		return nil, fmt.Errorf("file annotations: %w", err)
	}
	list := make([]Annotation, len(rows))
	for i, r := range rows {
		list[i] = r.annotation(FileAnnotation)
		list[i].File = r.file(8)
	}
	return list, nil
}
