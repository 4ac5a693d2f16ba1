package omero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Token changes whenever something changes that belongs to an object: a name,
// a membership, an annotation, a region, a file. It is made of the number of
// rows of each kind, the sum of their ids and their newest event, because the
// server moves no event of a project when an image in it is renamed or a tag
// unlinked. Of attached files it also has the content: programs write some of
// them anew in place, and nothing promises that this moves an event.
type Token struct {
	Hash   string    // hex
	Newest time.Time // the newest event
	Extent *Extent   // how much there is
}

// scope is the set of images that belong to an object, as the beginning of a
// query in which they are called i.
type scope struct {
	from  string // ends in the alias i
	where string
}

var scopes = map[Kind]scope{
	KindProject: {from: "ProjectDatasetLink pl join pl.child d join d.imageLinks il join il.child i", where: "pl.parent.id = :id"},
	KindDataset: {from: "DatasetImageLink il join il.child i", where: "il.parent.id = :id"},
	KindScreen:  {from: platesOfScreen + " join pt.wells w join w.wellSamples ws join ws.image i", where: "sl.parent.id = :id"},
	KindPlate:   {from: plateItself + " join pt.wells w join w.wellSamples ws join ws.image i", where: "pt.id = :id"},
	KindImage:   {from: "Image i", where: "i.id = :id"},
}

// tokenQuery is a query for rows that count.
type tokenQuery struct {
	of  string // the class of the rows
	hql string
	// needs is a class without whose rows there are none of these; "" for none.
	// Its own queries have none of that, or a need that has none.
	needs string
}

// anyNote stands for the annotation links of all parts of an object.
const anyNote = "IAnnotationLink"

// tokenQueries are the queries for the rows that count.
func tokenQueries(kind Kind, except string) ([]tokenQuery, bool) {
	s, ok := scopes[kind]
	if !ok {
		return nil, false
	}
	queries := scopeQueries(kind, s)
	if kind == KindImage {
		queries = append(queries, scopeQueries(kind, siblings)...)
	}
	images := imagesOf[kind]
	queries = append(queries,
		tokenQuery{"Folder", `select ` + tokenColumns("f") + ` from Folder f where f.id in (` + foldersOf(images) + `)`, ""},
		tokenQuery{"FolderImageLink", `select ` + tokenColumns("fl") + ` from FolderImageLink fl where fl.child.id in (` + images + `)`, "Folder"},
		tokenQuery{"FolderRoiLink", `select ` + tokenColumns("fl") + ` from FolderRoiLink fl where fl.child.image.id in (` + images + `)`, "Folder"})
	return append(queries, noteQueries(partsOf(kind), except)...), true
}

// siblings are the images of the same fileset as an image, which belong to its
// pack. An image without a fileset has none, not even itself.
var siblings = scope{from: "Image o join o.fileset of join of.images i", where: "o.id = :id"}

// scopeQueries are the queries for the rows that belong to the images of a
// scope and to the object.
func scopeQueries(kind Kind, s scope) []tokenQuery {
	var queries []tokenQuery
	needing := func(needs, of, alias, from, where string) {
		queries = append(queries, tokenQuery{of, `select ` + tokenColumns(alias) + ` from ` + from + ` where ` + where, needs})
	}
	add := func(of, alias, from, where string) { needing("", of, alias, from, where) }
	// The object itself comes first.
	self, selfIs := string(kind)+" o", "o.id = :id"
	add(string(kind), "o", self, selfIs)
	if kind == KindProject {
		datasets := "ProjectDatasetLink pl join pl.child d"
		add("ProjectDatasetLink", "pl", datasets, s.where)
		add("Dataset", "d", datasets, s.where)
	}
	switch kind {
	case KindProject, KindDataset:
		add("DatasetImageLink", "il", s.from, s.where)
	case KindScreen, KindPlate:
		plateQueries(kind, s.where, add)
		add("WellSample", "ws", s.from, s.where)
	}
	add("Image", "i", s.from, s.where)
	add("Pixels", "p", s.from+" join i.pixels p", s.where)
	add("Channel", "c", s.from+" join i.pixels p join p.channels c", s.where)
	add("LogicalChannel", "lc", s.from+" join i.pixels p join p.channels c join c.logicalChannel lc", s.where)
	settings := " join i.pixels p join p.settings rd"
	queries = append(queries, tokenQuery{"RenderingDef",
		`select ` + tokenColumns("rd", "q") + ` from ` + s.from + settings + ` join rd.quantization q where ` + s.where, ""})
	needing("RenderingDef", "ChannelBinding", "cb", s.from+settings+" join rd.waveRendering cb", s.where)
	// One that reverses nothing is as good as none.
	needing("RenderingDef", "ReverseIntensityContext", "cx", "ReverseIntensityContext cx", "cx.reverse = true and "+
		"cx.channelBinding.renderingDef.pixels.image.id in (select i.id from "+s.from+" where "+s.where+")")
	acquisitionToken(s, needing)
	add("Fileset", "f", s.from+" join i.fileset f", s.where)
	// Where the files came from and how they were imported. A subquery counts the
	// files of a fileset once, however many images it has.
	sets := "(select i.fileset.id from " + s.from + " where " + s.where + ")"
	queries = append(queries, tokenQuery{"FilesetEntry",
		`select ` + tokenColumns("fe", "of") + ` from FilesetEntry fe join fe.originalFile of where fe.fileset.id in ` + sets, "Fileset"},
		tokenQuery{"UploadJob",
			`select ` + tokenColumns("uj") + ` from FilesetJobLink fl, UploadJob uj where fl.child.id = uj.id and fl.parent.id in ` + sets, "Fileset"})
	needing("Fileset", imagesOfFilesets, "y", "Image y", "y.fileset.id in "+sets)
	if kind != KindImage {
		queries = append(queries, otherQueries(kind, sets)...)
	}
	add("Roi", "r", s.from+" join i.rois r", s.where)
	add("Shape", "s", s.from+" join i.rois r join r.shapes s", s.where)
	needing("Shape", "AffineTransform", "tr", s.from+" join i.rois r join r.shapes s join s.transform tr", s.where)
	return queries
}

// otherImages are the images of filesets that are shown nowhere in an object,
// as far as a token counts them.
const otherImages = "other images"

// otherQueries are the queries for these and for what a pack says of them: how
// they were taken. Most objects have none.
func otherQueries(kind Kind, sets string) []tokenQuery {
	s := scope{from: "Image i", where: "i.fileset.id in " + sets + " and i.id not in (" + imagesOf[kind] + ")"}
	queries := []tokenQuery{{otherImages, `select ` + tokenColumns("i") + ` from ` + s.from + ` where ` + s.where, "Fileset"}}
	add := func(_, of, alias, from, where string) {
		queries = append(queries, tokenQuery{"other " + of, `select ` + tokenColumns(alias) + ` from ` + from + ` where ` + where, otherImages})
	}
	add("", "Pixels", "p", s.from+" join i.pixels p", s.where)
	add("", "Channel", "c", s.from+" join i.pixels p join p.channels c", s.where)
	add("", "LogicalChannel", "lc", s.from+" join i.pixels p join p.channels c join c.logicalChannel lc", s.where)
	acquisitionToken(s, add)
	return queries
}

// OriginalFilesIn lists the original files of the images that belong to an
// object of a kind that has a [Token].
func (c *Client) OriginalFilesIn(ctx context.Context, kind Kind, id int64) ([]int64, error) {
	s, ok := scopes[kind]
	if !ok {
		return nil, failure(Invalid, "original files", "of a "+string(kind))
	}
	rows, err := c.rows(ctx, "select distinct f.id from "+s.from+" join i.fileset fs join fs.usedFiles e join e.originalFile f where "+
		s.where+" order by f.id", params{"id": id})
	if err != nil {
		return nil, fmt.Errorf("original files: %w", err)
	}
	ids := make([]int64, len(rows))
	for n, r := range rows {
		ids[n] = r.id(0)
	}
	return ids, nil
}

// noteQueries are the queries for the annotations of the parts of an object,
// for those of these annotations and of attached files, for the files, and for
// the tag sets. One query asks for links and for what they lead to.
func noteQueries(parts []part, except string) []tokenQuery {
	var queries []tokenQuery
	for _, p := range parts {
		queries = append(queries, tokenQuery{annotationLinkClass(string(p.kind)),
			`select ` + tokenColumns("al", "a") + `, ` + eventColumns("bl", "ble") + `, ` + eventColumns("b", "be") +
				` from ` + annotationLinkClass(string(p.kind)) + ` al join al.child a left outer join a.annotationLinks bl left outer join bl.child b ` +
				`left outer join bl.details.updateEvent ble left outer join b.details.updateEvent be where al.parent.id in (` + p.ids + `)` +
				notIn("a", except), p.counted()})
	}
	// The links of attached files count by a name of their own: those of the
	// files of images are asked for alone.
	return append(queries,
		tokenQuery{"attached " + annotationLinkClass(string(KindOriginalFile)),
			`select ` + tokenColumns("al", "a") + ` from OriginalFileAnnotationLink al join al.child a where al.parent.id in (` + attached(parts) + `)` +
				notIn("a", except), anyNote},
		tokenQuery{"FileAnnotation",
			`select ` + tokenColumns("f") + ` from FileAnnotation a join a.file f where (` + noted("a.id", parts) + ` or ` + notedTwice("a.id", parts) + `)` +
				notIn("a", except), anyNote},
		tokenQuery{"AnnotationAnnotationLink",
			`select ` + tokenColumns("al", "a") + ` from AnnotationAnnotationLink al join al.parent a where a.ns = '` + NamespaceTagSet + `' and (` +
				noted("al.child.id", parts) + ` or ` + notedTwice("al.child.id", parts) + `)`, anyNote})
}

// contentColumns are what tells the content of a file apart from another's.
func contentColumns(file string) string { return file + ".size, " + file + ".hash" }

func (r row) content(i int) string { return fmt.Sprintf("%d %s", r.id(i), r.str(i+1)) }

// contentsQuery is the query for the contents of attached files.
func contentsQuery(parts []part, except string) string {
	return `select f.id, ` + contentColumns("f") + ` from FileAnnotation a join a.file f where (` + noted("a.id", parts) + ` or ` +
		notedTwice("a.id", parts) + `)` + notIn("a", except) + ` order by f.id, a.id`
}

// figureQueries are the queries for the annotations of figures and of their
// files, for the tag sets of these and for the files.
func figureQueries(except string) []string {
	const notes = `select m.child.id from AnnotationAnnotationLink m where m.parent.id in (:ids)`
	links := `select ` + tokenColumns("al", "a") + ` from `
	return []string{
		links + `AnnotationAnnotationLink al join al.child a where al.parent.id in (:ids)` + notIn("a", except),
		links + `OriginalFileAnnotationLink al join al.child a where al.parent.id in (select fa.file.id from FileAnnotation fa where fa.id in (:ids))` +
			notIn("a", except),
		links + `AnnotationAnnotationLink al join al.parent a where a.ns = '` + NamespaceTagSet + `' and al.child.id in (` + notes + `)`,
		`select ` + tokenColumns("f") + ` from FileAnnotation a join a.file f where a.id in (` + notes + `)` + notIn("a", except),
	}
}

// figureNotes asks those queries.
func (c *Client) figureNotes(ctx context.Context, figures []Figure, except string) (all []row, err error) {
	ids := make([]int64, len(figures))
	for i, f := range figures {
		ids[i] = f.Annotation
	}
	for part := range slices.Chunk(ids, batchIDs) {
		for _, q := range figureQueries(except) {
			r, _, err := c.first(ctx, q, params{"ids": part})
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// tokenColumns are what counts of the rows of some aliases.
func tokenColumns(aliases ...string) string {
	columns := make([]string, len(aliases))
	for i, a := range aliases {
		columns[i] = eventColumns(a, a+".details.updateEvent")
	}
	return strings.Join(columns, ", ")
}

// eventColumns are what counts of the rows of an alias with their event. That
// of an outer join needs one too, as a path through it is an inner join.
func eventColumns(alias, event string) string {
	return fmt.Sprintf("count(%[1]s.id), sum(%[1]s.id), max(%[2]s.id), max(%[2]s.time)", alias, event)
}

// ChangeToken asks for the token of a project, dataset, screen, plate or image;
// an image stands for all images of its fileset. Annotations
// whose namespace begins with except do not count. The number of queries does
// not depend on how much belongs to the object, only on of how many kinds.
func (c *Client) ChangeToken(ctx context.Context, kind Kind, id int64, except string) (Token, error) {
	parts, ok := tokenQueries(kind, except)
	if !ok {
		return Token{}, failure(Invalid, "change token", "of a "+string(kind))
	}
	var figures []Figure
	var about []row
	found, extent, err := c.tokenRows(ctx, parts, kind, id, func(ctx context.Context) (err error) {
		if figures, err = c.FiguresIn(ctx, kind, id); err == nil {
			about, err = c.figureNotes(ctx, figures, except)
		}
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("change token: %w", err)
	}
	if found[0].id(0) == 0 {
		return Token{}, failure(NotFound, "change token", fmt.Sprintf("no %s %d", kind, id))
	}
	var contents []row
	if !extent.lacks(string(FileAnnotation)) {
		if contents, err = c.rows(ctx, contentsQuery(partsOf(kind), except), params{"id": id}); err != nil {
			return Token{}, fmt.Errorf("change token: %w", err)
		}
	}
	h := sha256.New()
	t := Token{Extent: extent}
	count := func(rows []row) {
		for n, r := range rows {
			fmt.Fprintf(h, "%d:", n)
			for i := 0; i < len(r); i += 4 {
				fmt.Fprintf(h, "%d,%d,%d;", r.id(i), r.id(i+1), r.id(i+2))
				if at := r.time(i + 3); at.After(t.Newest) {
					t.Newest = at
				}
			}
		}
	}
	count(found)
	for _, f := range figures {
		fmt.Fprintf(h, "figure %d,%d,%s;", f.Annotation, f.event, f.content)
		if f.changed.After(t.Newest) {
			t.Newest = f.changed
		}
	}
	count(about)
	for _, r := range contents {
		fmt.Fprintf(h, "file %d,%s;", r.id(0), r.content(1))
	}
	t.Hash = hex.EncodeToString(h.Sum(nil)[:16])
	return t, nil
}

// tokenRows asks the queries of a token, and does what is to be done meanwhile.
// What needs others waits until it is known whether there are any, and is not
// asked, and has no row, when there are none.
func (c *Client) tokenRows(ctx context.Context, queries []tokenQuery, kind Kind, id int64, meanwhile func(context.Context) error) ([]row, *Extent, error) {
	found := make([]row, len(queries))
	x := &Extent{kind: kind, id: id, counts: make(map[string]int64)}
	jobs := []func(context.Context) error{meanwhile}
	for _, turn := range []func(tokenQuery) bool{
		func(q tokenQuery) bool { return q.needs == "" },
		func(q tokenQuery) bool { return q.needs != "" && q.needs != anyNote && q.needs != otherImages },
		func(q tokenQuery) bool { return q.needs == anyNote || q.needs == otherImages },
	} {
		var asked []int
		for n, q := range queries {
			if !turn(q) {
				continue
			}
			asked = append(asked, n)
			if !x.lacks(q.needs) {
				jobs = append(jobs, func(ctx context.Context) (err error) {
					found[n], _, err = c.first(ctx, q.hql, params{"id": id})
					return err
				})
			}
		}
		if err := together(ctx, jobs...); err != nil {
			return nil, nil, err
		}
		jobs = nil
		for _, n := range asked {
			q, count := queries[n], found[n].id(0)
			x.counts[q.of] += count
			if strings.HasSuffix(q.of, "AnnotationLink") {
				x.counts[anyNote] += count
			}
		}
	}
	return found, x, nil
}
