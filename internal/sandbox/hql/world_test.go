package hql

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero/slice"
	"omerods/internal/sandbox/store"
)

// world is a small store: two users in a group, and one of everything that
// the queries look at. names holds the ids.
type world struct {
	*store.Store
	t     testing.TB
	names map[string]int64
}

type V = store.Values

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := time.UnixMilli(1_700_000_000_000)
	s, err := store.Open(store.Config{Definitions: slice.Definitions(), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Store: s, t: t, names: make(map[string]int64)}
	w.people()
	w.images()
	w.plates()
	w.annotations()
	return w
}

// as adds objects for a user of the group lab, each under a name.
func (w *world) as(user string, objects ...object) {
	w.t.Helper()
	actor := store.Root
	if user != "" {
		actor = store.Actor{User: w.names[user], Group: w.names["lab"]}
	}
	err := w.Write(actor, func(a *store.Author) error {
		for _, o := range objects {
			for k, v := range o.v {
				if name, ok := v.(string); ok && len(name) > 1 && name[0] == '@' {
					id, known := w.names[name[1:]]
					if !known {
						return fmt.Errorf("no object %s", name)
					}
					o.v[k] = id
				}
			}
			row, err := a.Create(o.class, o.v)
			if err != nil {
				return err
			}
			if o.perm != 0 {
				changed := row.Clone()
				changed.Perm = o.perm
				a.Tx().Put(changed)
			}
			w.names[o.name] = row.ID
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

type object struct {
	name, class string
	v           V
	perm        int64
}

func (w *world) people() {
	w.as("",
		object{"lab", "ExperimenterGroup", V{"name": "lab", "ldap": false}, -56},
		object{"empty", "ExperimenterGroup", V{"name": "empty", "ldap": false}, 0},
		object{"ada", "Experimenter", V{"omeName": "ada", "firstName": "Ada", "lastName": "L", "email": "ada@x", "ldap": false}, 0},
		object{"bob", "Experimenter", V{"omeName": "bob", "firstName": "Bob", "lastName": "B", "ldap": false}, 0},
		object{"", "GroupExperimenterMap", V{"parent": "@lab", "child": "@ada", "owner": true}, 0},
		object{"", "GroupExperimenterMap", V{"parent": "@lab", "child": "@bob", "owner": false}, 0},
		object{"", "GroupExperimenterMap", V{"parent": "@empty", "child": "@ada", "owner": false}, 0},
	)
}

func (w *world) images() {
	µm := store.Quantity{Value: 0.5, Unit: 14}
	w.as("ada",
		object{"P", "Project", V{"name": "P", "description": "one"}, 0},
		object{"Q", "Project", V{"name": "q_1%"}, 0},
		object{"D", "Dataset", V{"name": "D"}, 0},
		object{"E", "Dataset", V{"name": "E"}, 0},
		object{"orphan", "Dataset", V{"name": "orphan"}, 0},
		object{"PD", "ProjectDatasetLink", V{"parent": "@P", "child": "@D"}, 0},
		object{"PE", "ProjectDatasetLink", V{"parent": "@P", "child": "@E"}, 0},
		object{"QE", "ProjectDatasetLink", V{"parent": "@Q", "child": "@E"}, 0},
		object{"fs", "Fileset", V{"templatePrefix": "ada/x/"}, 0},
		object{"i1", "Image", V{"name": "a.tif [0]", "fileset": "@fs", "series": 0}, 0},
		object{"i2", "Image", V{"name": "a.tif [1]", "fileset": "@fs", "series": 1}, 0},
		object{"i3", "Image", V{"name": "Old", "acquisitionDate": store.Time(1000)}, 0},
		object{"DI1", "DatasetImageLink", V{"parent": "@D", "child": "@i1"}, 0},
		object{"DI2", "DatasetImageLink", V{"parent": "@D", "child": "@i2"}, 0},
		object{"p1", "Pixels", V{"image": "@i1", "pixelsType": "uint16", "sizeX": 10, "sizeY": 20, "sizeZ": 1, "sizeC": 2, "sizeT": 1,
			"sha1": "x", "dimensionOrder": "XYCZT", "physicalSizeX": µm, "significantBits": 12}, 0},
		object{"lc1", "LogicalChannel", V{"name": "DAPI", "emissionWave": store.Quantity{Value: 461, Unit: 15}}, 0},
		object{"lc2", "LogicalChannel", V{}, 0},
		object{"c1", "Channel", V{"pixels": "@p1", "logicalChannel": "@lc1", "red": 255}, 0},
		object{"c2", "Channel", V{"pixels": "@p1", "logicalChannel": "@lc2", "red": 0}, 0},
		object{"f1", "OriginalFile", V{"name": "a.tif", "path": "ada/x/", "size": int64(1000), "hasher": "SHA1-160", "hash": "aa"}, 0},
		object{"f2", "OriginalFile", V{"name": "a.dat", "path": "ada/x/", "size": int64(5)}, 0},
		object{"e2", "FilesetEntry", V{"fileset": "@fs", "originalFile": "@f2", "clientPath": "in/a.dat"}, 0},
		object{"e1", "FilesetEntry", V{"fileset": "@fs", "originalFile": "@f1", "clientPath": "in/a.tif"}, 0},
		object{"job", "UploadJob", V{"username": "ada", "groupname": "lab", "type": "t", "message": "m", "status": "Finished",
			"submitted": store.Time(1), "scheduledFor": store.Time(1), "versionInfo": []store.NamedValue{{Name: "bioformats.reader", Value: "R"}, {Name: "locale", Value: "C"}}}, 0},
		object{"fj", "FilesetJobLink", V{"parent": "@fs", "child": "@job"}, 0},
		object{"log", "OriginalFile", V{"name": "import.log", "path": "ada/x/", "size": int64(7)}, 0},
		object{"", "JobOriginalFileLink", V{"parent": "@job", "child": "@log"}, 0},
		object{"th", "Thumbnail", V{"pixels": "@p1", "mimeType": "image/jpeg", "sizeX": 96, "sizeY": 96}, 0},
	)
	w.as("bob", object{"bobs", "Project", V{"name": "bobs"}, 0})
}

func (w *world) plates() {
	w.as("ada",
		object{"S", "Screen", V{"name": "S"}, 0},
		object{"plate", "Plate", V{"name": "plate", "rows": 2, "columns": 3, "rowNamingConvention": "letter"}, 0},
		object{"lone", "Plate", V{"name": "lone"}, 0},
		object{"", "ScreenPlateLink", V{"parent": "@S", "child": "@plate"}, 0},
		object{"run", "PlateAcquisition", V{"plate": "@plate", "name": "run"}, 0},
		object{"w2", "Well", V{"plate": "@plate", "row": 1, "column": 0, "type": "control"}, 0},
		object{"w1", "Well", V{"plate": "@plate", "row": 0, "column": 2}, 0},
		object{"wi1", "Image", V{"name": "field 1"}, 0},
		object{"wi2", "Image", V{"name": "field 2"}, 0},
		object{"ws1", "WellSample", V{"well": "@w1", "image": "@wi1", "plateAcquisition": "@run"}, 0},
		object{"ws2", "WellSample", V{"well": "@w1", "image": "@wi2"}, 0},
	)
}

func (w *world) annotations() {
	w.as("ada",
		object{"tag", "TagAnnotation", V{"textValue": "red", "ns": "n"}, 0},
		object{"set", "TagAnnotation", V{"textValue": "colours", "ns": "openmicroscopy.org/omero/insight/tagset"}, 0},
		object{"", "AnnotationAnnotationLink", V{"parent": "@set", "child": "@tag"}, 0},
		object{"comment", "CommentAnnotation", V{"textValue": "nice"}, 0},
		object{"rating", "LongAnnotation", V{"longValue": 4, "ns": "openmicroscopy.org/omero/insight/rating"}, 0},
		object{"map", "MapAnnotation", V{"mapValue": []store.NamedValue{{Name: "k", Value: "v"}, {Name: "k", Value: "w"}}}, 0},
		object{"att", "OriginalFile", V{"name": "notes.txt", "path": "x/", "size": int64(3)}, 0},
		object{"file", "FileAnnotation", V{"file": "@att"}, 0},
		object{"lt", "ImageAnnotationLink", V{"parent": "@i1", "child": "@tag"}, 0},
		object{"lc", "ImageAnnotationLink", V{"parent": "@i1", "child": "@comment"}, 0},
		object{"lr", "ImageAnnotationLink", V{"parent": "@i2", "child": "@rating"}, 0},
		object{"lm", "ImageAnnotationLink", V{"parent": "@i1", "child": "@map"}, 0},
		object{"lf", "ImageAnnotationLink", V{"parent": "@i1", "child": "@file"}, 0},
		object{"roi", "Roi", V{"image": "@i1", "name": "r"}, 0},
		object{"tr", "AffineTransform", V{"a00": 1.0, "a10": 0.0, "a01": 0.0, "a11": 1.0, "a02": 5.0, "a12": 6.0}, 0},
		object{"rect", "Rectangle", V{"roi": "@roi", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "transform": "@tr", "strokeWidth": store.Quantity{Value: 1, Unit: 32}}, 0},
		object{"pt", "Point", V{"roi": "@roi", "x": 9.0, "y": 8.0, "theZ": 3}, 0},
	)
}

// query runs a query with ids for the parameters that name an object.
func (w *world) query(text string, params V) (*Result, error) {
	p := make(map[string]any)
	for k, v := range params {
		switch x := v.(type) {
		case string:
			if name, ok := strings.CutPrefix(x, "@"); ok {
				v = w.names[name]
			}
		case []string:
			list := []any{}
			for _, name := range x {
				list = append(list, w.names[name])
			}
			v = list
		}
		p[k] = v
	}
	offset, limit := 0, -1
	if n, ok := p["$offset"].(int); ok {
		offset = n
	}
	if n, ok := p["$limit"].(int); ok {
		limit = n
	}
	var r *Result
	err := w.View(func(tx *store.Tx) (err error) {
		r, err = Run(context.Background(), tx, text, Options{Params: p, Offset: offset, Limit: limit})
		return err
	})
	return r, err
}

// show writes the rows of a result, objects by their names in the world.
func (w *world) show(r *Result) string {
	lines := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		cells := make([]string, len(row))
		for j, v := range row {
			cells[j] = w.cell(v)
		}
		lines[i] = strings.Join(cells, " ")
	}
	return strings.Join(lines, "; ")
}

func (w *world) cell(v any) string {
	switch x := v.(type) {
	case nil:
		return "-"
	case *store.Row:
		return fmt.Sprintf("<%s %d>", x.Class.Name, x.ID)
	case int64:
		return fmt.Sprintf("%dL", x)
	case *store.Class:
		return x.Name
	case Permissions:
		return fmt.Sprintf("perm%d", x.Of.Perm)
	case Quantity:
		return fmt.Sprintf("%g%s/%s", x.Value, x.Symbol, x.Unit)
	case []MapEntry:
		var b strings.Builder
		for _, e := range x {
			fmt.Fprintf(&b, "%s=%s,", e.Key, w.cell(e.Value))
		}
		return "{" + b.String() + "}"
	}
	return fmt.Sprint(v)
}
