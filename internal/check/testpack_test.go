package check

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/pack"
)

// files are the files of a pack by their paths.
type files map[string][]byte

func hexSHA1(b []byte) string { s := sha1.Sum(b); return hex.EncodeToString(s[:]) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// project makes the pack of a project with two datasets, a fileset of several
// files whose sums are of several kinds, one that both datasets show, an
// attachment, and all that is generated.
func project() files {
	out := files{
		"D1/one.tif":             []byte(strings.Repeat("one", 100_000)),
		"D1/set.fileset/set.vsi": []byte("the first"),
		"D1/set.fileset/sub/x":   []byte("the second"),
		"D1/set.fileset/empty":   {},
		"D2/one.tif":             []byte(strings.Repeat("one", 100_000)),
		"attachments/note.txt":   []byte("attached"),
		pack.ReadmeFile:          []byte("<!DOCTYPE html>"),
		"thumbnails/1.jpg":       []byte("a picture"),
	}
	doc, m := describe1(out, "")
	out.put(pack.TransferXML, doc, m)
	sums := []pack.Sum{{Path: pack.TransferXML, SHA1: hexSHA1(out[pack.TransferXML])}}
	for _, dir := range []string{"D1", "D2"} {
		nested, nm := describe1(out, dir)
		out.put(dir+"/"+pack.TransferXML, nested, nm)
		sum := hexSHA1(out[dir+"/"+pack.TransferXML])
		out.putSums(dir+"/"+pack.SumsFile, nm, pack.Sum{Path: pack.TransferXML, SHA1: sum})
		sums = append(sums, pack.Sum{Path: dir + "/" + pack.TransferXML, SHA1: sum})
	}
	out.putSums(pack.SumsFile, m, sums...)
	return out
}

func (f files) put(path string, d *pack.Document, m *pack.Manifest) {
	var b bytes.Buffer
	if err := pack.Encode(&b, d, m); err != nil {
		panic(err)
	}
	f[path] = b.Bytes()
}

func (f files) putSums(path string, m *pack.Manifest, given ...pack.Sum) {
	var b bytes.Buffer
	if err := pack.WriteSums(&b, m, given...); err != nil {
		panic(err)
	}
	f[path] = b.Bytes()
}

// describe1 describes the project, or the dataset in one of its folders.
func describe1(f files, only string) (*pack.Document, *pack.Manifest) {
	d, m := &pack.Document{}, &pack.Manifest{}
	d.Origin = pack.Origin{Host: "omero.example.org", Object: "Project:1", Name: "Kidney", Software: "omerods", Version: "1"}
	if only != "" {
		d.Origin.Object, d.Origin.Name = pack.ID("Dataset:"+only[1:]), only
	} else {
		d.Projects = []pack.Project{{ID: "Project:1", Name: "Kidney", Datasets: []pack.ID{"Dataset:1", "Dataset:2"}}}
	}
	rel := func(p string) string { return strings.TrimPrefix(p, only+"/") }
	sum := map[string]func([]byte) (string, string){
		"D1/one.tif": func(b []byte) (string, string) { return pack.SHA1, hexSHA1(b) },
		"D1/set.fileset/set.vsi": func(b []byte) (string, string) {
			s := md5.Sum(b)
			return "MD5-128", hex.EncodeToString(s[:])
		},
		"D1/set.fileset/sub/x": func(b []byte) (string, string) { return "CRC-32", fmt.Sprintf("%08x", crc32.ChecksumIEEE(b)) },
	}
	sum["D2/one.tif"], sum["attachments/note.txt"] = sum["D1/one.tif"], sum["D1/one.tif"]
	add := func(p string, file pack.File) pack.Entry {
		file.Path, file.Size, file.Required = rel(p), int64(len(f[p])), true
		if s := sum[p]; s != nil {
			file.Algorithm, file.Hash = s(f[p])
		}
		m.Files = append(m.Files, file)
		return pack.Entry{Path: file.Path, ClientPath: p, Size: file.Size, Hash: file.Hash, Algorithm: file.Algorithm}
	}
	generated := func(p string) {
		m.Files = append(m.Files, pack.File{Path: p, Size: -1, Kind: pack.Generated})
	}
	generated(pack.SumsFile)
	if only == "" {
		readme := f[pack.ReadmeFile]
		m.Files = append(m.Files, pack.File{Path: pack.ReadmeFile, Size: int64(len(readme)), Algorithm: pack.SHA1, Hash: hexSHA1(readme), Kind: pack.Generated})
		generated("thumbnails/1.jpg")
		e := add("attachments/note.txt", pack.File{Kind: pack.Attached, Annotation: "Annotation:1"})
		d.Annotations = []pack.Annotation{{ID: "Annotation:1", Kind: pack.FileAnnotation,
			File: &pack.Attachment{ID: "OriginalFile:9", Name: "note.txt", Path: e.Path, Size: e.Size, Hash: e.Hash, Algorithm: e.Algorithm}}}
		d.Links = []pack.Link{{From: "Project:1", To: "Annotation:1"}}
		for _, dir := range []string{"D1", "D2"} {
			generated(dir + "/" + pack.TransferXML)
			generated(dir + "/" + pack.SumsFile)
		}
	}
	px := &pack.Pixels{SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint8", Order: "XYZCT"}
	one := pack.Fileset{ID: "Fileset:1", Images: []pack.ID{"Image:1"}}
	d.Images = []pack.Image{{ID: "Image:1", Name: "one", Fileset: "Fileset:1", Pixels: px}}
	switch only {
	case "", "D1":
		one.Entries = []pack.Entry{add("D1/one.tif", pack.File{Kind: pack.Original, Fileset: "Fileset:1"})}
		set := pack.Fileset{ID: "Fileset:2", Folder: rel("D1/set.fileset"), Images: []pack.ID{"Image:2"}}
		for i, name := range []string{"set.vsi", "sub/x", "empty"} {
			set.Entries = append(set.Entries, add("D1/set.fileset/"+name, pack.File{Kind: pack.Original, Fileset: "Fileset:2", Entry: i}))
		}
		d.Images = append(d.Images, pack.Image{ID: "Image:2", Name: "set", Fileset: "Fileset:2", Pixels: px})
		d.Datasets = []pack.Dataset{{ID: "Dataset:1", Name: "D1", Images: []pack.ID{"Image:1", "Image:2"}}}
		d.Filesets = []pack.Fileset{one, set}
		if only == "" {
			add("D2/one.tif", pack.File{Kind: pack.Original, Fileset: "Fileset:1", SameAs: "D1/one.tif"})
			d.Datasets = append(d.Datasets, pack.Dataset{ID: "Dataset:2", Name: "D2", Images: []pack.ID{"Image:1"}})
		}
	default:
		one.Entries = []pack.Entry{add("D2/one.tif", pack.File{Kind: pack.Original, Fileset: "Fileset:1"})}
		d.Filesets = []pack.Fileset{one}
		d.Datasets = []pack.Dataset{{ID: "Dataset:2", Name: "D2", Images: []pack.ID{"Image:1"}}}
	}
	return d, m
}

// order lists the paths, transfer.xml first.
func (f files) order() []string {
	paths := slices.Sorted(maps.Keys(f))
	i := slices.Index(paths, pack.TransferXML)
	if i < 0 {
		return paths
	}
	return append([]string{pack.TransferXML}, slices.Delete(paths, i, i+1)...)
}

func (f files) folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for p, data := range f {
		full := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// keep writes an archive and returns its path.
func keep(t *testing.T, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// tarOf makes a tar of the files in that order, and of further members.
func (f files) tarOf(prefix string, order []string, more ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, p := range order {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: prefix + p, Size: int64(len(f[p])), Mode: 0o644}); err != nil {
			panic(err)
		}
		must(w.Write(f[p]))
	}
	for _, h := range more {
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		must(w.Write(make([]byte, h.Size)))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (f files) zipOf(order []string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, p := range order {
		must(io.Copy(must(w.Create(p)), bytes.NewReader(f[p])))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
