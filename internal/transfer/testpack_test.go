package transfer

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"omerods/internal/pack"
)

// testPack is a small pack of a project with two datasets.
type testPack struct {
	doc      *pack.Document
	manifest *pack.Manifest
	files    map[string][]byte // all, transfer.xml included
}

func newTestPack(t testing.TB) testPack {
	t.Helper()
	p := testPack{files: map[string][]byte{
		"D1/a.tif": []byte("image a"), "D1/b.fileset/x.vsi": []byte("main"), "D1/b.fileset/y.ets": []byte("more"),
		"D2/c.tif": bytes.Repeat([]byte("c"), 100000), "attachments/note.txt": []byte("note"),
	}}
	sum := func(name string) string { s := sha1.Sum(p.files[name]); return hex.EncodeToString(s[:]) }
	entry := func(name string) pack.Entry {
		return pack.Entry{ClientPath: "home/" + name, Path: name, Size: int64(len(p.files[name])), Hash: sum(name), Algorithm: pack.SHA1}
	}
	img := func(id, fs pack.ID, name string, series int) pack.Image {
		return pack.Image{ID: id, Name: name, Fileset: fs, Series: series, Pixels: &pack.Pixels{
			SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint8", Order: "XYZCT"}}
	}
	p.doc = &pack.Document{
		Origin:   pack.Origin{Host: "omero.test", Database: "db-1", Object: "Project:7", Name: "Kidney", Owner: "Experimenter:2"},
		Users:    []pack.User{{ID: "Experimenter:2", Login: "ada"}},
		Projects: []pack.Project{{ID: "Project:7", Name: "Kidney", Datasets: []pack.ID{"Dataset:1", "Dataset:2"}}},
		Datasets: []pack.Dataset{
			{ID: "Dataset:1", Name: "D1", Images: []pack.ID{"Image:1", "Image:2", "Image:3"}},
			{ID: "Dataset:2", Name: "D2", Images: []pack.ID{"Image:4"}},
		},
		Images: []pack.Image{
			img("Image:1", "Fileset:1", "a", 0), img("Image:2", "Fileset:2", "b [1]", 0),
			img("Image:3", "Fileset:2", "b [2]", 1), img("Image:4", "Fileset:3", "c", 0),
		},
		Filesets: []pack.Fileset{
			{ID: "Fileset:1", Entries: []pack.Entry{entry("D1/a.tif")}, Images: []pack.ID{"Image:1"}},
			{ID: "Fileset:2", Folder: "D1/b.fileset", Entries: []pack.Entry{entry("D1/b.fileset/x.vsi"), entry("D1/b.fileset/y.ets")},
				Images: []pack.ID{"Image:2", "Image:3"}},
			{ID: "Fileset:3", Entries: []pack.Entry{entry("D2/c.tif")}, Images: []pack.ID{"Image:4"}},
		},
		Annotations: []pack.Annotation{
			{ID: "Annotation:1", Kind: pack.TagAnnotation, Text: "published"},
			{ID: "Annotation:2", Kind: pack.MapAnnotation, Namespace: "ns", Pairs: []pack.Pair{{Key: "stain", Value: "DAPI"}, {Key: "empty", Value: ""}}},
			{ID: "Annotation:3", Kind: pack.FileAnnotation, File: &pack.Attachment{ID: "OriginalFile:9", Name: "note.txt", Path: "attachments/note.txt",
				Size: 4, Hash: sum("attachments/note.txt"), Algorithm: pack.SHA1}},
		},
		Links: []pack.Link{{From: "Project:7", To: "Annotation:1"}, {From: "Image:1", To: "Annotation:2"}, {From: "Project:7", To: "Annotation:3"}},
	}
	p.manifest = &pack.Manifest{}
	file := func(f pack.File) { p.manifest.Files = append(p.manifest.Files, f) }
	for _, name := range []string{"D1/a.tif", "D1/b.fileset/x.vsi", "D1/b.fileset/y.ets", "D2/c.tif"} {
		fs := pack.ID("Fileset:1")
		n := 0
		switch {
		case strings.HasPrefix(name, "D1/b"):
			fs = "Fileset:2"
			if strings.HasSuffix(name, "y.ets") {
				n = 1
			}
		case strings.HasPrefix(name, "D2"):
			fs = "Fileset:3"
		}
		file(pack.File{Path: name, Size: int64(len(p.files[name])), Hash: sum(name), Algorithm: pack.SHA1, Required: true, Kind: pack.Original, Fileset: fs, Entry: n})
	}
	file(pack.File{Path: "attachments/note.txt", Size: 4, Hash: sum("attachments/note.txt"), Algorithm: pack.SHA1, Required: true, Kind: pack.Attached, Annotation: "Annotation:3"})
	for _, name := range []string{"D1/transfer.xml", "D2/transfer.xml"} {
		p.files[name] = []byte("<nested " + name + "/>")
		file(pack.File{Path: name, Size: -1, Kind: pack.Generated})
	}
	file(pack.File{Path: pack.SumsFile, Size: -1, Kind: pack.Generated})
	var b bytes.Buffer
	if err := pack.Encode(&b, p.doc, p.manifest); err != nil {
		t.Fatal(err)
	}
	p.files[transferXML] = b.Bytes()
	var sums bytes.Buffer
	given := []pack.Sum{{Path: transferXML, SHA1: sum(transferXML)}, {Path: "D1/transfer.xml", SHA1: sum("D1/transfer.xml")}, {Path: "D2/transfer.xml", SHA1: sum("D2/transfer.xml")}}
	if err := pack.WriteSums(&sums, p.manifest, given...); err != nil {
		t.Fatal(err)
	}
	p.files[pack.SumsFile] = sums.Bytes()
	return p
}

// names lists the files with transfer.xml at a place of the order.
func (p testPack) names(transferFirst bool) []string {
	names := slices.Sorted(maps.Keys(p.files))
	names = slices.DeleteFunc(names, func(n string) bool { return n == transferXML })
	if transferFirst {
		return append([]string{transferXML}, names...)
	}
	return append(names, transferXML)
}
