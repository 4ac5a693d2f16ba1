package irodsd

import (
	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/genquery"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

const (
	maxCursors   = 50   // statements a real connection may hold open
	chunkRows    = 8192 // rows a cursor reads at once
	maxCondition = 2175 // bytes of one condition: MAX_NAME_LEN * 2 with a NUL, in general_query.cpp
	padColumns   = 50   // SqlResult_PI in every reply of a real server
)

// cursors are the open queries of one connection, by continuation index.
type cursors struct {
	open map[int]*cursor
}

// cursor is a query that has more rows. It reads them in chunks, each a
// snapshot of its own.
type cursor struct {
	fetch  func(limit, offset int) ([][]string, error)
	rows   [][]string // read and not yet sent
	offset int        // of the first row behind rows
	done   bool       // nothing behind rows
	cols   []int      // attriInx of each column
	total  int
}

// add files a cursor under the lowest free index.
func (c *cursors) add(k *cursor) (int, error) {
	for i := 1; i <= maxCursors; i++ {
		if c.open[i] == nil {
			c.open[i] = k
			return i, nil
		}
	}
	return 0, status.StatementTableFull
}

// page takes the next rows.
func (k *cursor) page(limit int) ([][]string, error) {
	for len(k.rows) < limit && !k.done {
		want := max(chunkRows, limit)
		more, err := k.fetch(want, k.offset)
		if err != nil {
			return nil, err
		}
		k.rows = append(k.rows, more...)
		k.offset += len(more)
		k.done = len(more) < want
	}
	n := min(limit, len(k.rows))
	out := k.rows[:n]
	k.rows = k.rows[n:]
	return out, nil
}

// genQuery is API 702.
func (s *session) genQuery(req *request) (*reply, error) {
	if z := req.kv["zone"]; z != "" && z != s.srv.cfg.Zone {
		return nil, status.InvalidZoneName
	}
	var q genquery.Request
	q.Options = int(req.in.Int("options"))
	for _, p := range req.in.Pairs("InxIvalPair_PI", "iiLen", "ivalue") {
		q.Select = append(q.Select, genquery.Select{Column: p.Index, Bits: int(wire.Number(p.Value))})
	}
	var cols []int
	for _, c := range q.Select {
		cols = append(cols, c.Column)
	}
	for _, p := range req.in.Pairs("InxValPair_PI", "isLen", "svalue") {
		if len(p.Value) > maxCondition {
			return nil, status.UserStringTooLong
		}
		q.Where = append(q.Where, genquery.Where{Column: p.Index, Text: p.Value})
	}
	return s.paged(req, q.Options, int(req.in.Int("partialStartIndex")), func() (*cursor, error) {
		var sql genquery.Query
		total := 0
		err := s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
			var err error
			if sql, err = genquery.Translate(q, a.Viewer()); err != nil || sql.Empty {
				return err
			}
			if q.Options&genquery.OptTotalRows != 0 {
				total, err = t.Count(sql)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return &cursor{cols: cols, total: total, done: sql.Empty, fetch: func(limit, offset int) (rows [][]string, err error) {
			err = s.srv.cat.View(s.ctx(), func(t *catalog.Tx) error {
				rows, err = t.Rows(sql, limit, offset)
				return err
			})
			return rows, err
		}}, nil
	})
}

// specificQuery is API 722. All its columns have number 0.
func (s *session) specificQuery(req *request) (*reply, error) {
	alias := req.in.Str("sql")
	var args []string
	for _, n := range []string{"arg1", "arg2", "arg3", "arg4", "arg5", "arg6", "arg7", "arg8", "arg9", "arg10"} {
		args = append(args, req.in.Str(n))
	}
	return s.paged(req, int(req.in.Int("options")), int(req.in.Int("rowOffset")), func() (*cursor, error) {
		return &cursor{fetch: func(limit, offset int) (rows [][]string, err error) {
			err = s.srv.cat.View(s.ctx(), func(t *catalog.Tx) error {
				rows, err = t.Specific(alias, args, limit, offset)
				return err
			})
			return rows, err
		}}, nil
	})
}

// paged answers one page of a query that start opens or that is open already.
func (s *session) paged(req *request, options, offset int, start func() (*cursor, error)) (*reply, error) {
	limit, index := int(req.in.Int("maxRows")), int(req.in.Int("continueInx"))
	if limit <= 0 {
		delete(s.cursors.open, index)
		return s.rows(nil, nil, 0, 0), nil
	}
	k := s.cursors.open[index]
	if index > 0 && k == nil {
		return nil, status.InvalidArgument
	}
	if index == 0 {
		var err error
		if k, err = start(); err != nil {
			return nil, err
		}
		k.offset = max(offset, 0)
	}
	rows, err := k.page(limit)
	if err != nil {
		return nil, err
	}
	// A full page leaves the cursor open even when no row follows: only the
	// next call finds that out.
	next := 0
	switch {
	case len(rows) < limit || options&genquery.OptAutoClose != 0:
		delete(s.cursors.open, index)
	case index > 0:
		next = index
	default:
		if next, err = s.cursors.add(k); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		// The one failure that carries a whole, empty, result.
		return s.rows(nil, nil, 0, 0), status.NoRowsFound
	}
	return s.rows(k.cols, rows, next, k.total), nil
}

// rows writes a GenQueryOut_PI: column by column, padded to the number of
// columns that a real server always sends.
func (s *session) rows(cols []int, rows [][]string, next, total int) *reply {
	width := 0
	if len(rows) > 0 {
		width = len(rows[0])
	}
	b := s.build()
	b.Open("GenQueryOut_PI")
	b.Int("rowCnt", int64(len(rows)))
	b.Int("attriCnt", int64(width))
	b.Int("continueInx", int64(next))
	b.Int("totalRowCount", int64(total))
	for c := range width {
		attr, longest := 0, 49
		if c < len(cols) {
			attr = cols[c]
		}
		for _, r := range rows {
			longest = max(longest, len(r[c]))
		}
		b.Open("SqlResult_PI")
		b.Int("attriInx", int64(attr))
		b.Int("reslen", int64(longest+1))
		for _, r := range rows {
			b.Str("value", r[c])
		}
		b.Close("SqlResult_PI")
	}
	for range padColumns - width {
		b.Open("SqlResult_PI")
		b.Int("attriInx", 0)
		b.Int("reslen", 0)
		b.Close("SqlResult_PI")
	}
	b.Close("GenQueryOut_PI")
	return &reply{body: b.Bytes()}
}

// Columns of process listings.
const firstProcessColumn = 1000001

// processes is API 690: the connections that are logged in. A sandbox has one
// process, so only the asking connection is shown.
func (s *session) processes(*request) (*reply, error) {
	cols := make([]int, 9)
	for i := range cols {
		cols[i] = firstProcessColumn + i
	}
	row := []string{
		"1", catalog.Stamp(s.started), s.proxied.Name, s.proxied.Zone, s.user.Name, s.user.Zone,
		s.raw.RemoteAddr().String(), s.program, s.srv.cfg.Host,
	}
	return s.rows(cols, [][]string{row}, -1, 0), nil
}

// genQuery2 is API 10221: a query as text, answered with rows as JSON text.
func (s *session) genQuery2(req *request) (*reply, error) {
	if z := req.in.Str("zone"); z != "" && z != s.srv.cfg.Zone {
		return nil, status.InvalidZoneName
	}
	if req.in.Int("column_mappings") != 0 {
		return s.jsonText(genquery.ColumnNames())
	}
	rows := [][]string{}
	text := ""
	err := s.view(req, func(t *catalog.Tx, a catalog.Actor) error {
		q, err := genquery.Parse2(req.in.Str("query_string"), a.Viewer())
		text = q.SQL
		if err != nil || q.Empty || req.in.Int("sql_only") != 0 {
			return err
		}
		found, err := t.Rows(q.Query, q.Limit, q.Offset)
		rows = append(rows, found...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if req.in.Int("sql_only") != 0 {
		return s.strReply(text), nil
	}
	return s.jsonText(rows)
}
