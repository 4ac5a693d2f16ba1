package genquery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"omerods/internal/sandbox/irodsd/status"
)

func TestParseCondition(t *testing.T) {
	for in, want := range map[string]string{
		"= 'a'":                       "[{ = [a]}]",
		"='a'":                        "[{ = [a]}]",
		"  LIKE  '%x_'  ":             "[{ like [%x_]}]",
		"Not  Like 'x'":               "[{ not like [x]}]",
		"= 'it's'":                    "[{ = [it's]}]",
		"= ''":                        "[{ = []}]",
		"= 'a' || = 'b' && <> 'c'":    "[{ = [a]} {OR = [b]} {AND <> [c]}]",
		"= 'a || b' || like 'c && d'": "[{ = [a || b]} {OR like [c && d]}]",
		"in ('a','b')":                "[{ in [a b]}]",
		"IN('a' , 'b')":               "[{ in [a b]}]",
		"between 'a' 'b'":             "[{ between [a b]}]",
		"begin_of '/a/b'":             "[{ begin_of [/a/b]}]",
		"n>= '5'":                     "[{ n>= [5]}]",
	} {
		got, err := parseCondition(in)
		if fmt.Sprint(got) != want || err != nil {
			t.Errorf("%s: got %v %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "= x", "is null", "= 'x", "in 'a'", "in ()", "between 'a'", "likely 'x'", "'x'"} {
		if got, err := parseCondition(in); !errors.Is(err, status.InvalidArgument) {
			t.Errorf("%q: got %v %v", in, got, err)
		}
	}
}

func TestTranslateJoins(t *testing.T) {
	for _, c := range []struct {
		name    string
		columns []int
		tables  string
	}{
		{"object access names the users it is for", []int{701, 202, 403, 501}, "tokens dat, access da, users u, replicas_view d, collections c"},
		{"AVUs", []int{600, 403}, "avus dmeta, avu_map dmap, replicas_view d"},
		{"groups", []int{202, 901}, "users u, members gm, users g"},
		{"collection access", []int{711, 1300}, "tokens cat, access ca, users cau"},
	} {
		r := Request{}
		for _, n := range c.columns {
			r.Select = append(r.Select, Select{n, 1})
		}
		q, err := Translate(r, Viewer{Everyone: true})
		_, from, _ := strings.Cut(q.SQL, " FROM ")
		from, _, _ = strings.Cut(from, " WHERE ")
		if err != nil || !sameSet(from, c.tables) {
			t.Errorf("%s: got %s %v, want %s", c.name, from, err, c.tables)
		}
	}
	q, err := Translate(Request{Select: []Select{{202, 1}, {711, 1}}}, Viewer{})
	if err != nil || !q.Empty {
		t.Errorf("users and collection access: %+v %v", q, err)
	}
	for n := range columns {
		if _, err := Translate(Request{Select: []Select{{n, 1}}}, Viewer{}); err != nil {
			t.Errorf("column %d: %v", n, err)
		}
	}
}

func sameSet(a, b string) bool {
	x, y := strings.Split(a, ", "), strings.Split(b, ", ")
	seen := make(map[string]bool)
	for _, s := range x {
		seen[s] = true
	}
	for _, s := range y {
		if !seen[s] {
			return false
		}
	}
	return len(x) == len(y)
}

func TestTranslateRestricts(t *testing.T) {
	r := Request{Select: []Select{{403, 1}}, Where: []Where{{501, "= '/a'"}}}
	q, err := Translate(r, Viewer{UserID: 7})
	if err != nil || strings.Count(q.SQL, "EXISTS") != 2 || fmt.Sprint(q.Args) != "[/a 7 7]" {
		t.Errorf("got %+v %v", q, err)
	}
	if q, _ = Translate(r, Viewer{UserID: 7, Everyone: true}); strings.Contains(q.SQL, "EXISTS") {
		t.Errorf("an administrator is restricted: %s", q.SQL)
	}
	// Values never become part of the SQL.
	r.Where[0].Text = "= 'x'; DROP TABLE users; --'"
	if q, err = Translate(r, Viewer{}); err != nil || strings.Contains(q.SQL, "DROP") {
		t.Errorf("got %s %v", q.SQL, err)
	}
}

func TestParse2Refuses(t *testing.T) {
	for _, in := range []string{
		"", "select", "select X", "select COLL_NAME where", "select COLL_NAME where COLL_NAME = x", "select COLL_NAME where COLL_NAME = 'x",
		"select COLL_NAME limit x", "select no distinct COLL_NAME", "select COLL_NAME where COLL_ID = 1", "select COLL_NAME, count(DATA_ID)",
		"select sleep(COLL_ID)", "select cast(COLL_ID as int", "select COLL_NAME fetch first 2 rows", "select COLL_NAME; drop", "select count(COLL_NAME", "select COLL_NAME where (COLL_NAME = 'x'",
		"select COLL_NAME where " + strings.Repeat("not ", 1000) + "COLL_NAME = 'x'",
	} {
		if q, err := Parse2(in, Viewer{}); !errors.Is(err, status.LibraryError) && !errors.Is(err, status.InvalidInputParam) {
			t.Errorf("%.40q: got %+v %v", in, q, err)
		}
	}
}

func TestParse2Translates(t *testing.T) {
	for in, want := range map[string]string{
		"select COLL_NAME":          "SELECT c.name FROM",
		"select distinct COLL_NAME": "SELECT DISTINCT c.name FROM",
		"select cast(DATA_SIZE as varchar(20)) order by DATA_NAME":     "SELECT CAST(d.size AS varchar(20)) FROM",
		"select COLL_NAME, count(distinct DATA_ID) group by COLL_NAME": "SELECT c.name, COUNT(DISTINCT d.id) FROM",
		"select DATA_NAME where upper(DATA_NAME) = 'A\\x42'":           "UPPER(d.name) = ?",
		"select DATA_NAME where coalesce(DATA_NAME, 'it''s') = 'x'":    "COALESCE(d.name, 'it''s') = ?",
	} {
		q, err := Parse2(in, Viewer{Everyone: true})
		if err != nil || !strings.Contains(q.SQL, want) {
			t.Errorf("%s: got %s, %v, want %s in it", in, q.SQL, err, want)
		}
	}
	for in, want := range map[string][2]int{
		"select COLL_NAME limit 2 offset 3": {2, 3}, "select COLL_NAME offset 3 fetch first 2 rows only": {2, 3},
		"select COLL_NAME limit 2 order by COLL_NAME": {2, 0}, "select COLL_NAME": {256, 0},
	} {
		if q, err := Parse2(in, Viewer{}); err != nil || [2]int{q.Limit, q.Offset} != want {
			t.Errorf("%s: got %+v, %v", in, q, err)
		}
	}
	if q, err := Parse2(`select DATA_NAME where DATA_NAME = 'A\x42''c'`, Viewer{Everyone: true}); err != nil || q.Args[0] != "AB'c" {
		t.Errorf("got %v, %v", q.Args, err)
	}
}

func FuzzCondition(f *testing.F) {
	f.Add("= 'a' || in ('b','c')")
	f.Fuzz(func(t *testing.T, in string) {
		terms, err := parseCondition(in)
		for _, term := range terms {
			if sql, args := term.sqlFor("x", false); strings.Count(sql, "?") != len(args) {
				if term.op != "begin_of" {
					t.Errorf("%q: %s with %v", in, sql, args)
				}
			}
		}
		if err == nil && len(terms) == 0 {
			t.Error("nothing parsed, no error")
		}
	})
}
