package omero_test

import (
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
)

// Files say when they were changed and what their sum is, where a client says
// so; what it leaves out, and sums that OMERO does not know, stay.
func TestChangeFiles(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	var before []omero.OriginalFile
	for range 3 {
		f, err := c.UploadFile(ctx, omero.FileSpec{Name: "f", Path: "p/", Mimetype: "text/plain"}, strings.NewReader("x"))
		check(t, err)
		list, err := c.OriginalFiles(ctx, []int64{f.ID})
		check(t, err)
		before = append(before, list...)
	}
	when := time.Date(1999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	check(t, c.ChangeFiles(ctx, []omero.FileChange{
		{ID: before[0].ID, Modified: when},
		{ID: before[1].ID, Hash: "9dd4e461268c8034f5c8564e155c67a6", Hasher: "MD5-128"},
		{ID: before[2].ID, Hash: "0", Hasher: "of nobody"},
	}))
	want := before
	want[0].Modified = when
	want[1].Hash, want[1].Hasher = "9dd4e461268c8034f5c8564e155c67a6", "MD5-128"
	for _, f := range want {
		got, err := c.OriginalFiles(ctx, []int64{f.ID})
		check(t, err)
		if len(got) != 1 || got[0] != f {
			t.Errorf("got %+v, want %+v", got, f)
		}
	}
	if err := c.ChangeFiles(ctx, []omero.FileChange{{ID: 1 << 40, Modified: when}}); err == nil {
		t.Error("a file that is not there was changed")
	}
}
