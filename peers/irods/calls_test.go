//go:build peer

package irods

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestMetadata(t *testing.T) {
	coll := home + "/" + t.Name()
	var got struct {
		Steps         [][][]string
		Failed, Twice string
	}
	python(t, newest, "metadata.py", job{"coll": coll}, &got)
	units := "\u00b5m"
	special := []string{"ünï & 'code'", `va"lue <x>`, units}
	last := [][]string{{"colour", "red", ""}, {"flag", "maybe", "1"}, {"more", "of it", ""}, {"size", "2", "cm"}, special}
	want := [][][]string{
		{{"colour", "blue", ""}, {"size", "1", "mm"}, {"size", "2", "cm"}, special},
		{{"colour", "red", ""}, {"flag", "no", ""}, {"size", "2", "cm"}, special},
		{{"colour", "red", ""}, {"flag", "no", ""}, {"size", "2", "cm"}, special},
		last, last, {},
	}
	for i := range want {
		if i >= len(got.Steps) || fmt.Sprint(plain(got.Steps[i])) != fmt.Sprint(want[i]) {
			t.Errorf("step %d: got %q, want %q", i, got.Steps[i:], want[i])
			break
		}
	}
	if got.Failed == "" || got.Twice != "CATALOG_ALREADY_HAS_ITEM_BY_THAT_NAME" {
		t.Errorf("a failing change: %q; the same again: %q", got.Failed, got.Twice)
	}
	// The mount has what Python added, and the other way round.
	dir := mounted(t)
	file := below(dir, coll+"/f")
	newWatch(t).xattr(file, "user.irods.avu.colour", "red")
	newWatch(t).xattr(file, "user.irods.avu.size", `[{"value":"2","units":"cm"}]`)
	setXattr(t, file, "user.irods.avu.by", "mount")
	var seen struct {
		Steps [][][]string
	}
	python(t, newest, "avus.py", job{"path": coll + "/f"}, &seen)
	if !slices.ContainsFunc(seen.Steps[0], func(a []string) bool { return a[0] == "by" && a[1] == "mount" }) {
		t.Errorf("set through the mount: %q", seen.Steps)
	}
}

// plain turns a missing unit into an empty one.
func plain(avus [][]string) [][]string {
	if avus == nil {
		return [][]string{}
	}
	return avus
}

// The library of Debian 12 sends requests for AVUs and tickets that an iRODS 5
// refuses: they lack a field.
func TestOldRequestsAreRefused(t *testing.T) {
	for program, more := range map[string]job{
		"addavu.py":  {"path": home},
		"tickets.py": {"coll": home + "/" + t.Name(), "tickets": []string{"oldReads", "oldWrites"}},
	} {
		var got any
		if stderr, err := tryPython(debian, program, more, &got); err == nil || !strings.Contains(stderr, "SYS_PACK_INSTRUCT_FORMAT_ERR") {
			t.Errorf("%s: got %v\n%s", program, err, stderr)
		}
	}
}

// queried makes what the programs with queries look for.
func queried(t *testing.T, coll, many string) {
	t.Helper()
	ctx, s := context.Background(), box.IRODS()
	put := func(path, text string) {
		t.Helper()
		if err := s.PutObject(ctx, path, user, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []string{coll, many} {
		if err := s.MakeCollection(ctx, c, user); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"a": "1", "b1": "22", "b2": "4444", `it's & "quoted"`: "55555"} {
		put(coll+"/"+name, text)
	}
	if err := s.AddAVU(ctx, coll+"/b1", "mark", "yes", ""); err != nil {
		t.Fatal(err)
	}
	for i := range 1201 {
		put(fmt.Sprintf("%s/%04d", many, i), "x")
	}
}

func TestQueries(t *testing.T) {
	coll, many := home+"/"+t.Name(), home+"/"+t.Name()+" many"
	queried(t, coll, many)
	libraries(t, func(t *testing.T, library, _ string) {
		var got struct {
			Found        map[string]any
			Batches      []int
			One, Nothing string
			First        any
		}
		python(t, library, "queries.py", job{"coll": coll, "many": many}, &got)
		quoted := `it's & "quoted"`
		want := map[string]any{
			"all": []string{"a", "b1", "b2", quoted}, "equal": []string{quoted}, "not": []string{"b1", "b2", quoted},
			"like": []string{"b1", "b2"}, "not like": []string{"a", quoted}, "in": []string{"a", "b2"}, "larger": []string{"b2", quoted},
			"between": []string{"b1", "b2"}, "none": []string{}, "down": []string{quoted, "b2", "b1", "a"}, "two": []string{"a", "b1"},
			"meta": []string{"b1"}, "sums": []int{4, 12, 5, 1}, "resources": []string{"demoResc"}, "me": []string{user},
		}
		if library == debian { // has not got these
			delete(want, "not like")
			delete(want, "in")
		}
		for name := range want {
			if fmt.Sprint(got.Found[name]) != fmt.Sprint(want[name]) {
				t.Errorf("%s: got %v, want %v", name, got.Found[name], want[name])
			}
		}
		if fmt.Sprint(got.Batches) != "[500 500 201]" || got.One != coll || got.First != nil || got.Nothing != "NoResultFound" {
			t.Errorf("got %v, %q, %v, %q", got.Batches, got.One, got.First, got.Nothing)
		}
	})
	t.Run("GenQuery2", func(t *testing.T) {
		var got struct {
			Found   map[string][][]string
			SQL     string
			Columns int
			Column  any
			Wrong   string
		}
		python(t, newest, "queries2.py", job{"coll": coll}, &got)
		quoted, kind := `it's & "quoted"`, "generic"
		want := map[string][][]string{
			"order": {{quoted}, {"b2"}}, "or": {{"a"}, {quoted}}, "quoted": {{quoted}}, "like": {{"b1", "2"}, {"b2", "4"}},
			"in": {{"a"}, {"b2"}}, "not": {{"a"}, {quoted}}, "between": {{"b1"}, {"b2"}}, "count": {{"4", "12"}}, "meta": {{"b1"}},
			"offset": {{"b1"}}, "cast": {{"b2"}, {quoted}}, "distinct": {{kind}}, "all": {{kind}, {kind}, {kind}, {kind}}, "group": {{kind, "4"}},
		}
		for name := range want {
			if fmt.Sprint(got.Found[name]) != fmt.Sprint(want[name]) {
				t.Errorf("%s: got %q, want %q", name, got.Found[name], want[name])
			}
		}
		if !strings.Contains(strings.ToLower(got.SQL), "select") || got.Columns < 50 || got.Column == nil || got.Wrong == "" {
			t.Errorf("SQL %q, %d columns, %v, refused as %q", got.SQL, got.Columns, got.Column, got.Wrong)
		}
	})
}

func TestAccess(t *testing.T) {
	libraries(t, func(t *testing.T, library, coll string) {
		group := "peers_" + library
		if library == debian {
			// The way in which it asks for a group is refused by an iRODS 5.
			if err := box.IRODS().AddGroup(context.Background(), group); err != nil {
				t.Fatal(err)
			}
		}
		var got struct {
			Made                       string
			Members                    []string
			Before, Read, Write, After []string
			Rights, Inherited          [][]string
			Created, Stolen            string
		}
		python(t, library, "access.py", job{"coll": coll, "group": group}, &got)
		denied, unseen, missing := "CAT_NO_ACCESS_PERMISSION", "CollectionDoesNotExist", "OBJ_PATH_DOES_NOT_EXIST"
		if library == debian {
			missing = "KeyError" // it does not know that number
		}
		want := []struct{ what, got, want string }{
			{"members", fmt.Sprint(got.Members), "[bob]"},
			{"before", fmt.Sprint(got.Before), fmt.Sprint([]string{unseen, missing})},
			{"read", fmt.Sprint(got.Read), fmt.Sprint([]string{"", denied})},
			{"write", fmt.Sprint(got.Write), fmt.Sprint([]string{"", ""})},
			{"rights", fmt.Sprint(got.Rights), "[[ada own] [bob modify_object]]"},
			{"inherited", fmt.Sprint(got.Inherited), "[[ada own] [bob read_object] [" + group + " modify_object]]"},
			{"created by the group", got.Created, ""},
			{"rights taken", got.Stolen, denied},
		}
		for _, w := range want {
			if w.got != w.want {
				t.Errorf("%s: got %s, want %s", w.what, w.got, w.want)
			}
		}
		if (got.Made != "") != (library == debian) {
			t.Errorf("making a group: %q", got.Made)
		}
	})
}

func TestTickets(t *testing.T) {
	var got struct {
		Without, Text, Anonymous, Refused, Unknown, Gone string
		Limited, Listed                                  []string
	}
	names := []string{"peersReads", "peersWrites"}
	python(t, newest, "tickets.py", job{"coll": home + "/" + t.Name(), "tickets": names}, &got)
	if got.Text != "by ticket" || got.Anonymous != "by ticket" {
		t.Errorf("read with a ticket: %q, %q", got.Text, got.Anonymous)
	}
	if got.Without == "" || got.Refused == "" || got.Unknown == "" {
		t.Errorf("refused as %q without one, %q writing with one for reading, %q with an unknown one", got.Without, got.Refused, got.Unknown)
	}
	if fmt.Sprint(got.Limited) != "[ CAT_TICKET_USES_EXCEEDED CAT_TICKET_USES_EXCEEDED]" {
		t.Errorf("limited to one use: %q", got.Limited)
	}
	if !slices.Equal(got.Listed, names) || got.Gone == "" {
		t.Errorf("listed %q; the removed one is refused as %q", got.Listed, got.Gone)
	}
}

func TestProxies(t *testing.T) {
	libraries(t, func(t *testing.T, library, coll string) {
		var got struct {
			Who, Owner, Denied string
			Rows               []string
			NotAdmin           string `json:"not_admin"`
			Unknown            string
		}
		python(t, library, "proxy.py", job{"coll": coll}, &got)
		// So an iRODS 5 refuses to make a collection with those above it.
		denied := "SYS_INVALID_INPUT_PARAM"
		if library == debian {
			denied = "KeyError" // it does not know that number
		}
		if got.Who != user || got.Owner != user || !slices.Equal(got.Rows, []string{"f"}) || got.Denied != denied {
			t.Errorf("acting for %s: %+v", user, got)
		}
		if got.NotAdmin != "SYS_PROXYUSER_NO_PRIV" || got.Unknown != "CAT_INVALID_CLIENT_USER" {
			t.Errorf("refused as %q by one who is no administrator, %q for an unknown one", got.NotAdmin, got.Unknown)
		}
	})
}

func TestLogins(t *testing.T) {
	libraries(t, func(t *testing.T, library, _ string) {
		got := map[string]string{}
		// The older one knows neither PAM nor today's TLS.
		python(t, library, "login.py", job{"coll": home, "newest": library == newest}, &got)
		want := map[string]string{
			"plain": home, "sealed": home, "pam": home,
			"wrong": "CAT_INVALID_AUTHENTICATION", "wrong_pam": "PAM_AUTH_PASSWORD_FAILED", "unknown": "CAT_INVALID_USER",
		}
		if library == debian {
			want["sealed"], want["pam"], want["wrong_pam"] = "", "", ""
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
