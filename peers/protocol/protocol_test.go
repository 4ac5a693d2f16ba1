package protocol_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/peers/protocol"
)

const page = `# A page

| by | what |
| --- | --- |
| vectors | bytes |

| operation | for | vectors | Ice |
| --- | --- | --- | --- |
| ` + "`IQuery.projection`" + ` | lists | ✓ | |
| ` + "`Handle.close`" + ` | ends | | ✓ |
`

func table(t *testing.T) protocol.Table {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := protocol.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// What is wrong in the table is named, what is right is not.
func TestDifferencesAreNamed(t *testing.T) {
	table := table(t)
	only := func(names ...string) map[string]bool {
		m := make(map[string]bool)
		for _, n := range names {
			m[n] = true
		}
		return m
	}
	seen := func(names ...string) func(string) bool { return func(op string) bool { return only(names...)[op] } }
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"rows":    {table.Rows(only("IQuery.projection", "Handle.close")), ""},
		"missing": {table.Rows(only("IQuery.projection", "Handle.close", "Handle.cancel")), "Handle.cancel, which has no row"},
		"unused":  {table.Rows(only("IQuery.projection")), "Handle.close has a row"},
		"column":  {table.Column(protocol.Ice, seen("Handle.close", "Handle.cancel")), ""},
		"mark":    {table.Column(protocol.Vectors, seen()), "IQuery.projection has \"✓\""},
		"no mark": {table.Column(protocol.Ice, seen("Handle.close", "IQuery.projection")), "IQuery.projection has no mark under Ice"},
		"heading": {table.Column(protocol.OMEROPy, seen()), "no column"},
	} {
		switch {
		case c.want == "" && c.err != nil:
			t.Errorf("%s: got %v", what, c.err)
		case c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", what, c.err, c.want)
		}
	}
}

func TestCallsOfOthersGoUnnoticed(t *testing.T) {
	var c protocol.Calls
	c.Note("a")
	resume := c.Pause()
	c.Note("b")
	resume()
	resume()
	c.Note("c")
	if !c.Seen("a") || c.Seen("b") || !c.Seen("c") || len(c.All()) != 2 {
		t.Errorf("got %v, want a and c", c.All())
	}
}
