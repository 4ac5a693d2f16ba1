package check

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"omerods/internal/pack"
)

func checked(t *testing.T, path string) *Report {
	t.Helper()
	r, err := Pack(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// forms are the pack as a folder, as tars of all kinds, and as a zip.
func (f files) forms(t *testing.T) map[string]string {
	order := f.order()
	late := slices.Clone(order)
	slices.Reverse(late)
	return map[string]string{
		"folder":                 f.folder(t),
		"tar":                    keep(t, "p.tar", f.tarOf("", order)),
		"tar with ./":            keep(t, "p.tar", f.tarOf("./", order)),
		"tar, transfer.xml last": keep(t, "p.tar", f.tarOf("", late)),
		"zip":                    keep(t, "p.zip", f.zipOf(order)),
		"zip, transfer.xml last": keep(t, "p.zip", f.zipOf(late)),
	}
}

func TestSoundPacks(t *testing.T) {
	for form, path := range project().forms(t) {
		r := checked(t, path)
		if r.Verdict != Sound || len(r.Notes) != 0 || r.Files != 14 || r.Hashed != 6 {
			t.Errorf("%s: %+v", form, r)
		}
		if r.Object != "Project:1" || r.Name != "Kidney" || r.Origin != "omero.example.org" || r.Writer != "omerods 1" {
			t.Errorf("%s: got %+v", form, r)
		}
		if text := r.Text(false); !strings.Contains(text, ": sound (") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: got %q", form, text)
		}
		if text := r.Text(true); text != "" {
			t.Errorf("%s, quiet: got %q", form, text)
		}
	}
}

// Every kind of damage is found in every form of a pack, with its place.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(f files)
		place string
		what  string
	}{
		"a bit of an image":      {func(f files) { f["D1/one.tif"][150_000] ^= 1 }, "D1/one.tif", "SHA1-160"},
		"a bit, MD5":             {func(f files) { f["D1/set.fileset/set.vsi"][0] ^= 4 }, "D1/set.fileset/set.vsi", "MD5-128"},
		"a bit, CRC-32":          {func(f files) { f["D1/set.fileset/sub/x"][3] ^= 128 }, "D1/set.fileset/sub/x", "CRC-32"},
		"a bit of a copy":        {func(f files) { f["D2/one.tif"][1] ^= 1 }, "D2/one.tif", "SHA1-160"},
		"a bit of an attachment": {func(f files) { f["attachments/note.txt"][1] ^= 1 }, "attachments/note.txt", "SHA1-160"},
		"a bit of the page":      {func(f files) { f[pack.ReadmeFile][1] ^= 1 }, pack.ReadmeFile, "SHA1-160"},
		"a bit of a nested name": {func(f files) {
			f["D2/transfer.xml"] = bytes.Replace(f["D2/transfer.xml"], []byte(`Name="one"`), []byte(`Name="onf"`), 1)
		}, "D2/transfer.xml", "SHA1SUMS says"},
		"a bit of the top name": {func(f files) {
			f["transfer.xml"] = bytes.Replace(f["transfer.xml"], []byte(`Name="one"`), []byte(`Name="onf"`), 1)
		}, "transfer.xml", "SHA1SUMS says"},
		"a shorter file":        {func(f files) { f["D1/one.tif"] = f["D1/one.tif"][:299_999] }, "D1/one.tif", "299999 bytes"},
		"a longer file":         {func(f files) { f["D1/set.fileset/empty"] = []byte("x") }, "D1/set.fileset/empty", "1 bytes"},
		"a missing file":        {func(f files) { delete(f, "D1/one.tif") }, "D1/one.tif", "missing"},
		"a missing attachment":  {func(f files) { delete(f, "attachments/note.txt") }, "attachments/note.txt", "missing"},
		"a guest in a fileset":  {func(f files) { f["D1/set.fileset/sub/y.tif"] = []byte("y") }, "D1/set.fileset/sub/y.tif", "none of them"},
		"sums of another file":  {func(f files) { f[pack.SumsFile] = append(f[pack.SumsFile], (strings.Repeat("0", 40) + "  x\n")...) }, pack.SumsFile, `"x"`},
		"sums that are none":    {func(f files) { f[pack.SumsFile] = []byte("hello\n") }, pack.SumsFile, "line 1"},
		"empty sums":            {func(f files) { f["D1/SHA1SUMS"] = nil }, "D1/SHA1SUMS", "does not list"},
		"sums with a way out":   {func(f files) { f[pack.SumsFile] = append(f[pack.SumsFile], (strings.Repeat("0", 40) + "  ../x\n")...) }, pack.SumsFile, "no path"},
		"another nested pack":   {func(f files) { f["D1/transfer.xml"] = f["transfer.xml"] }, "D1/transfer.xml", "Project:1"},
		"no nested pack at all": {func(f files) { f["D1/transfer.xml"] = []byte("<OME/") }, "D1/transfer.xml", "decode"},
		"no XML":                {func(f files) { f["transfer.xml"] = f["transfer.xml"][:len(f["transfer.xml"])/2] }, "transfer.xml", "decode"},
		"a reference to nothing": {func(f files) {
			f["transfer.xml"] = bytes.Replace(f["transfer.xml"], []byte(`<DatasetRef ID="Dataset:2"`), []byte(`<DatasetRef ID="Dataset:3"`), 1)
		}, "transfer.xml", "Dataset:3"},
		"an image that is no fileset's": {func(f files) {
			f["transfer.xml"] = bytes.ReplaceAll(f["transfer.xml"], []byte(`Fileset="Fileset:2"`), []byte(`Fileset="Fileset:1"`))
		}, "transfer.xml", "Fileset:"},
	} {
		f := project()
		c.do(f)
		for form, path := range f.forms(t) {
			r := checked(t, path)
			found := slices.ContainsFunc(r.Problems, func(p Finding) bool { return p.Place == c.place && strings.Contains(p.What, c.what) })
			if r.Verdict != NotSound || r.Verdict.ExitCode() != 1 || !found {
				t.Errorf("%s, %s: %s, problems %q, failures %q", name, form, r.Verdict, r.Problems, r.Failures)
			}
			if !strings.HasPrefix(r.Text(true), path+": "+r.Problems[0].Place+": ") {
				t.Errorf("%s, %s: got %q", name, form, r.Text(true))
			}
		}
	}
}

// What a pack can do without is noted.
func TestNotesAreNoProblems(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(f files)
		want Finding
	}{
		"no page":       {func(f files) { delete(f, pack.ReadmeFile) }, Finding{pack.ReadmeFile, "it is missing; the pack can do without"}},
		"no thumbnails": {func(f files) { delete(f, "thumbnails/1.jpg") }, Finding{"thumbnails/1.jpg", "it is missing; the pack can do without"}},
		"no sums":       {func(f files) { delete(f, pack.SumsFile) }, Finding{pack.SumsFile, "it is missing; the pack can do without"}},
		"no copy":       {func(f files) { delete(f, "D2/one.tif") }, Finding{"D2/one.tif", `it is missing; "D1/one.tif" has the same content`}},
		"another file":  {func(f files) { f["D1/.DS_Store"] = []byte("x") }, Finding{"D1/.DS_Store", "it is no part of the pack"}},
	} {
		f := project()
		c.do(f)
		for form, path := range f.forms(t) {
			if r := checked(t, path); r.Verdict != Sound || !slices.Equal(r.Notes, []Finding{c.want}) {
				t.Errorf("%s, %s: %s, %q", name, form, r.Verdict, append(r.Problems, r.Notes...))
			}
		}
	}
}

// An archive that ends early, wherever, is never sound.
func TestCutOffArchives(t *testing.T) {
	f := project()
	tarred, zipped := f.tarOf("", f.order()), f.zipOf(f.order())
	for n := 0; n < len(tarred)-2048; n += 4999 {
		if r := checked(t, keep(t, "p.tar", tarred[:n])); r.Verdict == Sound || n > 512 && r.Verdict != NotSound && r.Object != "" {
			t.Errorf("tar cut at %d of %d: %s, %q", n, len(tarred), r.Verdict, r.Problems)
		}
	}
	for n := 0; n < len(zipped); n += 997 {
		if r := checked(t, keep(t, "p.zip", zipped[:n])); r.Verdict == Sound {
			t.Errorf("zip cut at %d of %d: %s", n, len(zipped), r.Verdict)
		}
	}
	r := checked(t, keep(t, "p.tar", tarred[:len(tarred)-100_000]))
	if r.Verdict != NotSound || !slices.ContainsFunc(r.Problems, func(p Finding) bool { return p.Place != "" && strings.Contains(p.What, "cut off") }) {
		t.Errorf("got %q", r.Problems)
	}
}

// A flipped bit anywhere in an archive that matters is found.
func TestFlippedBits(t *testing.T) {
	f := project()
	for name, data := range map[string][]byte{"p.tar": f.tarOf("", f.order()), "p.zip": f.zipOf(f.order())} {
		at := bytes.Index(data, []byte("oneone"))
		if name == "p.zip" {
			at = bytes.Index(data, []byte("D1/one.tif")) + 40
		}
		data[at] ^= 2
		if r := checked(t, keep(t, name, data)); r.Verdict != NotSound || !strings.HasPrefix(r.Text(true), r.Pack+": D1/one.tif: ") {
			t.Errorf("%s: %s, %q", name, r.Verdict, r.Text(true))
		}
	}
}

func TestHostileTars(t *testing.T) {
	f := project()
	for name, c := range map[string]struct {
		member      tar.Header
		place, what string
	}{
		"a way out":       {tar.Header{Typeflag: tar.TypeReg, Name: "../x"}, "../x", "unsafe path"},
		"an absolute one": {tar.Header{Typeflag: tar.TypeReg, Name: "/etc/x"}, "/etc/x", "unsafe path"},
		"a folder out":    {tar.Header{Typeflag: tar.TypeDir, Name: "D1/../../y/"}, "../y", "unsafe path"},
		"a symbolic link": {tar.Header{Typeflag: tar.TypeSymlink, Name: "D1/l", Linkname: "/etc/passwd"}, "D1/l", "a symbolic link"},
		"a device":        {tar.Header{Typeflag: tar.TypeChar, Name: "D1/d"}, "D1/d", "a device"},
		"a pipe":          {tar.Header{Typeflag: tar.TypeFifo, Name: "D1/p"}, "D1/p", "a pipe"},
		"twice":           {tar.Header{Typeflag: tar.TypeReg, Name: "D1/one.tif", Size: 3}, "D1/one.tif", "twice"},
		"transfer twice":  {tar.Header{Typeflag: tar.TypeReg, Name: "./transfer.xml", Size: 3}, "transfer.xml", "twice"},
	} {
		r := checked(t, keep(t, "p.tar", f.tarOf("", f.order(), c.member)))
		if !slices.ContainsFunc(r.Problems, func(p Finding) bool { return p.Place == c.place && strings.Contains(p.What, c.what) }) || r.Verdict != NotSound {
			t.Errorf("%s: %s, %q", name, r.Verdict, r.Problems)
		}
	}
	// A second name of a file stands for its content.
	delete(f, "D2/one.tif")
	link := tar.Header{Typeflag: tar.TypeLink, Name: "D2/one.tif", Linkname: "D1/one.tif"}
	if r := checked(t, keep(t, "p.tar", f.tarOf("", f.order(), link))); r.Verdict != Sound || len(r.Notes) != 0 {
		t.Errorf("a link to the same: %s, %q", r.Verdict, append(r.Problems, r.Notes...))
	}
	for _, to := range []string{"D1/set.fileset/sub/x", "/etc/passwd", "D2/one.tif", "nothing"} {
		link.Linkname = to
		if r := checked(t, keep(t, "p.tar", f.tarOf("", f.order(), link))); r.Verdict != NotSound || !strings.HasPrefix(r.Text(true), r.Pack+": D2/one.tif: ") {
			t.Errorf("a link to %s: %s, %q", to, r.Verdict, r.Problems)
		}
	}
}

// Nothing outside of a folder is looked at, and nothing in it waits.
func TestHostileFolders(t *testing.T) {
	outside := keep(t, "x", []byte(strings.Repeat("one", 100_000)))
	for name, make := range map[string]func(p string) error{
		"a symbolic link": func(p string) error { return os.Symlink(outside, p) },
		"a pipe":          func(p string) error { return syscall.Mkfifo(p, 0o644) },
	} {
		dir := project().folder(t)
		p := filepath.Join(dir, "D1", "one.tif")
		if err := errors.Join(os.Remove(p), make(p)); err != nil {
			t.Fatal(err)
		}
		if r := checked(t, dir); r.Verdict != NotSound || !slices.Contains(r.Problems, Finding{"D1/one.tif", "it is " + name}) {
			t.Errorf("%s: %s, %q", name, r.Verdict, r.Problems)
		}
	}
	dir := project().folder(t)
	if err := errors.Join(os.Rename(filepath.Join(dir, "D1"), filepath.Join(t.TempDir(), "D1")), os.Symlink("/", filepath.Join(dir, "D1"))); err != nil {
		t.Fatal(err)
	}
	if r := checked(t, dir); r.Verdict != NotSound || !slices.Contains(r.Problems, Finding{"D1", "it is a symbolic link"}) {
		t.Errorf("a folder as a link: %s, %q", r.Verdict, r.Problems)
	}
}

func TestWhatIsNoPack(t *testing.T) {
	f := project()
	xml := f[pack.TransferXML]
	delete(f, pack.TransferXML)
	newer := project()
	newer[pack.TransferXML] = bytes.Replace(xml, []byte(`Version="1.0"`), []byte(`Version="2.0"`), 1)
	paths := newer.forms(t)
	for form, p := range f.forms(t) {
		paths["nothing, "+form] = p
	}
	paths["an empty file"] = keep(t, "x", nil)
	paths["a text"] = keep(t, "x", []byte("hello"))
	paths["the document"] = keep(t, "transfer.xml", xml)
	paths["compressed"] = keep(t, "x.tar.gz", []byte("\x1f\x8b\x08"))
	paths["nothing at all"] = filepath.Join(t.TempDir(), "x")
	paths["a device"] = "/dev/null"
	for name, p := range paths {
		r := checked(t, p)
		if r.Verdict != Unchecked || r.Verdict.ExitCode() != 2 || len(r.Failures) == 0 || r.Failures[0].What == "" {
			t.Errorf("%s: %s, problems %q, failures %q", name, r.Verdict, r.Problems, r.Failures)
		}
	}
}

func TestReportsAsJSON(t *testing.T) {
	f := project()
	delete(f, "D1/one.tif")
	data, err := json.Marshal(checked(t, f.folder(t)))
	var got struct {
		Verdict, Object string
		Problems        []struct{ Place, What string }
	}
	if err := errors.Join(err, json.Unmarshal(data, &got)); err != nil {
		t.Fatal(err)
	}
	if got.Verdict != "not sound" || got.Object != "Project:1" || len(got.Problems) != 1 || got.Problems[0].Place != "D1/one.tif" {
		t.Errorf("got %s", data)
	}
	if line := (Finding{"a\nb\x1b[2J", "x"}).String(); strings.ContainsAny(line, "\n\x1b") {
		t.Errorf("got %q", line)
	}
}

// A check that is interrupted has no verdict.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := project().folder(t)
	if r, err := Pack(ctx, path, Options{Progress: func(p Progress) {
		if p.Bytes > 1000 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", r, err)
	}
}

// Each byte is read once, and the one who waits is told.
func TestProgress(t *testing.T) {
	for form, path := range project().forms(t) {
		var last Progress
		r, err := Pack(t.Context(), path, Options{Progress: func(p Progress) { last = p }})
		if err != nil {
			t.Fatal(err)
		}
		if !last.Done || last.Bytes != r.Bytes || last.Total <= 0 {
			t.Errorf("%s: %+v, %d bytes", form, last, r.Bytes)
		}
	}
}

// What the packs inside a pack say is kept until all has been read, so it is
// bounded: archives may hold any number of them.
func TestListsWithoutEnd(t *testing.T) {
	for form, path := range project().forms(t) {
		r, err := Pack(t.Context(), path, Options{mostKept: 20})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != NotSound || !strings.Contains(r.Text(false), "more than 20 lines") {
			t.Errorf("%s: got %s", form, r.Text(false))
		}
	}
}
