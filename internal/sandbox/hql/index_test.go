package hql

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// TestIndexes checks that the work a query does follows from what it finds,
// not from what the store holds.
func TestIndexes(t *testing.T) {
	const many = 3000
	w := newWorld(t)
	err := w.Write(store.Actor{User: w.names["ada"], Group: w.names["lab"]}, func(a *store.Author) error {
		for i := range many {
			img, err := a.Create("Image", V{"name": fmt.Sprint("n", i)})
			if err != nil {
				return err
			}
			if _, err = a.Create("DatasetImageLink", V{"parent": w.names["E"], "child": img}); err != nil {
				return err
			}
			roi, err := a.Create("Roi", V{"image": img})
			if err != nil {
				return err
			}
			if _, err = a.Create("Point", V{"roi": roi}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		query string
		rows  int
		steps int
	}{
		{"select i.id, i.name, i.fileset.id from DatasetImageLink l join l.child i where l.parent.id = :id", 2, 20},
		{"select i.id from Image i, DatasetImageLink l where l.parent.id = :id and l.child = i", 2, 20},
		{"select i.name from Image i where i.id in (1, 2)", 2, 20},
		{"select i.name from Image i where i.id in (select l.child.id from DatasetImageLink l where l.parent.id = :id)", 2, 30},
		{"select s.id from Shape s where s.roi.image.id = 1", 2, 20},
		{"select f.id from OriginalFile f where f.path = 'ada/x/' and f.name = 'a.dat'", 1, 20},
		{"select i.id from Image i where not exists (select l.id from DatasetImageLink l where l.child = i)", 3, 6 * many},
		{"select a.id from ImageAnnotationLink l join l.child a where l.parent.id = 1 and a.class = TagAnnotation", 1, 20},
	} {
		var x *exec
		err := w.View(func(tx *store.Tx) (err error) {
			x, err = run(context.Background(), tx, tc.query, Options{Params: map[string]any{"id": w.names["D"]}, Limit: -1})
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", tc.query, err)
			continue
		}
		if len(x.result.Rows) != tc.rows || x.steps > tc.steps {
			t.Errorf("%s: got %d rows in %d steps, want %d in at most %d", tc.query, len(x.result.Rows), x.steps, tc.rows, tc.steps)
		}
	}
}

func TestCancelledQueryEnds(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := w.View(func(tx *store.Tx) error {
		_, err := Run(ctx, tx, "select count(*) from EventLog a, EventLog b, EventLog c", Options{Limit: -1})
		return err
	})
	if err != context.Canceled {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestHiddenObjectsAreNoRows(t *testing.T) {
	w := newWorld(t)
	hidden := w.names["PE"]
	for query, want := range map[string]int{
		"select l.id from ProjectDatasetLink l":                                                         2,
		"select l.id from Project p join p.datasetLinks l":                                              2,
		"select d.id from Dataset d where exists (from d.projectLinks l where l.parent.id = 1)":         1,
		"select l.id from Dataset d left join d.projectLinks l with l.parent.id = 1 where d.name = 'E'": 1,
	} {
		err := w.View(func(tx *store.Tx) error {
			r, err := Run(context.Background(), tx, query, Options{Limit: -1, Visible: func(r *store.Row) bool {
				return r.Class.Name != "ProjectDatasetLink" || r.ID != hidden
			}})
			if err == nil && len(r.Rows) != want {
				t.Errorf("%s: got %d rows, want %d", query, len(r.Rows), want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestMutilatedQueries drops, repeats and swaps tokens: whatever comes out
// must give an answer or an *Error.
func TestMutilatedQueries(t *testing.T) {
	w := newWorld(t)
	seed := rand.Int63()
	rnd := rand.New(rand.NewSource(seed))
	queries := []string{
		"select new map ( p . id as id , p as x_details_permissions ) from Project p left join fetch p . datasetLinks l where p . name like 'a%' escape '!' order by p . id desc",
		"select distinct i . fileset . id , count ( i . id ) from Image i where i . fileset . id in ( :ids , 3 ) and not exists ( select l . id from DatasetImageLink l where l . child = i ) group by i . fileset . id having count ( * ) > 1",
		"select index ( c ) , lc . emissionWave . value , case when c . red is null then 1.5e3 else - 2 end from Pixels p join p . channels c with c . red between 0 and :id join c . logicalChannel lc where size ( p . channels ) >= all ( select q . sizeC from Pixels q )",
		"select v . name || v . value from MapAnnotation a join a . mapValue v where a . class = MapAnnotation or a . details . owner . omeName in ( select e . omeName from Experimenter e ) and a . annotationLinks is not empty",
	}
	for range 3000 {
		words := strings.Fields(queries[rnd.Intn(len(queries))])
		for range 1 + rnd.Intn(4) {
			i, j := rnd.Intn(len(words)), rnd.Intn(len(words))
			switch rnd.Intn(3) {
			case 0:
				words = append(words[:i:i], words[i+1:]...)
			case 1:
				words[i] = words[j]
			default:
				words[i], words[j] = words[j], words[i]
			}
			if len(words) == 0 {
				words = []string{"x"}
			}
		}
		text := strings.Join(words, " ")
		if _, err := w.query(text, V{"id": "@i1", "ids": []string{"fs"}}); err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("seed %d: %s: %v", seed, text, err)
			}
		}
	}
}
