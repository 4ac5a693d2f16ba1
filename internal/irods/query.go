package irods

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// pageRows is how many rows one answer of a query may have.
const pageRows = 1000

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
	var rows []row
	var next int64
	for {
		size := pageRows
		if q.limit > 0 {
			size = min(size, q.limit-len(rows))
		}
		rep, err := cn.exchange(ctx, q.request(next, size), nil)
		if err != nil {
			return nil, err
		}
		if rep.status == int(common.CAT_NO_ROWS_FOUND) {
			return rows, nil
		}
		if rep.status < 0 {
			return nil, statusError(rep)
		}
		out, err := unpack(rep.body)
		if err != nil {
			return nil, err
		}
		if rows, err = q.collect(&out, rows); err != nil {
			return nil, err
		}
		next = out.num("continueInx")
		if next <= 0 {
			return rows, nil
		}
		if q.limit > 0 && len(rows) >= q.limit {
			_, err := cn.exchange(ctx, q.request(next, 0), nil) // frees the statement
			return rows, err
		}
	}
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
