package irods

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// pageRows is how many rows one answer of a query may have: a thousand data
// objects with the rights of three groups each.
const pageRows = 4000

// askRows is how many are asked for; tests make it smaller.
var askRows = pageRows

// column is one selected column of the catalogue.
type column = common.ICATColumnNumber

// condition restricts a query.
type condition struct {
	column column
	text   string
}

// query is a general query (GenQuery1).
type query struct {
	sel   []column
	where []condition
	zone  string
	// limit stops after so many rows; 0 has no limit.
	limit int
}

// row is one row of an answer, in the order of the selected columns.
type row []string

// equal makes a condition "column is value".
//
// Old servers stumble over an apostrophe or an operator inside the quotes, and
// have no way to escape them. Where a value has such characters the condition
// is a pattern that matches any character there; so it can match more than
// was asked for, and the caller has to look at the values it gets.
func equal(c column, value string) condition {
	if !strings.ContainsAny(value, `'&|\`) {
		return condition{c, "= '" + value + "'"}
	}
	return condition{c, "like '" + hard.Replace(value) + "'"}
}

var hard = strings.NewReplacer("'", "_", "&", "_", "|", "_", `\`, "_")

// prefixed makes a condition "column begins with value", with the same caveat.
func prefixed(c column, value string) condition {
	return condition{c, "like '" + hard.Replace(value) + "%'"}
}

// anyOf makes a condition "column is one of values", with the same caveat.
// The values must not be many.
func anyOf(c column, values []string) condition {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = equal(c, v).text
	}
	return condition{c, strings.Join(parts, " || ")}
}

func (q *query) request(continueIndex int64, rows int) *request {
	var p packer
	p.begin("GenQueryInp_PI").num("maxRows", int64(rows)).num("continueInx", continueIndex)
	p.num("partialStartIndex", 0).num("options", 0)
	var keys []pair
	if q.zone != "" {
		keys = append(keys, pair{common.ZONE_KW, q.zone})
	}
	p.pairs(keys)
	p.begin("InxIvalPair_PI").num("iiLen", int64(len(q.sel)))
	for _, c := range q.sel {
		p.num("inx", int64(c))
	}
	for range q.sel {
		p.num("ivalue", 1)
	}
	p.end("InxIvalPair_PI").begin("InxValPair_PI").num("isLen", int64(len(q.where)))
	for _, w := range q.where {
		p.num("inx", int64(w.column))
	}
	for _, w := range q.where {
		p.str("svalue", w.text)
	}
	p.end("InxValPair_PI").end("GenQueryInp_PI")
	return newRequest(common.GEN_QUERY_AN, p.String())
}

// run asks for all rows on one connection; no rows are no error.
func (q *query) run(ctx context.Context, cn *conn) ([]row, error) {
	all, err := runAll(ctx, cn, q)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// runAll runs queries at the same time, in as many round trips as the longest
// of them has pages, and returns the rows of each.
func runAll(ctx context.Context, cn *conn, queries ...*query) ([][]row, error) {
	found := make([][]row, len(queries))
	next := make([]int64, len(queries))
	var open []int // the queries that have more
	for i := range queries {
		open = append(open, i)
	}
	for len(open) > 0 {
		requests := make([]*request, len(open))
		for i, n := range open {
			requests[i] = queries[n].request(next[n], queries[n].page(found[n]))
		}
		replies, err := cn.exchangeAll(ctx, nil, requests...)
		if err != nil {
			return nil, err
		}
		var more []int
		for i, n := range open {
			if found[n], next[n], err = queries[n].read(replies[i], found[n]); err != nil {
				return nil, err
			}
			switch {
			case next[n] <= 0:
			case queries[n].page(found[n]) > 0:
				more = append(more, n)
			default: // asking for no rows frees the statement
				if _, err := cn.exchange(ctx, queries[n].request(next[n], 0), nil); err != nil {
					return nil, err
				}
			}
		}
		open = more
	}
	return found, nil
}

// page is how many rows to ask for next, 0 when there are enough.
func (q *query) page(have []row) int {
	if q.limit > 0 {
		return max(0, min(askRows, q.limit-len(have)))
	}
	return askRows
}

// read adds the rows of an answer to those before and returns where to go on,
// 0 at the end.
func (q *query) read(rep *reply, rows []row) ([]row, int64, error) {
	if rep.status == int(common.CAT_NO_ROWS_FOUND) {
		return rows, 0, nil
	}
	if rep.status < 0 {
		return nil, 0, statusError(rep)
	}
	out, err := unpack(rep.body)
	if err != nil {
		return nil, 0, err
	}
	rows, err = q.collect(&out, rows)
	return rows, out.num("continueInx"), err
}

// collect turns an answer's columns into rows.
func (q *query) collect(out *element, rows []row) ([]row, error) {
	n := int(out.num("rowCnt"))
	var columns [][]element
	for i := range out.children {
		if c := &out.children[i]; c.name == "SqlResult_PI" && len(columns) < len(q.sel) {
			var values []element
			for j := range c.children {
				if c.children[j].name == "value" {
					values = append(values, c.children[j])
				}
			}
			columns = append(columns, values)
		}
	}
	if len(columns) < len(q.sel) {
		return nil, errorf(ErrServer, "an answer to a query misses columns")
	}
	for _, c := range columns {
		if len(c) != n {
			return nil, errorf(ErrServer, "an answer to a query misses values")
		}
	}
	for i := range n {
		r := make(row, len(columns))
		for j, c := range columns {
			r[j] = c[i].text
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// zoneOf returns the zone of a path.
func zoneOf(path string) string {
	zone, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return zone
}

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return n
}

// parseTime reads the catalogue's times: seconds since 1970 as text, padded
// with zeros. Anything else is the zero time.
func parseTime(s string) time.Time {
	n := parseInt(s)
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}
