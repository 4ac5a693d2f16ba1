package transfer

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"

	"omerods/fs/tree"
)

func TestHostileZips(t *testing.T) {
	p := newTestPack(t)
	type entry struct {
		zip.FileHeader
		content string
		raw     bool
	}
	build := func(entries ...entry) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, n := range p.names(true) {
			f, err := w.Create(n)
			if err != nil {
				t.Fatal(err)
			}
			f.Write(p.files[n])
		}
		for _, e := range entries {
			create := w.CreateHeader
			if e.raw {
				create = w.CreateRaw
			}
			f, err := create(&e.FileHeader)
			if err != nil {
				t.Fatal(err)
			}
			f.Write([]byte(e.content))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	link := entry{FileHeader: zip.FileHeader{Name: "D1/l"}, content: "/etc/passwd"}
	link.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	good := build()
	overlap := bytes.Clone(good)
	// The second entry of the directory is made to begin where the first does.
	at := bytes.Index(overlap, []byte("PK\x01\x02"))
	second := at + 4 + bytes.Index(overlap[at+4:], []byte("PK\x01\x02"))
	copy(overlap[second+42:second+46], overlap[at+42:at+46])
	damaged := bytes.Clone(good)
	damaged[bytes.Index(damaged, []byte("D1/a.tif"))+10] ^= 0xff // in the compressed data
	only := func(name, content string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.Create(name)
		f.Write([]byte(content))
		w.Close()
		return b.Bytes()
	}
	for _, r := range []struct {
		name    string
		content []byte
		class   error
		words   []string
	}{
		{"an absolute path", build(entry{FileHeader: zip.FileHeader{Name: "/etc/x"}}), tree.ErrInvalid, []string{"/etc/x"}},
		{"a path out of the pack", build(entry{FileHeader: zip.FileHeader{Name: "../x"}}), tree.ErrInvalid, []string{"../x"}},
		{"backslashes", build(entry{FileHeader: zip.FileHeader{Name: `D1\x`}}), tree.ErrInvalid, []string{"backslash"}},
		{"a symbolic link", build(link), tree.ErrInvalid, []string{"D1/l", "symbolic link"}},
		{"twice", build(entry{FileHeader: zip.FileHeader{Name: "D1/a.tif"}, content: "image a"}), tree.ErrInvalid, []string{"D1/a.tif", "twice"}},
		{"encrypted", build(entry{FileHeader: zip.FileHeader{Name: "D1/e", Flags: 1}, raw: true}), tree.ErrInvalid, []string{"D1/e", "encrypted"}},
		{"no part of the pack", build(entry{FileHeader: zip.FileHeader{Name: "D1/new"}}), tree.ErrNotPermitted, []string{"D1/new"}},
		{"overlapping", overlap, tree.ErrInvalid, []string{"overlap"}},
		{"damaged", damaged, tree.ErrIO, []string{"D1/a.tif"}},
		{"no transfer.xml", only("D1/a.tif", "x"), tree.ErrInvalid, []string{"no transfer.xml"}},
		{"transfer.xml of 1 GB", func() []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			w.CreateRaw(&zip.FileHeader{Name: transferXML, Method: zip.Deflate, UncompressedSize64: 1 << 30, CompressedSize64: 0})
			w.Close()
			return b.Bytes()
		}(), tree.ErrTooLarge, []string{transferXML}},
		{"more than it says", func() []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			f, _ := w.Create(transferXML)
			f.Write(p.files[transferXML])
			content := []byte("image a and more")
			f, _ = w.CreateRaw(&zip.FileHeader{Name: "D1/a.tif", Method: zip.Store, UncompressedSize64: 7, CompressedSize64: uint64(len(content)), CRC32: crc32.ChecksumIEEE(content)})
			f.Write(content)
			w.Close()
			return b.Bytes()
		}(), tree.ErrIO, []string{"D1/a.tif"}},
		{"a bomb", func() []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			f, _ := w.Create("D1/a.tif")
			for range 64 {
				f.Write(make([]byte, 1<<20))
			}
			f, _ = w.Create(transferXML)
			f.Write(p.files[transferXML])
			w.Close()
			return b.Bytes()
		}(), tree.ErrIO, []string{"D1/a.tif", "67108864"}},
		{"a long directory", func() []byte {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for i := range 80_000 {
				w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%0250d", i)})
			}
			w.Close()
			return b.Bytes()
		}(), tree.ErrInvalid, []string{"directory of the zip"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			ls, o := newTestLoads(t), newFakeOMERO()
			ls.cfg.Spool.limit = max(1<<20, int64(len(r.content))+1000)
			err := writeTar(create(t, ls, o, "Kidney.zip"), r.content, 1<<20)
			if !errors.Is(err, r.class) || !mentions(err, r.words...) {
				t.Errorf("got %v, want %v with %q", err, r.class, r.words)
			}
			nothingLeft(t, ls, o, "Kidney.zip")
		})
	}
}
