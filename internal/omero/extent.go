package omero

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Extent tells how much belongs to an object: the rows of each class, as its
// [Token] counted them. What is asked of a whole object, and not of a list of
// ids, costs no query for what is not there, and few for what is.
type Extent struct {
	kind   Kind
	id     int64
	counts map[string]int64 // by class; a row may count more than once
}

// count is how many rows of a class there are at most; ok is false when that
// is not known.
func (x *Extent) count(class string) (n int64, ok bool) {
	if x == nil {
		return 0, false
	}
	n, ok = x.counts[class]
	return n, ok
}

// lacks says that there is nothing of a class.
func (x *Extent) lacks(class string) bool {
	n, ok := x.count(class)
	return ok && n == 0
}

// Selection is what a question is about: objects of one kind.
type Selection struct {
	ids []int64 // without repetitions; in their order unless of is nil
	of  *Extent // nil for objects by their ids alone
	all string  // a query for the ids of all of them in the object
}

// These are objects by their ids.
func These(ids []int64) Selection { return Selection{ids: unique(ids)} }

// All are all the objects of a kind that belong to the object of x: those with
// the ids, as the caller has found. Without an extent they are just these.
func All(x *Extent, kind Kind, ids []int64) Selection {
	s := These(ids)
	if x == nil {
		return s
	}
	if kind == KindImage {
		s.all = imagesOf[x.kind]
	} else if kind != KindReagent { // those of a screen and those of its wells are two parts
		for _, p := range partsOf(x.kind) {
			if p.kind == kind {
				s.all = p.ids
			}
		}
	}
	if s.all != "" {
		s.of = x
		slices.Sort(s.ids)
	}
	return s
}

// batchRows is how many rows a query for a part of an object is to bring, so
// that they mostly fit into one page.
const batchRows = pageRows * 4 / 5

// rowsOf runs a query that has "in (:ids)" for a selection, and returns the
// rows in the order of the batches. counted is the class of the rows.
func (c *Client) rowsOf(ctx context.Context, hql string, s Selection, counted string) ([]row, error) {
	return mapRowsOf(ctx, c, hql, s, counted, func(r row) row { return r })
}

// mapRowsOf is rowsOf for very many rows, as mapRows is.
func mapRowsOf[T any](ctx context.Context, c *Client, hql string, s Selection, counted string, make func(row) T) ([]T, error) {
	n, ok := s.of.count(counted)
	if !ok {
		n = int64(len(s.ids))
	}
	return mapRowsCounted(ctx, c, hql, s, n, make)
}

// mapRowsCounted is mapRowsOf when there are about n rows.
func mapRowsCounted[T any](ctx context.Context, c *Client, hql string, s Selection, n int64, make func(row) T) ([]T, error) {
	if s.of == nil {
		return mapRows(ctx, c, hql, s.ids, make)
	}
	if n == 0 || len(s.ids) == 0 {
		return nil, nil
	}
	queries := s.split(n)
	made := slices.Grow([][]T(nil), len(queries))[:len(queries)]
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for i, q := range queries {
		g.Go(func() error {
			rows, err := c.rows(ctx, strings.ReplaceAll(hql, "(:ids)", "("+q.ids+")"), q.params)
			if err != nil {
				return err
			}
			list := slices.Grow([]T(nil), len(rows))
			for _, r := range rows {
				list = append(list, make(r))
			}
			made[i] = list
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(made...), nil
}

// selected is a part of a selection: the query for its ids, with what that
// needs.
type selected struct {
	ids    string
	params params
}

// split divides a selection that has about n rows among queries. Each names the
// range of its ids, not all of them: the database would have to compare every
// row with a thousand.
func (s Selection) split(n int64) []selected {
	size := len(s.ids)
	if n > batchRows {
		size = max(1, int(int64(size)*batchRows/n))
	}
	if size >= len(s.ids) {
		return []selected{{s.all, params{"id": s.of.id}}}
	}
	ranged := within(s.all)
	list := make([]selected, 0, (len(s.ids)+size-1)/size)
	for part := range slices.Chunk(s.ids, size) {
		list = append(list, selected{ranged, params{"id": s.of.id, "first": part[0], "last": part[len(part)-1]}})
	}
	return list
}

// within makes of a query for ids one for those from :first to :last.
func within(query string) string {
	column, _, _ := strings.Cut(strings.TrimPrefix(query, "select "), " from ")
	head, where, _ := strings.Cut(query, " where ")
	return head + " where (" + where + ") and " + column + " between :first and :last"
}

// imagesOfFilesets is how an extent calls the images of the filesets of images.
const imagesOfFilesets = "images of filesets"

// Others says whether filesets of images of the object may have images that are
// not among them: among the n images of the object that have a fileset.
func (x *Extent) Others(n int) bool {
	of, ok := x.count(imagesOfFilesets)
	return !ok || of != int64(n)
}
