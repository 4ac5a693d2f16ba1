package omero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
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

// tokenQueries are the queries for the rows that count.
func tokenQueries(kind Kind, except string) ([]string, bool) {
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
		`select `+tokenColumns("f")+` from Folder f where f.id in (`+foldersOf(images)+`)`,
		`select `+tokenColumns("fl")+` from FolderImageLink fl where fl.child.id in (`+images+`)`,
		`select `+tokenColumns("fl")+` from FolderRoiLink fl where fl.child.image.id in (`+images+`)`)
	return append(queries, noteQueries(partsOf(kind), except)...), true
}

// siblings are the images of the same fileset as an image, which belong to its
// pack. An image without a fileset has none, not even itself.
var siblings = scope{from: "Image o join o.fileset of join of.images i", where: "o.id = :id"}

// scopeQueries are the queries for the rows that belong to the images of a
// scope and to the object.
func scopeQueries(kind Kind, s scope) []string {
	var queries []string
	add := func(alias, from, where string) {
		queries = append(queries, `select `+tokenColumns(alias)+` from `+from+` where `+where)
	}
	self, selfIs := string(kind)+" o", "o.id = :id"
	add("o", self, selfIs)
	if kind == KindProject {
		datasets := "ProjectDatasetLink pl join pl.child d"
		add("pl", datasets, s.where)
		add("d", datasets, s.where)
	}
	switch kind {
	case KindProject, KindDataset:
		add("il", s.from, s.where)
	case KindScreen, KindPlate:
		plateQueries(kind, s.where, add)
		add("ws", s.from, s.where)
	}
	add("i", s.from, s.where)
	add("p", s.from+" join i.pixels p", s.where)
	add("c", s.from+" join i.pixels p join p.channels c", s.where)
	add("lc", s.from+" join i.pixels p join p.channels c join c.logicalChannel lc", s.where)
	settings := " join i.pixels p join p.settings rd"
	queries = append(queries, `select `+tokenColumns("rd", "q")+` from `+s.from+settings+` join rd.quantization q where `+s.where)
	add("cb", s.from+settings+" join rd.waveRendering cb", s.where)
	add("cx", s.from+settings+" join rd.waveRendering cb join cb.spatialDomainEnhancement cx", s.where)
	acquisitionToken(s, add)
	add("f", s.from+" join i.fileset f", s.where)
	// Where the files came from and how they were imported. A subquery counts the
	// files of a fileset once, however many images it has.
	sets := "(select i.fileset.id from " + s.from + " where " + s.where + ")"
	queries = append(queries, `select `+tokenColumns("fe", "of")+` from FilesetEntry fe join fe.originalFile of where fe.fileset.id in `+sets,
		`select `+tokenColumns("uj")+` from FilesetJobLink fl, UploadJob uj where fl.child.id = uj.id and fl.parent.id in `+sets)
	// The images of a fileset that are shown nowhere in the object.
	add("y", s.from+" join i.fileset f join f.images y", s.where)
	add("r", s.from+" join i.rois r", s.where)
	add("s", s.from+" join i.rois r join r.shapes s", s.where)
	add("tr", s.from+" join i.rois r join r.shapes s join s.transform tr", s.where)
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
func noteQueries(parts []part, except string) []string {
	var queries []string
	for _, p := range parts {
		queries = append(queries, `select `+tokenColumns("al", "a")+`, `+eventColumns("bl", "ble")+`, `+eventColumns("b", "be")+
			` from `+annotationLinkClass(string(p.kind))+` al join al.child a left outer join a.annotationLinks bl left outer join bl.child b `+
			`left outer join bl.details.updateEvent ble left outer join b.details.updateEvent be where al.parent.id in (`+p.ids+`)`+
			notIn("a", except))
	}
	return append(queries,
		`select `+tokenColumns("al", "a")+` from OriginalFileAnnotationLink al join al.child a where al.parent.id in (`+attached(parts)+`)`+
			notIn("a", except),
		`select `+tokenColumns("f")+` from FileAnnotation a join a.file f where (`+noted("a.id", parts)+` or `+notedTwice("a.id", parts)+`)`+
			notIn("a", except),
		`select `+tokenColumns("al", "a")+` from AnnotationAnnotationLink al join al.parent a where a.ns = '`+NamespaceTagSet+`' and (`+
			noted("al.child.id", parts)+` or `+notedTwice("al.child.id", parts)+`)`)
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
// not depend on how much belongs to the object.
func (c *Client) ChangeToken(ctx context.Context, kind Kind, id int64, except string) (Token, error) {
	parts, ok := tokenQueries(kind, except)
	if !ok {
		return Token{}, failure(Invalid, "change token", "of a "+string(kind))
	}
	found := make([]row, len(parts))
	var mu sync.Mutex
	jobs := make([]func(context.Context) error, len(parts))
	for n, q := range parts {
		jobs[n] = func(ctx context.Context) error {
			r, _, err := c.first(ctx, q, params{"id": id})
			mu.Lock()
			defer mu.Unlock()
			found[n] = r
			return err
		}
	}
	var figures []Figure
	var contents, about []row
	jobs = append(jobs, func(ctx context.Context) (err error) {
		if figures, err = c.FiguresIn(ctx, kind, id); err == nil {
			about, err = c.figureNotes(ctx, figures, except)
		}
		return err
	}, func(ctx context.Context) (err error) {
		contents, err = c.rows(ctx, contentsQuery(partsOf(kind), except), params{"id": id})
		return err
	})
	if err := together(ctx, jobs...); err != nil {
		return Token{}, fmt.Errorf("change token: %w", err)
	}
	if found[0].id(0) == 0 {
		return Token{}, failure(NotFound, "change token", fmt.Sprintf("no %s %d", kind, id))
	}
	h := sha256.New()
	var t Token
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
