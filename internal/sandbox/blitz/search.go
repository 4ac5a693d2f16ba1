package blitz

import (
	"context"
	"slices"
	"strings"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// search is a Search: the full text of objects and of what is said about them.
// It looks when it is asked, at every object of the chosen classes.
type search struct {
	types   []string
	batch   int32
	leading bool // wildcards at the beginning of words
	owner   int64
	queries []searchQuery
	found   [][]any // batches that wait to be taken
	sort    string
	desc    bool
}

type searchQuery struct {
	clauses  []clause
	from, to time.Time // zero for no limit
	acquired bool      // the limits are of the acquisition
}

const defaultBatch = 1000

// searched are the classes that have a full text.
var searched = []string{"Project", "Dataset", "Image", "Screen", "Plate", "Well", "PlateAcquisition", "TagAnnotation", "OriginalFile"}

func newSearch() *search { return &search{batch: defaultBatch, owner: store.None} }

// Method implements Servant.
func (s *search) Method(operation string) Method {
	do := func(fn func(c *Call) error) Method {
		return func(_ context.Context, c *Call) ([]any, error) { return nil, fn(c) }
	}
	get := func(fn func() any) Method {
		return func(context.Context, *Call) ([]any, error) { return []any{fn()}, nil }
	}
	switch operation {
	case "setBatchSize":
		return do(func(c *Call) error {
			if s.batch = Arg[int32](c, 0); s.batch < 1 {
				s.batch = defaultBatch
				return Fail(APIUsage, "a batch of %d", Arg[int32](c, 0))
			}
			return nil
		})
	case "getBatchSize":
		return get(func() any { return s.batch })
	case "setCaseSensitive", "setCaseSentivice": // the index is in lower case
		return ignore
	case "isCaseSensitive":
		return get(func() any { return false })
	case "setAllowLeadingWildcard":
		return do(func(c *Call) error { s.leading = Arg[bool](c, 0); return nil })
	case "isAllowLeadingWildcard":
		return get(func() any { return s.leading })
	case "onlyType":
		return do(func(c *Call) error { return s.only(c, Arg[string](c, 0)) })
	case "onlyTypes":
		return do(func(c *Call) error { return s.only(c, Arg[[]string](c, 0)...) })
	case "allTypes":
		return do(func(*Call) error { s.types = nil; return nil })
	case "onlyOwnedBy":
		return do(s.onlyOwnedBy)
	case "addOrderByAsc", "addOrderByDesc":
		return do(func(c *Call) error { s.sort, s.desc = Arg[string](c, 0), operation == "addOrderByDesc"; return nil })
	case "unordered":
		return do(func(*Call) error { s.sort = ""; return nil })
	case "resetDefaults":
		return do(func(*Call) error {
			s.types, s.batch, s.leading, s.owner, s.sort = nil, defaultBatch, false, store.None, ""
			return nil
		})
	case "clearQueries":
		return do(func(*Call) error { s.queries, s.found = nil, nil; return nil })
	case "activeQueries":
		return get(func() any { return int32(len(s.queries) + len(s.found)) })
	case "byFullText":
		return do(func(c *Call) error { return s.ask(Arg[string](c, 0), searchQuery{}) })
	case "byLuceneQueryBuilder":
		return do(s.build)
	case "hasNext":
		return func(_ context.Context, c *Call) ([]any, error) {
			err := s.look(c)
			return one(len(s.found) > 0, err)
		}
	case "results":
		return s.take(func(batch []any) ([]any, []any) { return []any{batch}, nil })
	case "next":
		return s.take(func(batch []any) ([]any, []any) { return batch[:1], batch[1:] })
	}
	return nil
}

func (s *search) only(c *Call, names ...string) error {
	s.types = nil
	for _, name := range names {
		class, err := c.class(name)
		if err != nil {
			return err
		}
		s.types = append(s.types, class.Name)
	}
	return nil
}

func (s *search) onlyOwnedBy(c *Call) error {
	s.owner = store.None
	if d := Arg[*ice.Object](c, 0); d != nil {
		if o, _ := d.Get("owner").(*ice.Object); o != nil {
			s.owner, _ = unbox(o.Get("id")).(int64)
		}
	}
	return nil
}

// ask adds a query.
func (s *search) ask(text string, q searchQuery) error {
	if q.clauses = parseSearch(text); len(q.clauses) == 0 {
		return Fail(APIUsage, "nothing to search for: %q", text)
	}
	for _, c := range q.clauses {
		if !s.leading && c.pattern != "" && strings.ContainsAny(c.pattern[:1], "*?") {
			return Fail(APIUsage, "'*' or '?' not allowed as first character: %q", text)
		}
	}
	s.queries = append(s.queries, q)
	return nil
}

// build adds a query of words in fields, within dates like 20240531.
func (s *search) build(c *Call) error {
	var q searchQuery
	for i, to := range []*time.Time{&q.from, &q.to} {
		if day := Arg[string](c, 1+i); day != "" {
			t, err := time.Parse("20060102", day)
			if err != nil {
				return Fail(APIUsage, "not a date: %q", day)
			}
			*to = t
		}
	}
	if !q.to.IsZero() {
		q.to = q.to.AddDate(0, 0, 1)
	}
	q.acquired = Arg[string](c, 3) == "acquisitionDate"
	text := Arg[string](c, 4)
	if err := s.ask(text, q); err != nil {
		return err
	}
	fields := strings.FieldsFunc(Arg[string](c, 0), func(r rune) bool { return r == ',' || r == ' ' })
	if len(fields) == 0 {
		return nil
	}
	// Each word may be in any of the fields.
	last := &s.queries[len(s.queries)-1]
	var inFields []clause
	for _, cl := range last.clauses {
		for _, f := range fields {
			one := cl
			one.field, one.must = strings.ToLower(f), cl.must && len(fields) == 1
			inFields = append(inFields, one)
		}
	}
	last.clauses = inFields
	return nil
}

// look runs the oldest query when no results wait.
func (s *search) look(c *Call) error {
	for len(s.found) == 0 && len(s.queries) > 0 {
		q := s.queries[0]
		s.queries = s.queries[1:]
		err := c.View(func(tx *store.Tx, who *Caller) error {
			var rows []*store.Row
			types := s.types
			if len(types) == 0 {
				types = searched
			}
			for _, name := range types {
				for row := range tx.Rows(tx.Model().Class(name)) {
					if who.CanRead(tx, row) && (s.owner == store.None || row.Owner == s.owner) && q.within(tx, row) && matches(q.clauses, fullText(tx, who, row)) {
						rows = append(rows, row)
					}
				}
			}
			s.order(rows)
			for batch := range slices.Chunk(rows, int(s.batch)) {
				s.found = append(s.found, c.Objects(tx, who, batch...))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *search) order(rows []*store.Row) {
	if s.sort == "" {
		return
	}
	slices.SortStableFunc(rows, func(a, b *store.Row) int {
		n := strings.Compare(a.Text(s.sort), b.Text(s.sort))
		if s.sort == "id" {
			n = int(a.ID - b.ID)
		}
		if s.desc {
			return -n
		}
		return n
	})
}

// take gives results out.
func (s *search) take(some func(batch []any) (taken, left []any)) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		if err := s.look(c); err != nil {
			return nil, err
		}
		if len(s.found) == 0 {
			return nil, Fail(APIUsage, "no more elements")
		}
		taken, left := some(s.found[0])
		if len(left) > 0 {
			s.found[0] = left
		} else {
			s.found = s.found[1:]
		}
		return taken, nil
	}
}

// within checks the dates of a query.
func (q *searchQuery) within(tx *store.Tx, row *store.Row) bool {
	if q.from.IsZero() && q.to.IsZero() {
		return true
	}
	at, ok := row.Get("acquisitionDate").(store.Time)
	if !q.acquired || !ok {
		event := tx.Get(tx.Model().Class("Event"), row.Created)
		if event == nil {
			return false
		}
		at, _ = event.Get("time").(store.Time)
	}
	t := time.UnixMilli(int64(at)).UTC()
	return !t.Before(q.from) && (q.to.IsZero() || t.Before(q.to))
}

// fullText is what is known of an object, as words by field: its own texts, who
// has it, what it is annotated with, and the names of its files.
func fullText(tx *store.Tx, who *Caller, row *store.Row) map[string][]string {
	m, out := tx.Model(), make(map[string][]string)
	add := func(field, text string) {
		field = strings.ToLower(field)
		out[field] = append(out[field], words(text)...)
	}
	for _, p := range row.Class.Stored() {
		if text := row.Text(p.Name); text != "" && p.Kind == store.KindString {
			add(p.Name, text)
		}
	}
	if u := tx.Get(m.Class("Experimenter"), row.Owner); u != nil {
		add("details.owner.omeName", u.Text("omeName"))
		add("details.owner.lastName", u.Text("lastName"))
	}
	if links := row.Class.Property("annotationLinks"); links != nil {
		for _, l := range tx.Collection(links, row.ID) {
			a := tx.Get(m.Class("Annotation"), l.Ref("child"))
			if a == nil || !who.CanRead(tx, a) {
				continue
			}
			add("annotation", a.Text("textValue")+" "+a.Text("termValue")+" "+a.Text("ns"))
			if a.Class.Name == "TagAnnotation" {
				add("tag", a.Text("textValue"))
			}
			pairs, _ := a.Get("mapValue").([]store.NamedValue)
			for _, nv := range pairs {
				add(nv.Name, nv.Value)
				add("annotation", nv.Name+" "+nv.Value)
			}
			if f := tx.Get(m.Class("OriginalFile"), a.Ref("file")); f != nil {
				add("file.name", f.Text("name"))
			}
		}
	}
	if row.Class.Name == "Image" {
		for _, e := range tx.Collection(m.Class("Fileset").Property("usedFiles"), row.Ref("fileset")) {
			if f := tx.Get(m.Class("OriginalFile"), e.Ref("originalFile")); f != nil {
				add("fileset.entry.name", f.Text("name"))
			}
		}
	}
	return out
}
