package check

import (
	"path"
	"slices"
	"strings"

	"omerods/internal/pack"
)

// finish compares what was found with what has to be there.
func (c *checker) finish() {
	if c.doc == nil {
		if !c.broken && c.r.problems+c.r.failures == 0 {
			c.r.fail("", "it is no pack: there is no "+pack.TransferXML+" in it")
		}
		return
	}
	for _, p := range slices.Sorted(mapKeys(c.expected)) {
		c.compare(c.expected[p])
	}
	for _, dir := range slices.Sorted(mapKeys(c.folders)) {
		if c.folders[dir] == 0 {
			c.r.problem(dir, "there are no files in this folder")
		}
	}
	for _, dir := range slices.Sorted(mapKeys(c.inner)) {
		if c.generated(path.Join(dir, pack.TransferXML)) {
			c.nested(dir, c.inner[dir])
		}
	}
	for _, dir := range slices.Sorted(mapKeys(c.listed)) {
		if c.generated(path.Join(dir, pack.SumsFile)) {
			c.compareSums(dir, c.listed[dir])
		}
	}
	for _, w := range c.doc.Warnings {
		c.r.note(pack.TransferXML, "%s", w)
	}
	for _, p := range pack.Problems(c.doc) {
		c.r.note(pack.TransferXML, "omero-cli-transfer may stumble: %s", p)
	}
	for _, l := range c.doc.LeftOut {
		c.r.note(string(l.Image), "it was left out of the pack when that was saved (%s)", l.Reason)
	}
	if c.manifest == nil {
		c.r.note(pack.TransferXML, "it has no sums: only that the files are there was checked")
	}
	if c.extra > mostExtra {
		c.r.note("", "%d files are no part of the pack", c.extra)
	}
}

// compare looks at one file of the manifest.
func (c *checker) compare(f *pack.File) {
	g := c.found[f.Path]
	if g == nil {
		c.missing(f)
		return
	}
	if g.bad {
		return // has been said
	}
	if f.Size >= 0 && g.size != f.Size {
		g.bad = true
		c.r.problem(f.Path, "it has %d bytes, %s says %d", g.size, pack.TransferXML, f.Size)
		return
	}
	if f.SameAs != "" {
		if same := c.expected[f.SameAs]; same.Size != f.Size || same.Algorithm == f.Algorithm && !strings.EqualFold(same.Hash, f.Hash) {
			c.r.problem(f.Path, "%s says that it is the same as %q, and gives them different sums", pack.TransferXML, f.SameAs)
		}
	}
	if f.Hash == "" {
		return
	}
	sum, ok := g.sums[f.Algorithm]
	if !ok {
		c.r.note(f.Path, "its sum is of the unknown kind %q and was not compared", f.Algorithm)
		return
	}
	c.r.Hashed++
	if !sameSum(f.Algorithm, sum, f.Hash) {
		g.bad = true
		c.r.problem(f.Path, "its %s is %x, %s says %s", f.Algorithm, sum, pack.TransferXML, f.Hash)
	}
}

func (c *checker) missing(f *pack.File) {
	switch {
	case f.SameAs != "":
		c.r.note(f.Path, "it is missing; %q has the same content", f.SameAs)
	case f.Required:
		c.r.problem(f.Path, "it is missing")
	default:
		c.r.note(f.Path, "it is missing; the pack can do without")
	}
}

// compareSums compares a SHA1SUMS with the files beside it.
func (c *checker) compareSums(dir string, list listing) {
	file := path.Join(dir, pack.SumsFile)
	if c.found[file].bad {
		return
	}
	if list.err != nil {
		c.r.problem(file, "%v", list.err)
	}
	transfer := false
	for _, s := range list.sums {
		p := path.Join(dir, s.Path)
		transfer = transfer || s.Path == pack.TransferXML
		g := c.found[p]
		switch {
		case pack.CheckPath(s.Path) != nil:
			c.r.problem(file, "it lists %q, which is no path of a pack", s.Path)
		case g == nil && c.expected[p] == nil:
			c.r.problem(file, "it lists %q, which is no part of the pack", s.Path)
		case g == nil || g.bad: // has been said
		case !sameSum(pack.SHA1, g.sums[pack.SHA1], s.SHA1):
			c.r.problem(p, "its SHA-1 is %x, %s says %s", g.sums[pack.SHA1], file, s.SHA1)
		}
	}
	if c.manifest != nil && !transfer && list.err == nil {
		c.r.problem(file, "it does not list %s", path.Join(dir, pack.TransferXML))
	}
}

// nested compares the transfer.xml of a pack inside the pack with that of the
// pack.
func (c *checker) nested(dir string, in inner) {
	place := path.Join(dir, pack.TransferXML)
	if c.found[place].bad {
		return
	}
	if in.err != nil {
		c.r.problem(place, "%v", in.err)
		return
	}
	if in.manifest == nil {
		c.r.problem(place, "it has no manifest, and that of the pack has one")
		return
	}
	ids := make(map[pack.ID]bool, len(c.doc.Images))
	for i := range c.doc.Images {
		ids[c.doc.Images[i].ID] = true
	}
	for i := range c.doc.Datasets {
		ids[c.doc.Datasets[i].ID] = true
	}
	for i := range c.doc.Plates {
		ids[c.doc.Plates[i].ID] = true
	}
	if !ids[in.object] {
		c.r.problem(place, "it is the pack of %s, which is none of the pack's", in.object)
	}
	for _, id := range in.images {
		if !ids[id] {
			c.r.problem(place, "it has %s, which is none of the pack's", id)
		}
	}
	files := in.manifest.ByPath()
	for _, p := range slices.Sorted(mapKeys(files)) {
		a, b := files[p], c.expected[path.Join(dir, p)]
		switch {
		case b == nil:
			c.r.problem(place, "it lists %q, which the pack does not", p)
		case a.Size >= 0 && b.Size >= 0 && a.Size != b.Size, a.Hash != "" && b.Hash != "" && (a.Algorithm != b.Algorithm || !strings.EqualFold(a.Hash, b.Hash)):
			c.r.problem(place, "it has other sums of %q than the pack", p)
		case b.Hash == "" && a.Hash != "":
			whole := *a
			whole.Path, whole.SameAs = b.Path, ""
			if c.found[b.Path] != nil {
				c.compare(&whole)
			}
		}
	}
	for _, p := range slices.Sorted(mapKeys(c.expected)) {
		if rest, ok := strings.CutPrefix(p, dir+"/"); ok && c.expected[p].Kind != pack.Generated && files[rest] == nil {
			c.r.problem(place, "it does not list %q", rest)
		}
	}
}
