package hql

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// fuzzSeeds are queries of every part of the language; those of the recorded
// messages come on top.
var fuzzSeeds = []string{
	"from Image",
	"select i.id, i.name from Image i where i.fileset.id = :id and i.name like 'a%\\_' escape '\\' order by i.name desc, i.id",
	"select distinct p from Project p left outer join fetch p.datasetLinks l join fetch l.child where p.id in (:ids)",
	"select p.details.owner.omeName, count(*), min(p.id) from Project p group by p.details.owner.omeName having count(*) > 0",
	"select new map(i.id as id, i.details.permissions as p) from Image i",
	"select new list(c.logicalChannel.emissionWave, c.logicalChannel.name) from Channel c",
	"select i.id from Image i where not exists (select l.id from DatasetImageLink l where l.child = i)",
	"select case when i.series > 0 then 'many' else 'one' end, i.series + 1 * 2 - -3 / 4 % 5 from Image i",
	"select a.id, a.class, m.name || '=' || m.value, index(m) from MapAnnotation a join a.mapValue m",
	"select s.x, s.y, s.strokeWidth.value, s.strokeWidth.unit from Rectangle s where s.roi.image.id = :id",
	"select w.row, w.column, ws.image.name from Well w left join w.wellSamples ws with ws.plateAcquisition is null where w.plate.screenLinks is not empty",
	"select coalesce(i.description, i.name, ''), nullif(i.series, 0), cast(i.id as string), upper(trim(i.name)), length(i.name), substring(i.name, 1, 3), locate('a', i.name) from Image i",
	"select f from FilesetEntry e, OriginalFile f where e.originalFile = f and f.size between 1 and 1e3 and f.name not in ('a', 'b''c')",
	"select i from Image i where i.id = some (select l.child.id from DatasetImageLink l) or i.id >= all (select 1L from Project p)",
	"select size(p.datasetLinks), p.acquisitionDate from Project p where :id member of p.datasetLinks",
	"select count(distinct i.name), avg(i.series), sum(i.series), max(i.acquisitionDate) from Image i where true = true",
	"select elements(j.versionInfo) from UploadJob j where 'x' in elements(j.versionInfo)",
}

// recordedQueries are those of the messages that real clients sent.
func recordedQueries(f *testing.F) (all []string) {
	files, err := filepath.Glob("../../ice/testdata/vectors/query.*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			f.Fatal(err)
		}
		all = texts(v, all)
	}
	return all
}

// texts collects the strings in a JSON value that are queries.
func texts(v any, out []string) []string {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "from ") {
			out = append(out, v)
		}
	case []any:
		for _, x := range v {
			out = texts(x, out)
		}
	case map[string]any:
		for _, x := range v {
			out = texts(x, out)
		}
	}
	return out
}

const (
	// fuzzLooks is after how many objects a query is told to end, and
	// fuzzSlack how many more it may look at until it notices.
	fuzzLooks = 20_000
	fuzzSlack = 500_000
	// fuzzBytes bounds what a query of fuzzText bytes may allocate.
	fuzzBytes = 512 << 20
	fuzzText  = 4 << 10
)

// FuzzRun parses any text, and binds and runs what can be parsed, in a small
// world. A query may fail in no other way than by an *Error or by the end of
// its context, must end soon after that, and must not take much memory.
func FuzzRun(f *testing.F) {
	for _, q := range append(recordedQueries(f), fuzzSeeds...) {
		f.Add(q, 0, -1)
		f.Add(q, 1, 2)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, text string, offset, limit int) {
		if len(text) > fuzzText {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		looked := 0
		o := Options{
			Params: map[string]any{"id": w.names["i1"], "ids": []any{w.names["P"], w.names["fs"]}, "s": "a%", "n": nil, "b": true, "t": store.Time(1)},
			Offset: max(offset, 0), Limit: max(limit, -1),
			Visible: func(*store.Row) bool {
				if looked++; looked == fuzzLooks {
					cancel()
				}
				return true
			},
		}
		before := allocatedBytes()
		var r *Result
		err := w.View(func(tx *store.Tx) (err error) {
			r, err = Run(ctx, tx, text, o)
			return err
		})
		if n := allocatedBytes() - before; n > fuzzBytes {
			t.Errorf("allocated %d MiB", n>>20)
		}
		if looked > fuzzLooks+fuzzSlack {
			t.Errorf("looked at %d objects although the context had ended", looked)
		}
		var refused *Error
		if err != nil && !errors.As(err, &refused) && !errors.Is(err, context.Canceled) {
			t.Errorf("an error of no class: %v", err)
		}
		if err == nil && limit >= 0 && len(r.Rows) > limit {
			t.Errorf("%d rows, at most %d were asked for", len(r.Rows), limit)
		}
	})
}

func allocatedBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestVeryLongQueries nest, chain and repeat what a query of a few bytes may
// have once. They are refused or run; the stack and the memory hold.
func TestVeryLongQueries(t *testing.T) {
	w := newWorld(t)
	for _, many := range []int{1500, 200_000} {
		for _, q := range longQueries(many) {
			before := allocatedBytes()
			_, err := w.query(q, nil)
			if n := allocatedBytes() - before; n > 1<<30 {
				t.Errorf("%.40s...: allocated %d MiB", q, n>>20)
			}
			var refused *Error
			if err != nil && !errors.As(err, &refused) {
				t.Errorf("%.40s...: %v", q, err)
			}
		}
	}
}

func longQueries(many int) []string {
	return []string{
		"select 1" + strings.Repeat("+1", many) + " from Project p",
		"select p.id from Project p where p.id = 1" + strings.Repeat(" or p.id = 1", many/4),
		"select p.id from Project p where p.id = 1" + strings.Repeat(" and p.id = 1", many/4),
		"select p.id from Project p where p.id" + strings.Repeat(" = 1", many/2),
		"select p.id from Project p where p.id is null" + strings.Repeat(" is null", many/4),
		"select " + strings.Repeat("(", many) + "1",
		"select " + strings.Repeat("not ", many) + "1 from Project p",
		"select " + strings.Repeat("- ", many) + "1 from Project p",
		"select " + strings.Repeat("case when ", many/2) + "1",
		"select p.id from Project p where " + strings.Repeat("exists (from Project p where ", many/10) + "1",
		"select p" + strings.Repeat(".details", many/4) + " from Project p",
		"select 1 from Project p" + strings.Repeat(", Project p", many/4),
		"select 'a'" + strings.Repeat("||'a'", many/2) + " from Project p",
		"select p.id from Project p where p.id in (1" + strings.Repeat(",1", many) + ")",
		strings.Repeat("'", many),
		strings.Repeat(" ", 10*many) + "from Project",
	}
}
