package omero

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"golang.org/x/sync/errgroup"

	"omerods/internal/ice"
)

const (
	// pageRows is how many rows one query asks for.
	pageRows = 5000
	// pageTries is how often a query is begun whose rows move between pages.
	pageTries = 5
	// batchIDs is how many ids one query names.
	batchIDs = 1000
	// parallelQueries is how many queries of one job are under way at once.
	parallelQueries = 4
)

// params are the named parameters of a query.
type params map[string]any

// parameters makes the ::omero::sys::Parameters of a query; a limit of 0 sets
// none.
func (c *Client) parameters(p params, offset, limit int) *ice.Object {
	var m ice.Dict
	for k, v := range p {
		m = append(m, ice.Pair{Key: k, Value: c.param(v)})
	}
	o := c.defs.New("::omero::sys::Parameters").Set("map", m)
	if limit > 0 {
		o.Set("theFilter", c.defs.New("::omero::sys::Filter").
			Set("offset", c.rint(offset)).Set("limit", c.rint(limit)))
	}
	return o
}

// queryContext lets queries see all groups unless the caller chose one.
func queryContext(ctx context.Context) context.Context {
	if _, ok := groupOf(ctx); ok {
		return ctx
	}
	return InGroup(ctx, AllGroups)
}

// page runs a query for some of its rows.
func (c *Client) page(ctx context.Context, hql string, p params, offset, limit int) ([]row, error) {
	ctx = queryContext(ctx)
	op, err := c.operation(queryService.iface, "projection")
	if err != nil {
		return nil, err
	}
	args := []any{hql, c.parameters(p, offset, limit)}
	res, err := c.retry(ctx, op, func(l *link) ([]any, error) {
		p, err := l.proxy(ctx, queryService)
		if err != nil {
			return nil, notSent{err}
		}
		rows, err := ice.CallRows[row](ctx, l.sess, p, op, args, l.requestContext(ctx), plainCells)
		return []any{rows}, err
	})
	rows, err := result[[]row]("projection", res, err)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return rows, nil
}

// rows runs a query for all its rows, page by page. Its order must be total.
// When rows come or go between two pages, it begins anew.
func (c *Client) rows(ctx context.Context, hql string, p params) ([]row, error) {
	for range pageTries {
		all, whole, err := c.pages(ctx, hql, p)
		if err != nil || whole {
			return all, err
		}
	}
	return nil, failure(Conflict, "query", "what is listed changes all the time")
}

// pages reads one page after the other. Each begins with the last row of the
// one before it: if that has moved, rows after it may have been missed or may
// come twice, and what was read is not the whole.
func (c *Client) pages(ctx context.Context, hql string, p params) (all []row, whole bool, err error) {
	for {
		overlap := min(len(all), 1)
		part, err := c.page(ctx, hql, p, len(all)-overlap, pageRows+overlap)
		if err != nil {
			return nil, false, err
		}
		if overlap > 0 && (len(part) == 0 || !reflect.DeepEqual(part[0], all[len(all)-1])) {
			return nil, false, nil
		}
		part = part[overlap:]
		all = append(all, part...)
		if len(part) < pageRows {
			return all, true, nil
		}
	}
}

// first runs a query for its first row; ok is false when there is none.
func (c *Client) first(ctx context.Context, hql string, p params) (r row, ok bool, err error) {
	part, err := c.page(ctx, hql, p, 0, 1)
	if err != nil || len(part) == 0 {
		return nil, false, err
	}
	return part[0], true, nil
}

// rowsFor runs a query that has ":ids" for any number of ids, several batches
// at a time, and returns the rows in the order of the batches. No ids give no
// rows.
func (c *Client) rowsFor(ctx context.Context, hql string, ids []int64) ([]row, error) {
	return mapRows(ctx, c, hql, ids, func(r row) row { return r })
}

// mapRows is rowsFor for very many rows: it keeps of each what make returns,
// and no row longer than its batch takes.
func mapRows[T any](ctx context.Context, c *Client, hql string, ids []int64, make func(row) T) ([]T, error) {
	batches := slices.Collect(slices.Chunk(ids, batchIDs))
	made := slices.Grow([][]T(nil), len(batches))[:len(batches)]
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for n, part := range batches {
		g.Go(func() error {
			rows, err := c.rows(ctx, hql, params{"ids": part})
			if err != nil {
				return err
			}
			list := slices.Grow([]T(nil), len(rows))
			for _, r := range rows {
				list = append(list, make(r))
			}
			made[n] = list
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(made...), nil
}

// together runs some jobs at the same time.
func together(ctx context.Context, jobs ...func(ctx context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for _, job := range jobs {
		g.Go(func() error { return job(ctx) })
	}
	return g.Wait()
}

// unique returns the ids without repetitions and without 0, in their order.
func unique(ids []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	out := make([]int64, 0, len(ids))
	for _, id := range ids {
		if id != 0 && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
