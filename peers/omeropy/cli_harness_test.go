//go:build peer

package omeropy

import (
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// loggedIn is a person with a session in the store of "omero login", which
// later commands join.
func loggedIn(t *testing.T, name string) *person {
	t.Helper()
	p := newPerson(t, name)
	p.login("-u", name)
	return p
}

// login logs in, by the password that is in a variable.
func (p *person) login(more ...string) {
	p.t.Helper()
	if r := p.tryLogin(more...); r.code != 0 {
		p.t.Fatalf("omero login %q: exit code %d\n%s", more, r.code, r.stderr)
	}
}

func (p *person) tryLogin(more ...string) result {
	p.t.Helper()
	return p.tryOMERO(append([]string{"login", "-s", "localhost", "-p", p.port}, more...)...)
}

// with is the same person with more variables, or other values.
func (p *person) with(vars ...string) *person {
	q := *p
	q.vars = append(append([]string(nil), p.vars...), vars...)
	return &q
}

// fails runs the command line, which has to fail and to say why.
func (p *person) fails(says string, args ...string) {
	p.t.Helper()
	r := p.tryOMERO(args...)
	if r.code == 0 || !strings.Contains(r.stdout+r.stderr, says) {
		p.t.Errorf("omero %q: got exit code %d and no %q\n%s%s", args, r.code, says, r.stdout, r.stderr)
	}
}

// table runs a command that prints JSON rows.
func (p *person) table(args ...string) []map[string]string {
	p.t.Helper()
	var rows []map[string]string
	out := p.omero(append(args, "--style", "json")...)
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		p.t.Fatalf("omero %q: %v\n%s", args, err, out)
	}
	return rows
}

// hql runs a query and returns the cells of its rows, without their numbers.
func (p *person) hql(query string, more ...string) [][]string {
	p.t.Helper()
	args := append([]string{"hql", "-q", query, "--style", "csv"}, more...)
	out := p.omero(args...)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimSpace(out))).ReadAll()
	if err != nil || len(rows) == 0 {
		p.t.Fatalf("omero %q: %v\n%s", args, err, out)
	}
	for i := range rows {
		rows[i] = rows[i][1:]
	}
	return rows[1:]
}

var objectName = regexp.MustCompile(`^(\w+):(\d+)$`)

// made runs a command that makes an object and prints it like Project:5.
func (p *person) made(class string, args ...string) int64 {
	p.t.Helper()
	out := strings.TrimSpace(p.omero(args...))
	m := objectName.FindStringSubmatch(out)
	if m == nil || m[1] != class {
		p.t.Fatalf("omero %q: got %q, want a %s", args, out, class)
	}
	id, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// named names an object as the command line does.
func named(class string, id int64) string { return fmt.Sprintf("%s:%d", class, id) }

// wantRow loads an object from the server's store, which has to have it.
func wantRow(t *testing.T, class string, id int64) *store.Row {
	t.Helper()
	r := box.Store().Get(class, id)
	if r == nil {
		t.Fatalf("the server has no %s %d", class, id)
	}
	return r
}

// userID is the id of a user.
func userID(t *testing.T, name string) int64 {
	t.Helper()
	r := box.Store().Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == name })
	if r == nil {
		t.Fatalf("the server has no user %s", name)
	}
	return r.ID
}

// groupID is the id of a group.
func groupID(t *testing.T, name string) int64 {
	t.Helper()
	r := box.Store().Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == name })
	if r == nil {
		t.Fatalf("the server has no group %s", name)
	}
	return r.ID
}

// visible are the objects of a class in a group, by id.
func visible(class string, group int64) []*store.Row {
	var rows []*store.Row
	box.Store().Each(class, func(r *store.Row) bool {
		if r.Group == group {
			rows = append(rows, r)
		}
		return true
	})
	return rows
}

// wantFile checks a downloaded file against the size and the SHA-1 that the
// server has for it.
func wantFile(t *testing.T, path string, file *store.Row) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	sum := sha1.Sum(b)
	if size, _ := file.Get("size").(int64); int64(len(b)) != size || hex.EncodeToString(sum[:]) != file.Text("hash") {
		t.Errorf("%s: got %d bytes with SHA-1 %x, want %d with %s", filepath.Base(path), len(b), sum, size, file.Text("hash"))
	}
}

// wantRows compares cells.
func wantRows(t *testing.T, what string, got, want [][]string) {
	t.Helper()
	g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want)
	if g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
