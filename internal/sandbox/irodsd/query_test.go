package irodsd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/genquery"
)

// fill registers count empty objects in a collection of alice's.
func fill(t testing.TB, s *Server, coll string, count int) {
	t.Helper()
	err := s.admin(context.Background(), "fill", func(tx *catalog.Tx, a catalog.Actor) error {
		u, err := tx.User("alice", "tempZone")
		if err != nil {
			return err
		}
		a.User = u
		if err := tx.MakeColls(a, coll); err != nil {
			return err
		}
		resc, err := tx.Resource("demoResc")
		if err != nil {
			return err
		}
		for i := range count {
			if _, err := tx.CreateObject(a, fmt.Sprintf("%s/f%05d", coll, i), "", resc, catalog.Good,
				func(id int64) string { return s.vault.path("demoResc", id, 0) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQueryPaging(t *testing.T) {
	s, addr := startServer(t, nil)
	fill(t, s, home+"/many", 1200)
	r := rawLogin(t, addr, "alice", alicePassword)
	page := func(rows, index int) answer {
		return r.call(702, query(rows, index, []int{401, 403, 404}, "501", "= '"+home+"/many'"))
	}
	seen := make(map[string]bool)
	index := 0
	for pages := 1; ; pages++ {
		m := page(500, index)
		if m.info != 0 || strings.Count(m.body, "<SqlResult_PI>") != 50 {
			t.Fatalf("page %d: status %d", pages, m.info)
		}
		v := values(m.body)
		for _, n := range v[1] {
			seen[n] = true
		}
		index, _ = strconv.Atoi(field(m.body, "continueInx"))
		if index == 0 {
			if pages != 3 || len(v[1]) != 200 {
				t.Errorf("ended at page %d with %d rows", pages, len(v[1]))
			}
			break
		}
		if index != 1 {
			t.Errorf("continuation index %d, want 1", index)
		}
	}
	if len(seen) != 1200 {
		t.Errorf("saw %d names", len(seen))
	}
	// A page that comes out exactly full leaves the query open.
	m := page(600, 0)
	m = page(600, 1)
	if field(m.body, "continueInx") != "1" {
		t.Errorf("a full last page closed the query: %s", m.body[:200])
	}
	if m = page(600, 1); m.info != -808000 || field(m.body, "rowCnt") != "0" {
		t.Errorf("behind the end: %d", m.info)
	}
	// Closing one.
	page(10, 0)
	if m = page(0, 1); m.info != 0 || field(m.body, "rowCnt") != "0" {
		t.Errorf("close: %+v", m)
	}
	if got := page(10, 1).info; got >= 0 {
		t.Errorf("a closed query answers %d", got)
	}
	total := strings.Replace(query(10, 0, []int{403}, "501", "= '"+home+"/many'"), "<options>0<", "<options>32<", 1)
	if m := r.call(702, total); field(m.body, "totalRowCount") != "1200" {
		t.Errorf("total: %s", field(m.body, "totalRowCount"))
	}
}

func TestQueryConditions(t *testing.T) {
	s, addr := startServer(t, nil)
	ctx := context.Background()
	for n, data := range map[string]string{"it's": "1", "a_b": "22", "aXb": "333", "A || B": "", "100%": "4444"} {
		if err := s.PutObject(ctx, home+"/"+n, "alice", strings.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	r := rawLogin(t, addr, "alice", alicePassword)
	for _, c := range []struct {
		column string
		text   string
		want   string
	}{
		{"403", "= 'it's'", "it's"},
		{"403", "='it's'", "it's"},
		{"403", "= 'it''s'", ""},
		{"403", "= 'A || B'", "A || B"},
		{"403", "= 'a_b' || = 'aXb'", "aXb a_b"},
		{"403", "like 'a_b'", "aXb a_b"},
		{"403", `like 'a\_b'`, "a_b"},
		{"403", "LIKE 'A%'", "A || B"},
		{"403", "not like 'a%'", "100% A || B it's"},
		{"403", "like 'a%' && <> 'a_b'", "aXb"},
		{"403", "in ('a_b','it's','none')", "a_b it's"},
		{"403", "between 'a' 'b'", "aXb a_b"},
		{"407", "> '2'", "100% aXb"},
		{"407", "<= '1'", "A || B it's"},
		{"501", "begin_of '" + home + "/below'", "100% A || B aXb a_b it's"},
		{"501", "like '/tempZone/home/al%'", "100% A || B aXb a_b it's"},
		{"413", "= '1'", "100% A || B aXb a_b it's"},
	} {
		v := values(r.call(702, query(50, 0, []int{403}, c.column, c.text)).body)
		got := ""
		if len(v) > 0 {
			slices.Sort(v[0])
			got = strings.Join(v[0], " ")
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.column, c.text, got, c.want)
		}
	}
	const sum, count, descending = 4 << 16, 6 << 16, 0x801 << 16
	v := values(r.call(702, query(10, 0, []int{403 | count, 407 | sum}, "404", "= '0'")).body)
	if len(v) != 2 || v[0][0] != "5" || v[1][0] != "10" {
		t.Errorf("aggregates: %v", v)
	}
	v = values(r.call(702, query(10, 0, []int{403 | count, 407 | sum}, "403", "= 'none'")).body)
	if len(v) != 2 || v[0][0] != "0" || v[1][0] != "" {
		t.Errorf("aggregates of nothing: %v", v)
	}
	v = values(r.call(702, query(10, 0, []int{407 | descending})).body)
	if len(v) != 1 || strings.Join(v[0], " ") != "4 3 2 1 0" {
		t.Errorf("descending: %v", v)
	}
	m := r.call(10221, `<Genquery2Input_PI><query_string>select COLL_NAME, DATA_NAME where DATA_NAME = &apos;it&apos;&apos;s&apos; or (DATA_SIZE &gt;= &apos;3&apos; and DATA_NAME not like &apos;1%&apos;) order by DATA_NAME desc limit 5</query_string><zone>tempZone</zone></Genquery2Input_PI>`)
	if want := `[[&quot;/tempZone/home/alice&quot;,&quot;it&apos;s&quot;],[&quot;/tempZone/home/alice&quot;,&quot;aXb&quot;]]`; field(m.body, "myStr") != want {
		t.Errorf("GenQuery2: got %+v", m)
	}
	if got := r.call(10221, `<Genquery2Input_PI><query_string>select NOTHING</query_string></Genquery2Input_PI>`).info; got != -130000 {
		t.Errorf("bad GenQuery2: %d", got)
	}
}

func TestVisibility(t *testing.T) {
	s, addr := startServer(t, nil)
	for _, p := range []string{home + "/o", "/tempZone/home/bob/o"} {
		if err := s.PutObject(context.Background(), p, strings.Split(p, "/")[3], strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	alice, rods := rawLogin(t, addr, "alice", alicePassword), rawLogin(t, addr, "rods", adminPassword)
	list := func(r *raw, column int, where ...string) string {
		v := values(r.call(702, query(50, 0, []int{column}, where...)).body)
		if len(v) == 0 {
			return ""
		}
		slices.Sort(v[0])
		return strings.Join(v[0], " ")
	}
	if got := list(alice, 501, "502", "= '/tempZone/home'"); got != "/tempZone/home/alice /tempZone/home/lab /tempZone/home/public" {
		t.Errorf("homes that alice sees: %s", got)
	}
	if got := list(rods, 501, "502", "= '/tempZone/home'"); !strings.Contains(got, "/tempZone/home/bob") {
		t.Errorf("homes that the administrator sees: %s", got)
	}
	if got := list(alice, 501, "403", "= 'o'"); got != home {
		t.Errorf("objects of alice: %s", got)
	}
	if got := rods.open(home+"/o", 0); got != -818000 {
		t.Errorf("the administrator opens alice's object: %d", got)
	}
	if got := rods.open(home+"/o", 0, "irodsAdmin", ""); got != 3 {
		t.Errorf("with irodsAdmin: %d", got)
	}
	if got := alice.open("/tempZone/home/bob/o", 0, "irodsAdmin", ""); got != -358000 {
		t.Errorf("alice with irodsAdmin: %d", got)
	}
	// Reading the collection shows none of its objects.
	bob := rawLogin(t, addr, "bob", "bob-secret")
	if got := bob.call(707, access("read", "alice", "/tempZone/home/bob")).info; got != 0 {
		t.Fatal(got)
	}
	if got := list(alice, 403, "501", "= '/tempZone/home/bob'"); got != "" {
		t.Errorf("objects that a readable collection shows: %s", got)
	}
	m := bob.call(722, "<specificQueryInp_PI><sql>ShowCollAcls</sql><arg1>/tempZone/home/bob</arg1><maxRows>10</maxRows>"+kvs()+"</specificQueryInp_PI>")
	if v := values(m.body); len(v) != 4 || len(v[0]) != 2 || strings.Contains(m.body, "<attriInx>4") {
		t.Errorf("ShowCollAcls: %v", v)
	}
}

func BenchmarkList10000(b *testing.B) {
	s, err := New(Config{StateDir: b.TempDir(), AdminPassword: "x"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.AddUser(context.Background(), "alice", "rodsuser", "x"); err != nil {
		b.Fatal(err)
	}
	fill(b, s, home+"/many", 10000)
	u := catalog.Actor{}
	if err := s.cat.View(context.Background(), func(t *catalog.Tx) (err error) {
		u.User, err = t.User("alice", "tempZone")
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		benchList(b, s, u)
	}
}

func benchList(b *testing.B, s *Server, a catalog.Actor) {
	b.Helper()
	q := genquery.Request{Where: []genquery.Where{{Column: 501, Text: "= '" + home + "/many'"}}}
	for _, c := range []int{401, 403, 407, 406, 404, 411, 415, 413, 409, 410, 422, 419, 420, 424} {
		q.Select = append(q.Select, genquery.Select{Column: c, Bits: 1})
	}
	sql, err := genquery.Translate(q, a.Viewer())
	if err != nil {
		b.Fatal(err)
	}
	err = s.cat.View(context.Background(), func(t *catalog.Tx) error {
		rows, err := t.Rows(sql, 20000, 0)
		if len(rows) != 10000 {
			b.Errorf("got %d rows", len(rows))
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}
