package check

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file holds, the check ends with a verdict, and what is found of
// it is found again.
func FuzzArchives(f *testing.F) {
	small := foreign()
	f.Add(small.tarOf("./", small.order()))
	f.Add(small.zipOf(small.order()))
	ours := project()
	delete(ours, "D1/one.tif")
	delete(ours, "D2/one.tif")
	f.Add(ours.tarOf("", ours.order()))
	f.Add(ours.zipOf(ours.order()))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := filepath.Join(t.TempDir(), "p")
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, again := checked(t, p), checked(t, p)
		if r.Verdict == "" || r.Text(false) != again.Text(false) {
			t.Errorf("got %q, then %q", r.Text(false), again.Text(false))
		}
		if r.Verdict != Sound && len(r.Problems)+len(r.Failures) == 0 {
			t.Errorf("%s, and no reason", r.Verdict)
		}
	})
}
