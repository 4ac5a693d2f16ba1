package pack

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSumsWithSha1sum lets the real sha1sum check what was written, also for
// names that need escapes.
func TestSumsWithSha1sum(t *testing.T) {
	tool, err := exec.LookPath("sha1sum")
	if err != nil {
		t.Fatalf("sha1sum is a part of every system that this runs on: %v", err)
	}
	dir := t.TempDir()
	sum := func(name string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("content of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
		h := sha1.Sum([]byte("content of " + name))
		return hex.EncodeToString(h[:])
	}
	m := &Manifest{}
	for _, name := range []string{"D/a b.tif", "D/back\\slash", "D/line\nend", " leading", "D/ümlaut [2].tiff"} {
		m.Files = append(m.Files, File{Path: name, Hash: sum(name), Algorithm: SHA1})
	}
	m.Files = append(m.Files,
		File{Path: "other hash", Hash: "900150983cd24fb0d6963f7d28e17f72", Algorithm: "MD5-128"},
		File{Path: "no hash"},
		File{Path: "D/transfer.xml", Hash: "0000000000000000000000000000000000000000", Algorithm: SHA1})
	given := []Sum{{TransferXML, sum(TransferXML)}, {"D/transfer.xml", sum("D/transfer.xml")}}

	var b bytes.Buffer
	if err := WriteSums(&b, m, given...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, SumsFile), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "--strict", "-c", SumsFile)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), ": OK") != 7 {
		t.Errorf("sha1sum: %v\n%s\nof\n%s", err, out, b.String())
	}
	if err := os.WriteFile(filepath.Join(dir, "D/line\nend"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(tool, "-c", SumsFile)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || strings.Count(string(out), "FAILED") != 1 {
		t.Errorf("a changed file passes: %s", out)
	}
	if err := WriteSums(&b, nil, Sum{TransferXML, "ABC"}); err == nil {
		t.Error("a sum that is none was written")
	}
}

// What is written is read back, whatever the names.
func TestReadSums(t *testing.T) {
	var b bytes.Buffer
	want := []Sum{{TransferXML, sha1Zero}, {"a b.tif", sha1Zero}, {"x\ny\\z\\n", sha1Zero}, {"D/ümlaut", sha1Zero}}
	if err := WriteSums(&b, nil, want...); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadSums(&b); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	got, err := ReadSums(strings.NewReader("# by hand\n" + strings.ToUpper(sha1Zero) + " *./x\n\n"))
	if err != nil || !slices.Equal(got, []Sum{{"x", sha1Zero}}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"no sum at all\n", sha1Zero + "\n", sha1Zero + "  \n", sha1Zero[:39] + "g  x\n", strings.Repeat("x", 1<<20)} {
		if list, err := ReadSums(strings.NewReader(sha1Zero + "  y\n" + bad)); err == nil || len(list) != 1 {
			t.Errorf("%q: got %v, %v", clip(bad), list, err)
		}
	}
}
