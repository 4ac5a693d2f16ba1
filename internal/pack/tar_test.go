package pack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var tarTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// content is what the tests take for the content of a member.
func content(member int, n int64) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(member*31 + i*7)
	}
	return data
}

// tarBytes makes the bytes [off, off+n) of a tar from its pieces.
func tarBytes(t *testing.T, l *TarLayout, off, n int64) []byte {
	t.Helper()
	var out []byte
	for int64(len(out)) < n {
		p := l.At(off + int64(len(out)))
		if p.Len == 0 {
			break
		}
		k := min(p.Len, n-int64(len(out)))
		switch {
		case p.Data != nil:
			if int64(len(p.Data)) != p.Len {
				t.Fatalf("at %d: %d bytes of header, said to be %d", off, len(p.Data), p.Len)
			}
			out = append(out, p.Data[:k]...)
		case p.Member < 0:
			out = append(out, make([]byte, k)...)
		default:
			out = append(out, content(p.Member, l.Members()[p.Member].Size)[p.Off:p.Off+k]...)
		}
	}
	return out
}

func layTar(t *testing.T, members []TarMember) *TarLayout {
	t.Helper()
	l, err := LayTar(members, tarTime)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// randomMembers makes a legal list of members.
func randomMembers(r *rand.Rand) []TarMember {
	parts := []string{"a", "transfer.xml", "Größe", strings.Repeat("x", 90), strings.Repeat("y", 120), "日本語", "with blank", "-n", "é" + strings.Repeat("z", 200)}
	dirs := []string{""}
	var members []TarMember
	var files []string
	seen := map[string]bool{}
	for range 1 + r.IntN(25) {
		p := dirs[r.IntN(len(dirs))] + parts[r.IntN(len(parts))]
		if seen[p] {
			continue
		}
		seen[p] = true
		switch n := r.IntN(8); {
		case n == 0:
			members = append(members, TarMember{Path: p, Dir: true})
			dirs = append(dirs, p+"/")
		case n == 1 && len(files) > 0:
			members = append(members, TarMember{Path: p, Link: files[r.IntN(len(files))]})
		default:
			members = append(members, TarMember{Path: p, Size: []int64{0, 1, 511, 512, 513, r.Int64N(5000)}[r.IntN(6)]})
			files = append(files, p)
		}
	}
	return members
}

// What archive/tar reads is what was laid out, and any piece of a tar is that
// piece of the whole.
func TestTarsReadBack(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for round := range 300 {
		members := randomMembers(r)
		l := layTar(t, members)
		whole := tarBytes(t, l, 0, l.Size())
		if int64(len(whole)) != l.Size() || l.Size()%tarRecord != 0 {
			t.Fatalf("seed %d, round %d: %d bytes, said to be %d", seed, round, len(whole), l.Size())
		}
		tr := tar.NewReader(bytes.NewReader(whole))
		for i, m := range members {
			h, err := tr.Next()
			if err != nil {
				t.Fatalf("seed %d, round %d, %q: %v", seed, round, m.Path, err)
			}
			if strings.TrimSuffix(h.Name, "/") != m.Path || (h.Typeflag == tar.TypeDir) != m.Dir || h.Linkname != m.Link ||
				h.Size != m.Size || !h.ModTime.Equal(tarTime) || h.Uid != 0 || h.Uname != "" {
				t.Fatalf("seed %d, round %d: got %+v, want %+v", seed, round, h, m)
			}
			data, err := io.ReadAll(tr)
			if err != nil || !bytes.Equal(data, content(i, m.Size)) {
				t.Fatalf("seed %d, round %d, %q: %d bytes, %v", seed, round, m.Path, len(data), err)
			}
		}
		if _, err := tr.Next(); err != io.EOF {
			t.Fatalf("seed %d, round %d: behind the last member: %v", seed, round, err)
		}
		for range 20 {
			off := r.Int64N(l.Size() + 100)
			n := r.Int64N(3000)
			want := whole[min(off, l.Size()):min(off+n, l.Size())]
			if got := tarBytes(t, l, off, n); !bytes.Equal(got, want) {
				t.Fatalf("seed %d, round %d: %d bytes at %d differ", seed, round, n, off)
			}
		}
	}
}

// Sizes that ustar has no room for are read as well; nothing is read for it.
func TestTarOfLargeFiles(t *testing.T) {
	members := []TarMember{{Path: "a", Size: tarMaxSize}, {Path: "b", Size: tarMaxSize + 1}, {Path: "c", Size: 5 << 40}, {Path: "d", Size: 3}}
	l := layTar(t, members)
	off := int64(0)
	for i, m := range members {
		data := tarBytes(t, l, off, m.headerBytes())
		h, err := tar.NewReader(bytes.NewReader(data)).Next()
		if err != nil || h.Size != m.Size || h.Name != m.Path {
			t.Fatalf("got %+v, %v; want %+v", h, err, m)
		}
		if pax := m.headerBytes() > tarBlock; pax != (m.Size > tarMaxSize) {
			t.Errorf("%d bytes: a PAX record: %v", m.Size, pax)
		}
		p := l.At(off + m.headerBytes() + m.Size - 1)
		if p.Member != i || p.Len != 1 || p.Off != m.Size-1 {
			t.Errorf("the last byte of %q: got %+v", m.Path, p)
		}
		off += m.headerBytes() + tarBlocks(m.Size)
	}
	if p := l.At(l.Size()); p.Len != 0 {
		t.Errorf("at the end: got %+v", p)
	}
}

// A path that just fits needs no record.
func TestTarNamesAtTheLimit(t *testing.T) {
	for _, tt := range []struct {
		m   TarMember
		pax bool
	}{
		{TarMember{Path: strings.Repeat("n", 100)}, false},
		{TarMember{Path: strings.Repeat("n", 101)}, true},
		{TarMember{Path: strings.Repeat("n", 99), Dir: true}, false},
		{TarMember{Path: strings.Repeat("n", 100), Dir: true}, true},
		{TarMember{Path: "ä"}, true},
	} {
		if got := tt.m.records() != ""; got != tt.pax {
			t.Errorf("%d bytes, folder %v: got %v", len(tt.m.Path), tt.m.Dir, got)
		}
	}
	// The length in a record counts itself, also where that adds a digit.
	for n := 1; n < 2000; n++ {
		var b strings.Builder
		paxRecord(&b, "path", strings.Repeat("x", n))
		if record := b.String(); !strings.HasPrefix(record, strconv.Itoa(len(record))+" path=") {
			t.Fatalf("a record of %d bytes begins with %.12q", len(record), record)
		}
	}
}

func TestTarsThatCannotBe(t *testing.T) {
	for what, members := range map[string][]TarMember{
		"twice":            {{Path: "a"}, {Path: "a"}},
		"before folder":    {{Path: "d/a"}, {Path: "d", Dir: true}},
		"in a file":        {{Path: "d"}, {Path: "d/a"}},
		"link to nothing":  {{Path: "a", Link: "b"}},
		"link to itself":   {{Path: "a", Link: "a"}},
		"link to a later":  {{Path: "a", Link: "b"}, {Path: "b"}},
		"link to a folder": {{Path: "d", Dir: true}, {Path: "a", Link: "d"}},
		"link to a link":   {{Path: "a"}, {Path: "b", Link: "a"}, {Path: "c", Link: "b"}},
		"link with bytes":  {{Path: "a"}, {Path: "b", Link: "a", Size: 1}},
		"folder with size": {{Path: "d", Dir: true, Size: 1}},
		"negative size":    {{Path: "a", Size: -1}},
	} {
		if _, err := LayTar(members, tarTime); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	for _, p := range []string{"", "/a", "../a", "a/../b", "a\x00", "a\nb", `a\b`} {
		if _, err := LayTar([]TarMember{{Path: p}}, tarTime); !errors.Is(err, ErrUnsafePath) {
			t.Errorf("%q: got %v", p, err)
		}
	}
}

// The order of a tar does not depend on that of the manifest, and what is the
// same as an earlier file is a link.
func TestTarFiles(t *testing.T) {
	m := &Manifest{Files: []File{
		{Path: "D/x.tif", Size: 7}, {Path: "attachments/a.pdf", Size: 5}, {Path: "README.html", Size: -1}, {Path: "E/transfer.xml", Size: -1},
		{Path: "E/x.tif", Size: 7, SameAs: "D/x.tif"}, {Path: "thumbnails/1.jpg", Size: -1}, {Path: "SHA1SUMS", Size: -1},
		{Path: "C/z.fileset/sub/1", Size: 1}, {Path: "C/z.fileset/2", Size: 2, SameAs: "F/late"}, {Path: "F/late", Size: 2},
	}}
	var asked []string
	files, err := TarFiles(m, func(p string) (int64, error) {
		asked = append(asked, p)
		return int64(len(asked)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	members := make([]TarMember, len(files))
	for i, f := range files {
		members[i] = f.TarMember
		line := f.Path
		if f.Dir {
			line += "/"
		}
		if f.Link != "" {
			line += " = " + f.Link
		}
		got = append(got, line)
	}
	want := `transfer.xml SHA1SUMS README.html thumbnails/ thumbnails/1.jpg attachments/ attachments/a.pdf D/ D/x.tif E/ E/transfer.xml E/x.tif = D/x.tif ` +
		`C/ C/z.fileset/ C/z.fileset/sub/ C/z.fileset/sub/1 C/z.fileset/2 F/ F/late`
	if all := strings.Join(got, " "); all != want {
		t.Errorf("got  %s\nwant %s", all, want)
	}
	if all := strings.Join(asked, " "); all != "transfer.xml SHA1SUMS README.html thumbnails/1.jpg E/transfer.xml" {
		t.Errorf("asked for %s", all)
	}
	layTar(t, members)
	m.Files[4].Size = 8
	if _, err := TarFiles(m, func(string) (int64, error) { return 0, nil }); !errors.Is(err, ErrInvalid) {
		t.Errorf("files that cannot be the same: got %v", err)
	}
}

// GNU tar takes the tar without a word, and gives back what is in it.
func TestGNUTarReadsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for range 10 {
		members := randomMembers(r)
		l := layTar(t, members)
		dir := t.TempDir()
		cmd := exec.Command("tar", "--extract", "--file=-", "--directory="+dir)
		cmd.Stdin = bytes.NewReader(tarBytes(t, l, 0, l.Size()))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("tar: %v\n%s", err, out)
		}
		for i, m := range members {
			if m.Dir {
				continue
			}
			want := content(i, m.Size)
			for j, to := range members {
				if m.Link == to.Path {
					want = content(j, to.Size)
				}
			}
			if got, err := os.ReadFile(filepath.Join(dir, m.Path)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q: %d bytes, %v", m.Path, len(got), err)
			}
		}
	}
}
