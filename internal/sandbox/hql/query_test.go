package hql

import (
	"regexp"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// expand writes @name in an expectation as the id of that object.
func (w *world) expand(want string) string {
	return regexp.MustCompile(`\B@\w+`).ReplaceAllStringFunc(want, func(name string) string {
		return w.cell(w.names[name[1:]])
	})
}

type row struct {
	query  string
	params V
	want   string
}

func check(t *testing.T, rows []row) {
	t.Helper()
	w := newWorld(t)
	for _, tc := range rows {
		r, err := w.query(tc.query, tc.params)
		if err != nil {
			t.Errorf("%s\n  %v", tc.query, err)
			continue
		}
		if got, want := w.show(r), w.expand(tc.want); got != want {
			t.Errorf("%s\n  got  %s\n  want %s", tc.query, got, want)
		}
	}
}

// The queries by which clients list what is on a server.
func TestListings(t *testing.T) {
	own := V{"gid": "@lab", "uid": "@ada"}
	check(t, []row{
		{"select g.id, g.name, g.description, g.details.permissions, m.owner from ExperimenterGroup g join g.groupExperimenterMap m where m.child.id = :uid order by g.name, g.id",
			own, "@empty empty - perm-120 false; @lab lab - perm-56 true"},
		{"select g.id, g.name from ExperimenterGroup g where g.name != 'user' order by g.name", nil, "@empty empty; 2L guest; @lab lab; 0L system"},
		{"select e.id, e.omeName, e.firstName, e.lastName, e.email, m.owner from GroupExperimenterMap m join m.child e where m.parent.id = :gid order by e.omeName",
			own, "@ada ada Ada L ada@x true; @bob bob Bob B - false"},
		{"select e.id from Experimenter e where e.omeName = :name", V{"name": "bob"}, "@bob"},
		{"select p.id, p.name, p.description, p.details.creationEvent.time, p.details.updateEvent.time, p.version from Project p where p.details.group.id = :gid and p.details.owner.id = :uid order by p.id",
			own, "@P P one 1700000000000 1700000000000 0; @Q q_1% - 1700000000000 1700000000000 0"},
		{"select d.id, d.name, d.description, d.details.owner.id, d.details.creationEvent.time, d.details.updateEvent.time from ProjectDatasetLink l join l.child d where l.parent.id = :id order by d.id",
			V{"id": "@P"}, "@D D - @ada 1700000000000 1700000000000; @E E - @ada 1700000000000 1700000000000"},
		{"select d.id, d.name from Dataset d where d.details.group.id = :gid and d.details.owner.id = :uid and not exists (select l.id from ProjectDatasetLink l where l.child = d.id) order by d.id",
			own, "@orphan orphan"},
		{"select i.id, i.name, i.fileset.id, i.series, i.acquisitionDate, i.details.owner.id, i.details.updateEvent.time from DatasetImageLink l join l.child i where l.parent.id = :id order by i.id",
			V{"id": "@D"}, "@i1 a.tif [0] @fs 0 - @ada 1700000000000; @i2 a.tif [1] @fs 1 - @ada 1700000000000"},
		{"select i.id, i.name, i.fileset.id from Image i where i.details.group.id = :gid and i.details.owner.id = :uid and not exists (select l.id from DatasetImageLink l where l.child = i.id) and not exists (select w.id from WellSample w where w.image.id = i.id) order by i.id",
			own, "@i3 Old -"},
		{"select i.id, p.id, p.sizeX, p.sizeY, p.sizeZ, p.sizeC, p.sizeT, t.value, p.significantBits, o.value from Pixels p join p.image i join p.pixelsType t join p.dimensionOrder o where i.id in (:ids)",
			V{"ids": []string{"i1", "i2"}}, "@i1 @p1 10 20 1 2 1 uint16 12 XYCZT"},
		{"select p.image.id, p.physicalSizeX, p.physicalSizeY, p.physicalSizeZ from Pixels p where p.image.id in (:ids)",
			V{"ids": []string{"i1"}}, "@i1 0.5µm/MICROMETER - -"},
		{"select p.image.id, c.id, index(c), lc.name, c.red, c.green, c.blue, c.alpha, lc.emissionWave.value, lc.excitationWave.value from Pixels p join p.channels c join c.logicalChannel lc where p.image.id in (:ids) order by p.image.id, index(c)",
			V{"ids": []string{"i1"}}, "@i1 @c1 0 DAPI 255 - - - 461 -; @i1 @c2 1 - 0 - - - - -"},
	})
}

func TestPlateListings(t *testing.T) {
	own := V{"gid": "@lab", "uid": "@ada"}
	check(t, []row{
		{"select s.id, s.name, s.description from Screen s where s.details.group.id = :gid and s.details.owner.id = :uid order by s.id", own, "@S S -"},
		{"select p.id, p.name, p.rows, p.columns, p.rowNamingConvention, p.columnNamingConvention from ScreenPlateLink l join l.child p where l.parent.id = :id order by p.id",
			V{"id": "@S"}, "@plate plate 2 3 letter -"},
		{"select p.id, p.name from Plate p where p.details.group.id = :gid and p.details.owner.id = :uid and not exists (select l.id from ScreenPlateLink l where l.child = p.id) order by p.id",
			own, "@lone lone"},
		{"select a.id, a.name, a.startTime, a.endTime from PlateAcquisition a where a.plate.id = :id order by a.id", V{"id": "@plate"}, "@run run - -"},
		{"select w.id, w.row, w.column, w.type from Well w where w.plate.id = :id order by w.row, w.column", V{"id": "@plate"}, "@w1 0 2 -; @w2 1 0 control"},
		{"select ws.well.id, ws.id, ws.plateAcquisition.id, i.id, i.name, i.fileset.id, index(ws) from Well w join w.wellSamples ws join ws.image i where w.plate.id = :id order by w.row, w.column, index(ws)",
			V{"id": "@plate"}, "@w1 @ws1 @run @wi1 field 1 - 0; @w1 @ws2 - @wi2 field 2 - 1"},
	})
}

func TestFileListings(t *testing.T) {
	check(t, []row{
		{"select e.id, e.clientPath, f.id, f.path, f.name, f.size, f.hash, h.value, f.mtime, f.mimetype, index(e) from Fileset s join s.usedFiles e join e.originalFile f left outer join f.hasher h where s.id = :id order by index(e)",
			V{"id": "@fs"}, "@e2 in/a.dat @f2 ada/x/ a.dat 5L - - - - 0; @e1 in/a.tif @f1 ada/x/ a.tif 1000L aa SHA1-160 - - 1"},
		{"select i.fileset.id, count(i.id) from Image i where i.fileset.id in (:ids) group by i.fileset.id", V{"ids": []string{"fs"}}, "@fs 2L"},
		{"select s.id, s.templatePrefix from Fileset s where s.id in (:ids)", V{"ids": []string{"fs"}}, "@fs ada/x/"},
		{"select j.id, v.name, v.value from FilesetJobLink l, UploadJob j join j.versionInfo v where l.child.id = j.id and l.parent.id = :id",
			V{"id": "@fs"}, "@job bioformats.reader R; @job locale C"},
		{"select sum(f.size) from FilesetEntry e join e.originalFile f where e.fileset.id in (:ids)", V{"ids": []string{"fs"}}, "1005L"},
		{"select f.id, f.path, f.name, f.size from Fileset s join s.jobLinks l join l.child j join j.originalFileLinks ol join ol.child f where s.id = :id",
			V{"id": "@fs"}, "@log ada/x/ import.log 7L"},
		{"select f.id, f.path, f.name, f.size from PixelsOriginalFileMap m join m.parent f join m.child p where p.image.id = :id", V{"id": "@i1"}, ""},
		{"select s.id from Fileset s where s.details.owner.id = :uid and not exists (select i.id from Image i where i.fileset = s)", V{"uid": "@ada"}, ""},
		{"select i.fileset.id from Image i where i.id = :id", V{"id": "@i3"}, "-"},
	})
}

func TestAnnotationListings(t *testing.T) {
	ids := V{"ids": []string{"i1", "i2"}}
	check(t, []row{
		{"select l.parent.id, l.id, a.id, a.ns, a.description, a.textValue, l.details.owner.id from ImageAnnotationLink l join l.child a where l.parent.id in (:ids) and a.class = TagAnnotation",
			ids, "@i1 @lt @tag n - red @ada"},
		{"select l.parent.id, a.longValue from ImageAnnotationLink l join l.child a where l.parent.id in (:ids) and a.class = ome.model.annotations.LongAnnotation", ids, "@i2 4L"},
		{"select l.parent.id, l.id, a.id, a.ns, a.description, f.id, f.path, f.name, f.size, f.hash, f.mimetype from ImageAnnotationLink l, FileAnnotation a join a.file f where l.child.id = a.id and l.parent.id in (:ids)",
			ids, "@i1 @lf @file - - @att x/ notes.txt 3L - -"},
		{"select l.parent.id, l.id, a.id, a.ns from ImageAnnotationLink l, MapAnnotation a where l.child.id = a.id and l.parent.id in (:ids)", ids, "@i1 @lm @map -"},
		{"select a.id, v.name, v.value, index(v) from MapAnnotation a join a.mapValue v where a.id in (:ids) order by a.id, index(v)",
			V{"ids": []string{"map"}}, "@map k v 0; @map k w 1"},
		{"select l.parent.id, a.id, a.textValue from AnnotationAnnotationLink l join l.child a where l.parent.id in (:ids)", V{"ids": []string{"set"}}, "@set @tag red"},
		{"select r.id, r.name, r.description, r.details.owner.id from Roi r where r.image.id = :id order by r.id", V{"id": "@i1"}, "@roi r - @ada"},
		{"select s.roi.id, s.id, s.theZ, s.theT, s.theC, s.x, s.y, s.width, s.height, s.textValue, s.fillColor, s.strokeColor, s.strokeWidth from Rectangle s where s.roi.image.id = :id",
			V{"id": "@i1"}, "@roi @rect - - - 1 2 3 4 - - - 1pixel/PIXEL"},
		{"select s.id, t.a00, t.a10, t.a01, t.a11, t.a02, t.a12 from Shape s join s.transform t where s.roi.image.id = :id", V{"id": "@i1"}, "@rect 1 0 0 1 5 6"},
		{"select p.image.id, t.id, t.sizeX, t.sizeY from Thumbnail t join t.pixels p where p.image.id in (:ids)", ids, "@i1 @th 96 96"},
		{"select max(e.id) from EventLog e where e.id < 2", nil, "1L"},
	})
}

func TestJoins(t *testing.T) {
	check(t, []row{
		// An implicit join drops what has no target, the foreign key does not.
		{"select i.id, i.fileset.templatePrefix from Image i where i.name = 'Old' or i.id = :id", V{"id": "@i1"}, "@i1 ada/x/"},
		{"select i.id from Image i where i.fileset is null and i.name = 'Old'", nil, "@i3"},
		{"select i.id, f.templatePrefix from Image i left join i.fileset f where i.name in ('Old', 'a.tif [0]') order by i.id", nil, "@i1 ada/x/; @i3 -"},
		{"select l.child from ProjectDatasetLink l where l.id = :id", V{"id": "@PD"}, "<Dataset 1>"},
		{"select p.name, l.child.name from Project p left outer join p.datasetLinks l with l.child.id = :d where p.name like 'P' order by p.id", V{"d": "@E"},
			"P E"},
		{"select p.name, d.name from Project p, Dataset d where p.id = 1 and d.name like 'o%'", nil, "P orphan"},
		{"select i.name from DatasetImageLink l, Image i where i = l.child and l.parent.name = 'D' order by i.name desc", nil, "a.tif [1]; a.tif [0]"},
		{"select i.name from Image i, DatasetImageLink l where i.id = l.child.id and l.parent = :d order by 1 + i.series", V{"d": "@D"}, "a.tif [0]; a.tif [1]"},
		{"from Project where name = 'P'", nil, "<Project 1>"},
		{"from Project p join p.datasetLinks l where p.id = 1 and l.child.id = 1", nil, "<Project 1> <ProjectDatasetLink 1>"},
		{"select s.id from Shape s where s.class = Point", nil, "@pt"},
		{"select s.theZ, s.x from Shape s where s.roi.id = 1 order by s.id", nil, "- 1; 3 9"},
		{"select a.id from Annotation a where a.class in (TagAnnotation, LongAnnotation) and a.ns like '%insight%' order by a.id", nil, "@set; @rating"},
		{"SELECT i.id FROM Image i JOIN i.annotationLinks al JOIN al.child a WHERE a.textValue = 'red' AND TYPE(a) = TagAnnotation", nil, "@i1"},
		{"select l.id from ImageAnnotationLink l where type(l.child) = LongAnnotation", nil, "@lr"},
		{"select v.value from UploadJob j join j.versionInfo v where v.name = 'locale'", nil, "C"},
		{"select ws.id from WellSample ws where ws.well.plate.name = 'plate' order by ws.id", nil, "@ws1; @ws2"},
	})
}

func TestConditions(t *testing.T) {
	check(t, []row{
		{"select i.id from Image i where i.series between 0 and 0", nil, "@i1"},
		{"select i.id from Image i where not (i.series = 0 or i.series is null)", nil, "@i2"},
		{"select i.id from Image i where i.series <> 0", nil, "@i2"}, // null is not different from 0
		{"select i.id from Image i where i.series not in (0, 1)", nil, ""},
		{"select i.id from Image i where i.series not in (5, null)", nil, ""},
		{"select p.id from Project p where p.name like 'q\\_1\\%'", nil, "@Q"},
		{"select p.id from Project p where p.name like 'q!_%' escape '!'", nil, "@Q"},
		{"select p.id from Project p where lower(p.name) like lower(:n)", V{"n": "p"}, "@P"},
		{"select p.id from Project p where p.name not like '%b%' order by p.id", nil, "@P; @Q"},
		{"select p.id from Project p where p.datasetLinks is empty", nil, "@bobs"},
		{"select p.id from Project p where p.datasetLinks is not empty and size(p.datasetLinks) > 1", nil, "@P"},
		{"select d.id from Dataset d where exists (from d.imageLinks)", nil, "@D"},
		{"select d.id from Dataset d where exists (select l.id from DatasetImageLink l where l.parent = d and l.child.name = :n)", V{"n": "a.tif [1]"}, "@D"},
		{"select i.id from Image i where i.id in (select l.child.id from DatasetImageLink l where l.parent.id = :d) order by i.id", V{"d": "@D"}, "@i1; @i2"},
		{"select l.id from ProjectDatasetLink l where l member of l.parent.datasetLinks and l.child.name = 'D'", nil, "@PD"},
		{"select i.id from Image i where i.series >= all (select j.series from Image j where j.series is not null) order by i.id", nil, "@i2"},
		{"select i.id from Image i where i.series = (select max(j.series) from Image j)", nil, "@i2"},
		{"select p.id from Pixels p where p.physicalSizeX.unit = 'MICROMETER' and p.physicalSizeX.unit = 'µm' and p.physicalSizeX.value < 1", nil, "@p1"},
		{"select i.id from Image i where i.acquisitionDate <= :t", V{"t": store.Time(1000)}, "@i3"},
		{"select m.id from GroupExperimenterMap m where m.owner = true and m.child.id = :id", V{"id": "@ada"}, "3L"},
		{"select i.id from Image i where i.fileset = :fs and i.series = 1", V{"fs": "@fs"}, "@i2"},
		{"select i.id from Image i where i in (:ids) order by i.id desc", V{"ids": []string{"i1", "i3"}}, "@i3; @i1"},
		{"select p.id from Project p where (p.details.owner.omeName) = 'bob'", nil, "@bobs"},
		{"select p.id from Project p where 1 = 0", nil, ""},
		{"select e.id from Experimenter e where e.email is not null", nil, "@ada"},
	})
}

func TestSelect(t *testing.T) {
	check(t, []row{
		{"select new map(p.id as id, p.name as name, p as p_details_permissions) from Project p where p.id = 1", nil, "{id=1L,name=P,p_details_permissions=<Project 1>,}"},
		{"select distinct l.parent.name from ProjectDatasetLink l order by l.parent.name", nil, "P; q_1%"},
		{"select count(distinct l.parent), count(*), count(l.child.id), max(l.id), min(l.id) from ProjectDatasetLink l", nil, "2L 3L 3L 3L 1L"},
		{"select count(p), sum(p.version), avg(p.version), max(p.name) from Project p where p.name = 'none'", nil, "0L - - -"},
		{"select d.name, count(l) as n from Dataset d left join d.projectLinks l group by d.id having count(l) < 2 order by n desc, d.name", nil, "D 1L; orphan 0L"},
		{"select d.id, (select count(x.id) from ProjectDatasetLink x where x.child = d) from Dataset d order by d.id", nil, "@D 1L; @E 2L; @orphan 0L"},
		{"select upper(p.name) || '-' || p.id, length(p.name), substring(p.name, 1, 2), concat('a', 'b'), coalesce(p.description, 'none') from Project p order by p.id", nil,
			"P-1 1 P ab one; Q_1%-2 4 q_ ab none; BOBS-3 4 bo ab none"},
		{"select 7 / 2, 7 / 2.0, 7 % 4, -i.series * 2, 3000000000, 1L from Image i where i.series = 1", nil, "3 3.5 3 -2 3000000000L 1L"},
		{"select case when i.series = 0 then 'first' when i.series is null then 'none' else 'other' end, cast(i.series as string), nullif(i.series, 0) from Image i where i.id < 4 order by i.id", nil,
			"first 0 -; other 1 1; none - -"},
		{"select i.acquisitionDate, i.name from Image i where i.id < 4 order by i.acquisitionDate desc, i.id", nil, "- a.tif [0]; - a.tif [1]; 1000 Old"},
		{"select i.id from Image i order by i.id", V{"$offset": 1, "$limit": 2}, "@i2; @i3"},
		{"select i.id from Image i order by i.id", V{"$offset": 9, "$limit": 2}, ""},
		{"select a.class from Annotation a where a.id = :id", V{"id": "@tag"}, "TagAnnotation"},
		{"select minute.id from Project minute where minute.id = 1", nil, "1L"},
		{"select p.physicalSizeX.value, p.physicalSizeX.unit from Pixels p", nil, "0.5 MICROMETER"},
		{"select p.name from Project p where p.name = 'it''s'", nil, ""},
		{"select abs(-i.series), mod(7, 4), locate('f', i.name), trim('  x '), str(i.series), sqrt(16), substring(i.name, 3) from Image i where i.series = 1", nil, "1 3 5 x 1 4 tif [1]"},
		{"select cast('12' as integer), cast('12' as long), cast(2.5 as integer), cast('1.5' as double), cast('true' as boolean), cast(true as integer) from Image i where i.series = 1", nil, "12 12L 2 1.5 true 1"},
		{"select i.series * 3000000000, i.series + 0.5, 2 * 3, 5.5 % 2 from Image i where i.series = 1", nil, "3000000000L 1.5 6 1.5"},
		{"select case i.series when 0 then 1 when 1 then 2.5 end from Image i where i.id < 4 order by i.id", nil, "1; 2.5; -"},
		{"select a.class, count(a) from Annotation a group by a.class order by count(a) desc, min(a.id)", nil, "TagAnnotation 2L; CommentAnnotation 1L; LongAnnotation 1L; MapAnnotation 1L; FileAnnotation 1L"},
		{"select v.name, count(v.value) from MapAnnotation a join a.mapValue v group by v.name", nil, "k 2L"},
		{"select p.physicalSizeX.unit, count(p) from Pixels p group by p.physicalSizeX.unit", nil, "MICROMETER 1L"},
		{"select size(p.datasetLinks), count(p) from Project p group by p.id, size(p.datasetLinks) order by p.id", nil, "2 1L; 1 1L; 0 1L"},
		{"select index(e) + 1, count(e) from Fileset f join f.usedFiles e group by index(e) order by index(e)", nil, "1 1L; 2 1L"},
		{"select new list(p.id, p.name) from Project p where p.id = 1", nil, "[1 P]"},
		{"select minIndex(ws), maxIndex(ws) from Well w join w.wellSamples ws where w.plate.id = :id", V{"id": "@plate"}, "0 1"},
		{"select p from Project p left outer join fetch p.datasetLinks order by p.id", V{"$offset": 0, "$limit": 2}, "<Project 1>; <Project 2>"},
		{"select p from Project p join p.datasetLinks l where p.id = 1", nil, "<Project 1>; <Project 1>"},
	})
}

func TestFetch(t *testing.T) {
	w := newWorld(t)
	r, err := w.query("select p from Project p left outer join fetch p.datasetLinks l join fetch l.child join fetch p.details.owner as o where p.id = :id", V{"id": "@P"})
	if err != nil {
		t.Fatal(err)
	}
	p := w.Get("Project", w.names["P"])
	links := r.Fetched[Fetch{p, p.Class.Property("datasetLinks")}]
	if len(links) != 2 || links[0].ID != w.names["PD"] {
		t.Errorf("fetched links: got %v", links)
	}
	for _, want := range []struct {
		class, name string
		loaded      bool
	}{{"Dataset", "D", true}, {"Dataset", "E", true}, {"Experimenter", "ada", true}, {"ProjectDatasetLink", "PD", true}, {"Dataset", "orphan", false}} {
		if got := r.Loaded[w.Get(want.class, w.names[want.name])]; got != want.loaded {
			t.Errorf("%s loaded: got %v, want %v", want.name, got, want.loaded)
		}
	}
	r, err = w.query("select p from Project p left join fetch p.datasetLinks where p.id = :id", V{"id": "@bobs"})
	if err != nil {
		t.Fatal(err)
	}
	bobs := w.Get("Project", w.names["bobs"])
	if links, ok := r.Fetched[Fetch{bobs, bobs.Class.Property("datasetLinks")}]; !ok || len(links) != 0 {
		t.Errorf("an empty fetched collection: got %v, %v", links, ok)
	}
}

func TestRefused(t *testing.T) {
	w := newWorld(t)
	one := V{"id": int64(1), "none": []string{}, "ids": []string{"P"}}
	for query, want := range map[string]string{
		"":                           "unexpected end",
		"select":                     "unexpected end",
		"select p.id Project p":      "unexpected token: p",
		"delete from Project":        "unexpected token: delete",
		"select p.id from Projekt p": "Projekt is not mapped",
		"select p.id from Project p where p.nam = 'x'":                                                    "nam of: ome.model.containers.Project",
		"select p.id from Project p where q.name = 'x'":                                                   "q.name",
		"select p.id from Project p where p.name = 'x":                                                    "unterminated string",
		"select p.id from Project p where p.name = :name":                                                 "[name]",
		"select p.id from Project p where p.id in (:none)":                                                ":none is empty",
		"select p.id from Project p where p.id = :ids":                                                    ":ids",
		"select p.id from Project p where p.name = :id":                                                   "string, long",
		"select p.id from Project p where p.id = 'x'":                                                     "long, string",
		"select p.id from Project p where p.name ilike 'x'":                                               "unexpected token: ilike",
		"select p.id from Project p limit 5":                                                              "unexpected token: limit",
		"select p.id from Project p where":                                                                "unexpected end",
		"select p.id from Project p where p.name":                                                         "not a condition",
		"select p.id, from Project p":                                                                     "unexpected token: from",
		"select p.datasetLinks.child.id from Project p":                                                   "illegal attempt to dereference collection datasetLinks",
		"select p.datasetLinks from Project p":                                                            "illegal attempt to dereference collection datasetLinks",
		"select e.details.owner.id from Experimenter e":                                                   "owner of: ome.model.meta.Experimenter.details",
		"select p.details from Project p":                                                                 "details is a component",
		"select p.id from Project p join p.name n":                                                        "name",
		"select p.id from Project p join q.datasetLinks l":                                                "undefined alias: q",
		"select p.id from Project p, Dataset p":                                                           "alias 'p'",
		"select p.id, count(l) from Project p join p.datasetLinks l":                                      "p.id",
		"select p.id from Project p where count(p) > 1":                                                   "count",
		"select sum(p.name) from Project p":                                                               "sum",
		"select distinct p.id from Project p order by p.name":                                             "p.name",
		"select l.id from ProjectDatasetLink l join fetch l.child":                                        "owner of the fetched association",
		"select index(l) from Project p join p.datasetLinks l":                                            "index",
		"select cast('x' as integer) from Project p":                                                      "invalid input for type integer: x",
		"select 2000000000 + 2000000000 from Project p":                                                   "out of range",
		"select cast(p.name as blob) from Project p":                                                      "blob",
		"select lower(p.id) from Project p":                                                               "lower",
		"select lower() from Project p":                                                                   "lower",
		"select p.name + 1 from Project p":                                                                "string, integer",
		"select coalesce(p.name, p.id) from Project p":                                                    "coalesce",
		"select max(count(p)) from Project p":                                                             "count",
		"select p.id from Project p join p.datasetLinks l with l.child.name = 'x'":                        "with-clause",
		"select p.id from Project p where type(p.name) = Project":                                         "type",
		"select nonsense(p.name) from Project p":                                                          "nonsense",
		"select p.id from Project p where p.id in (select l.id, l.parent.id from ProjectDatasetLink l)":   "one column",
		"select 1 / 0 from Project p":                                                                     "division by zero",
		"select p.id from Project p where p.id = (select l.id from ProjectDatasetLink l)":                 "more than one row",
		"select p.id from Project p where p.name = ?":                                                     "'?'",
		"select v.nam from MapAnnotation a join a.mapValue v":                                             "nam of: NamedValue",
		"select p.id from Project p where l.parent = p and p.datasetLinks = 3":                            "l.parent",
		"select p.id from Project p right join p.datasetLinks l":                                          "right",
		"select p.physicalSizeX.foo from Pixels p":                                                        "foo",
		"select p.id from Pixels p where p.physicalSizeX = 1":                                             "quantity",
		"select p.id from Project p where p.pixelsType = 'x'":                                             "pixelsType",
		"select p.id from Pixels p where p.pixelsType = 'uint8'":                                          "PixelsType, string",
		"select p.id from Project p where " + strings.Repeat("(", 300) + "1=1" + strings.Repeat(")", 300): "too deeply",
	} {
		_, err := w.query(query, one)
		e, ok := err.(*Error)
		if !ok || !strings.Contains(e.Message, want) {
			t.Errorf("%s\n  got  %v\n  want …%s…", query, err, want)
		}
	}
}
