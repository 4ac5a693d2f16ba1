package transfer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// meddled makes tars of a good pack in which one thing is wrong.
type meddled struct {
	t *testing.T
	p testPack
}

// tar writes members: names of the pack's files, or headers with a content.
func (m meddled) tar(members ...any) []byte {
	m.t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, x := range members {
		switch x := x.(type) {
		case string:
			header(m.t, w, &tar.Header{Typeflag: tar.TypeReg, Name: x, Size: int64(len(m.p.files[x])), Mode: 0o644})
			w.Write(m.p.files[x])
		case *tar.Header:
			header(m.t, w, x)
			w.Write(make([]byte, x.Size))
		case []byte: // as it is, in whole blocks
			if err := w.Flush(); err != nil {
				m.t.Fatal(err)
			}
			b.Write(x)
		case func(*tar.Writer):
			x(w)
		}
	}
	if err := w.Close(); err != nil {
		m.t.Fatal(err)
	}
	return b.Bytes()
}

// with is the whole pack with members between transfer.xml and the files, or
// in front of all.
func (m meddled) with(first bool, members ...any) []byte {
	m.t.Helper()
	rest := []any{}
	for _, n := range m.p.names(true)[1:] {
		rest = append(rest, n)
	}
	if first {
		return m.tar(slices.Concat(members, []any{transferXML}, rest)...)
	}
	return m.tar(slices.Concat([]any{transferXML}, members, rest)...)
}

func file(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644}
}

func special(flag byte, name, link string) *tar.Header {
	return &tar.Header{Typeflag: flag, Name: name, Linkname: link, Mode: 0o644}
}

// rawHeader is a block that package tar would not write.
func rawHeader(name string, size string, flag byte) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:136], size)
	copy(b[136:], "00000000000\x00")
	copy(b[148:], "        ")
	b[156] = flag
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func TestHostileTars(t *testing.T) {
	p := newTestPack(t)
	m := meddled{t, p}
	bomb := `<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><OME>&b;</OME>`
	xml := func(text string) func(*tar.Writer) {
		return func(w *tar.Writer) {
			header(t, w, file(transferXML, int64(len(text))))
			w.Write([]byte(text))
		}
	}
	changed := func(name string, content string) func(*tar.Writer) {
		return func(w *tar.Writer) {
			header(t, w, file(name, int64(len(content))))
			w.Write([]byte(content))
		}
	}
	var zipped bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	gz.Write(m.with(false))
	gz.Close()

	type row struct {
		name    string
		content []byte
		class   error
		words   []string
		late    bool // only the close can tell
	}
	var rows []row
	for _, first := range []bool{false, true} {
		when := map[bool]string{false: " after transfer.xml", true: " before transfer.xml"}[first]
		add := func(name string, class error, words []string, members ...any) {
			rows = append(rows, row{name: name + when, content: m.with(first, members...), class: class, words: words})
		}
		add("an absolute path", tree.ErrInvalid, []string{"/etc/passwd", "not relative"}, file("/etc/passwd", 3))
		add("a path out of the pack", tree.ErrInvalid, []string{"../x", "not clean"}, file("../x", 3))
		add("a path out of the pack, hidden", tree.ErrInvalid, []string{"D1/../../x"}, file("D1/../../x", 3))
		add("a path with a dot in it", tree.ErrInvalid, []string{"D1/./a.tif"}, file("D1/./a.tif", 3))
		add("a folder out of the pack", tree.ErrInvalid, []string{"../D"}, special(tar.TypeDir, "../D/", ""))
		add("backslashes", tree.ErrInvalid, []string{`D1\\a.tif`, "backslash"}, file(`D1\a.tif`, 3))
		add("a control character", tree.ErrInvalid, []string{`a\nb`}, file("a\nb", 3))
		add("no UTF-8", tree.ErrInvalid, []string{"control character or no UTF-8"}, rawHeader("D1/\xff", "00000000000\x00", '0'))
		add("a long name", tree.ErrInvalid, []string{"longer than 255"}, file("D1/"+strings.Repeat("n", 300), 3))
		add("a long path", tree.ErrInvalid, []string{"more than 4096"}, file(strings.Repeat("n/", 3000)+"n", 3))
		add("no name", tree.ErrInvalid, []string{"empty"}, rawHeader("", "00000000000\x00", '0'))
		add("a symbolic link", tree.ErrInvalid, []string{"D1/l", "symbolic link"}, special(tar.TypeSymlink, "D1/l", "/etc/passwd"))
		add("a character device", tree.ErrInvalid, []string{"D1/d", "device"}, special(tar.TypeChar, "D1/d", ""))
		add("a block device", tree.ErrInvalid, []string{"D1/d", "device"}, special(tar.TypeBlock, "D1/d", ""))
		add("a pipe", tree.ErrInvalid, []string{"D1/p", "pipe"}, special(tar.TypeFifo, "D1/p", ""))
		add("an unknown type", tree.ErrInvalid, []string{"D1/v", "unknown type"}, rawHeader("D1/v", "00000000000\x00", 'V'))
		add("a hard link", tree.ErrInvalid, []string{"D1/l", "D1/a.tif"}, special(tar.TypeLink, "D1/l", "D1/a.tif"))
		add("a hard link to elsewhere", tree.ErrInvalid, []string{"/etc/passwd"}, special(tar.TypeLink, "D1/l", "/etc/passwd"))
		add("an old sparse file", tree.ErrInvalid, nil, rawHeader("D1/s", "00000000000\x00", 'S'))
		add("a new sparse file", tree.ErrInvalid, []string{"sparse"}, []byte(paxSparse(t)))
		add("a negative size", tree.ErrInvalid, nil, rawHeader("D1/a.tif", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", '0'))
		add("a size beyond all numbers", tree.ErrInvalid, nil, rawHeader("D1/a.tif", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", '0'))
		add("a header of 2 GB", tree.ErrInvalid, []string{"too long"}, rawHeader("PaxHeader/x", "17777777777\x00", 'x'), make([]byte, 2<<20))
		add("a name of 2 GB", tree.ErrInvalid, []string{"too long"}, rawHeader("././@LongLink", "17777777777\x00", 'L'), make([]byte, 2<<20))
		add("a damaged header", tree.ErrInvalid, []string{"damaged"}, bytes.Repeat([]byte("x"), 512))
		add("a global header with a path", tree.ErrInvalid, []string{"global header", "path"},
			&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"path": "x"}})
		add("a member twice", tree.ErrInvalid, []string{"D1/a.tif", "twice"}, "D1/a.tif")
		add("other capitals", tree.ErrInvalid, []string{"D1/A.tif", "D1/a.tif", "differs only"}, file("D1/A.tif", 7))
		add("no part of the pack", tree.ErrNotPermitted, []string{"D1/new.tif", "no part"}, file("D1/new.tif", 7))
		add("a folder where a file is", tree.ErrInvalid, []string{"D1/a.tif", "folder"}, special(tar.TypeDir, "D1/a.tif/", ""))
	}
	entities := make([]any, 0, 8)
	for _, n := range p.names(true)[1:] {
		if n != "D1/a.tif" {
			entities = append(entities, n)
		}
	}
	rows = append(rows,
		row{name: "a file where a folder is, before", content: m.with(true, file("D1", 3)), class: tree.ErrNotPermitted, words: []string{`"D1"`, "no part"}},
		row{name: "a file below a file", content: m.tar(file("x", 1), file("x/y", 1)), class: tree.ErrInvalid, words: []string{"x/y", "is a file"}},
		row{name: "transfer.xml twice", content: m.tar(transferXML, xml("<OME/>")), class: tree.ErrInvalid, words: []string{transferXML, "twice"}},
		row{name: "transfer.xml as a link", content: m.tar(special(tar.TypeLink, transferXML, "x")), class: tree.ErrInvalid, words: []string{transferXML}},
		row{name: "an entity bomb", content: m.tar(xml(bomb)), class: tree.ErrInvalid, words: []string{transferXML}},
		row{name: "deep XML", content: m.tar(xml("<OME>" + strings.Repeat("<a>", 100_000))), class: tree.ErrInvalid, words: []string{"deep"}},
		row{name: "no XML", content: m.tar(xml("hello")), class: tree.ErrInvalid, words: []string{transferXML}},
		row{name: "another document", content: m.tar(xml("<html/>")), class: tree.ErrInvalid, words: []string{"html"}},
		row{name: "transfer.xml of 1 GB", content: rawHeader(transferXML, "10000000000\x00", '0'), class: tree.ErrTooLarge, words: []string{transferXML, "1073741824"}},
		row{name: "transfer.xml that is cut off", content: append(rawHeader(transferXML, "00000010000\x00", '0'), p.files[transferXML][:512]...), class: tree.ErrIncomplete, words: []string{transferXML}, late: true},
		row{name: "half of transfer.xml", content: append(rawHeader(transferXML, "00000001000\x00", '0'), p.files[transferXML][:512]...), class: tree.ErrInvalid, words: []string{transferXML}},
		row{name: "another size", content: m.tar(transferXML, changed("D1/a.tif", "image")), class: tree.ErrIO, words: []string{"D1/a.tif", "5 bytes", "7"}},
		row{name: "another size, before", content: m.tar(changed("D1/a.tif", "image"), transferXML), class: tree.ErrIO, words: []string{"D1/a.tif", "5 bytes", "7"}},
		row{name: "another content", content: m.tar(transferXML, changed("D1/a.tif", "image b")), class: tree.ErrIO, words: []string{"D1/a.tif", "sum"}},
		row{name: "another content, before", content: m.tar(changed("D1/a.tif", "image b"), transferXML), class: tree.ErrIO, words: []string{"D1/a.tif", "sum"}},
		row{name: "a file is missing", content: m.tar(append([]any{transferXML}, entities...)...), class: tree.ErrIncomplete, words: []string{"D1/a.tif", "missing"}, late: true},
		row{name: "a size that goes beyond the end", content: append(m.tar(transferXML), rawHeader("D1/a.tif", "77777777777\x00", '0')...), class: tree.ErrIncomplete, late: true},
		row{name: "no transfer.xml", content: m.tar("D1/a.tif"), class: tree.ErrInvalid, words: []string{"no transfer.xml"}, late: true},
		row{name: "a folder for transfer.xml", content: m.tar(special(tar.TypeDir, transferXML+"/", "")), class: tree.ErrInvalid, words: []string{transferXML, "no file"}},
		row{name: "a folder around the pack", content: m.tar(func(w *tar.Writer) {
			header(t, w, file("Kidney/transfer.xml", 0))
		}), class: tree.ErrInvalid, words: []string{"no transfer.xml"}, late: true},
		row{name: "nothing", content: m.tar(), class: tree.ErrInvalid, words: []string{"no transfer.xml"}, late: true},
		row{name: "a compressed tar", content: zipped.Bytes(), class: tree.ErrInvalid, words: []string{"gzip"}},
		row{name: "a text", content: []byte(strings.Repeat("This is no tar. ", 100)), class: tree.ErrInvalid, words: []string{"neither a tar nor a zip"}},
		row{name: "too much before transfer.xml", content: m.tar(file("D9/a.tif", 2<<20), transferXML), class: tree.ErrNoSpace, words: []string{"D9/a.tif"}},
	)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			ls, o := newTestLoads(t), newFakeOMERO()
			h := create(t, ls, o, "Kidney.tar")
			var err error
			for off := 0; off < len(r.content) && err == nil; off += 512 {
				_, err = h.WriteAt(testContext(), r.content[off:min(off+512, len(r.content))], int64(off))
			}
			if (err == nil) != r.late {
				t.Errorf("writing: got %v, want an error: %v", err, !r.late)
			}
			closed := h.Flush(testContext())
			if err == nil {
				err = closed
			}
			if !errors.Is(err, r.class) || !mentions(err, r.words...) {
				t.Errorf("got %v, want %v with %q", err, r.class, r.words)
			}
			if closed == nil {
				t.Error("the close succeeds")
			}
			h.Release(testContext())
			nothingLeft(t, ls, o, "Kidney.tar")
		})
	}
}

// paxSparse is a sparse member as GNU tar writes it today.
func paxSparse(t testing.TB) string {
	records := ""
	for _, r := range []string{"GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=D1/s", "GNU.sparse.realsize=1048576"} {
		n := len(r) + 3
		if n+len(fmt.Sprint(n)) > n+2 {
			n++
		}
		for len(fmt.Sprintf("%d %s\n", n, r)) != n {
			n++
			if n > 1000 {
				t.Fatal("no length")
			}
		}
		records += fmt.Sprintf("%d %s\n", n, r)
	}
	block := make([]byte, 512)
	copy(block, records)
	sparseMap := make([]byte, 512)
	copy(sparseMap, "1\n0\n0\n")
	return string(rawHeader("PaxHeaders/s", fmt.Sprintf("%011o\x00", len(records)), 'x')) + string(block) +
		string(rawHeader("GNUSparseFile.0/s", "00000001000\x00", '0')) + string(sparseMap)
}

// TestHardLinksOfTheSame loads packs in which a fileset is listed at two
// places, in all orders in which a tar may have them.
func TestHardLinksOfTheSame(t *testing.T) {
	p := newTestPack(t)
	p.manifest.Files = append(p.manifest.Files, pack.File{Path: "D2/a.tif", Size: 7, SameAs: "D1/a.tif", Kind: pack.Original, Fileset: "Fileset:1"})
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.manifest); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML], p.files["D2/a.tif"] = b.Bytes(), p.files["D1/a.tif"]
	m := meddled{t, p}
	others := []any{"D1/b.fileset/x.vsi", "D1/b.fileset/y.ets", "D2/c.tif", "attachments/note.txt"}
	link := func(name, to string) any { return special(tar.TypeLink, name, to) }
	for name, pair := range map[string][]any{
		"the wanted one and a link":  {"D1/a.tif", link("D2/a.tif", "D1/a.tif")},
		"the other one and a link":   {"D2/a.tif", link("D1/a.tif", "D2/a.tif")},
		"both":                       {"D1/a.tif", "D2/a.tif"},
		"both, the other one first":  {"D2/a.tif", "D1/a.tif"},
		"the wanted one alone":       {"D1/a.tif"},
		"the other one alone":        {"D2/a.tif"},
		"with a dot before the name": {"D1/a.tif", link("./D2/a.tif", "./D1/a.tif")},
	} {
		for where, members := range map[string][]any{
			"after":  slices.Concat([]any{transferXML}, pair, others),
			"before": slices.Concat(pair, []any{transferXML}, others),
		} {
			ls, o := newTestLoads(t), newFakeOMERO()
			if err := writeTar(create(t, ls, o, "Kidney.tar"), m.tar(members...), 4096); err != nil {
				t.Errorf("%s, %s transfer.xml: %v", name, where, err)
				continue
			}
			p.checkLoaded(t, o)
		}
	}
	for name, members := range map[string][]any{
		"before its target":     slices.Concat([]any{transferXML, link("D2/a.tif", "D1/a.tif")}, others),
		"to another file":       slices.Concat([]any{transferXML, "D1/b.fileset/x.vsi", link("D2/a.tif", "D1/b.fileset/x.vsi")}, others),
		"to itself":             {transferXML, link("D1/a.tif", "D1/a.tif")},
		"to a file that is not": {transferXML, link("D2/a.tif", "D3/a.tif")},
	} {
		ls, o := newTestLoads(t), newFakeOMERO()
		if err := writeTar(create(t, ls, o, "Kidney.tar"), m.tar(members...), 4096); !errors.Is(err, tree.ErrInvalid) || !mentions(err, "link to") {
			t.Errorf("a link %s: got %v", name, err)
		}
		nothingLeft(t, ls, o, "Kidney.tar")
	}
}

// TestManyMembersBeforeTransferXML has more members than are kept.
func TestManyMembersBeforeTransferXML(t *testing.T) {
	ls, o := newTestLoads(t), newFakeOMERO()
	h := create(t, ls, o, "Kidney.tar")
	var err error
	block := make([]byte, 0, 512*1000)
	for i := 0; i < maxEarly+1000 && err == nil; {
		block = block[:0]
		for range 1000 {
			block = append(block, rawHeader(fmt.Sprintf("d/%d", i), "00000000000\x00", '0')...)
			i++
		}
		_, err = h.WriteAt(testContext(), block, int64(512*(i-1000)))
	}
	if !errors.Is(err, tree.ErrInvalid) || !mentions(err, "before transfer.xml") {
		t.Errorf("got %v, want an error that says how many are too many", err)
	}
	h.Release(testContext())
	nothingLeft(t, ls, o, "Kidney.tar")
}
