package check

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"omerods/internal/pack"
)

// Bounds of what is kept in memory.
const (
	mostSumsBytes = 64 << 20  // of a SHA1SUMS
	mostEarly     = 1_000_000 // files of an archive before its transfer.xml
	mostExtra     = 100       // files that are no part of the pack that are named
	mostKept      = 4_000_000 // lines of all lists of files in the pack, but for that of its transfer.xml
)

// got is what was found of a file.
type got struct {
	size int64
	sums sums
	bad  bool // something is known to be wrong with it
}

// inner is the transfer.xml of a pack inside the pack.
type inner struct {
	object   pack.ID
	images   []pack.ID
	manifest *pack.Manifest
	err      error // why it cannot be used
}

// listing is a SHA1SUMS.
type listing struct {
	sums []pack.Sum
	err  error // what is wrong with the line behind them
}

// checker gathers what the files of a pack are and compares that with what its
// transfer.xml says.
type checker struct {
	ctx   context.Context
	r     *Report
	opts  Options
	total int64
	read  int64
	now   string // the file that is read
	buf   []byte

	doc      *pack.Document // nil until transfer.xml has come
	manifest *pack.Manifest // nil for packs of others
	broken   bool           // transfer.xml cannot be used
	expected map[string]*pack.File
	sets     map[string]pack.ID // filesets by their folders
	folders  map[string]int     // of packs of others: files in folders that are imported whole

	found  map[string]*got    // those of the pack; before transfer.xml all
	listed map[string]listing // by folder
	inner  map[string]inner   // by folder
	kept   int                // lines of both
	extra  int
}

func newChecker(ctx context.Context, r *Report, opts Options) *checker {
	return &checker{ctx: ctx, r: r, opts: opts, buf: make([]byte, 1<<20), found: make(map[string]*got),
		listed: make(map[string]listing), inner: make(map[string]inner)}
}

// visit takes a file of the pack.
func (c *checker) visit(e entry) error {
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	if err := pack.CheckPath(e.path); err != nil {
		c.r.problem(e.path, "%v", err)
		return nil
	}
	if e.err != nil {
		c.found[e.path] = &got{bad: true}
		c.r.fail(e.path, reason(e.err))
		return nil
	}
	if e.flaw != "" {
		c.found[e.path] = &got{bad: true}
		c.r.problem(e.path, "%s", e.flaw)
		return nil
	}
	if c.found[e.path] != nil {
		c.r.problem(e.path, "it is there twice")
		return nil
	}
	if c.doc != nil && !c.wanted(e.path) {
		c.surplus(e.path)
		return nil
	}
	if c.doc == nil && len(c.found) == mostEarly {
		c.r.fail("", "the first million files hold no "+pack.TransferXML)
		return errStop
	}
	if e.link != "" {
		c.linked(e)
		return nil
	}
	return c.take(e)
}

// wanted says whether a file is part of the pack, as far as that is known.
func (c *checker) wanted(p string) bool {
	if p == pack.TransferXML || p == pack.SumsFile || c.expected[p] != nil {
		return true
	}
	return c.inFolder(p)
}

// inFolder notes a file in a folder that is imported whole.
func (c *checker) inFolder(p string) bool {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if _, ok := c.folders[dir]; ok {
			c.folders[dir]++
			return true
		}
	}
	return false
}

// surplus notes a file that is no part of the pack.
func (c *checker) surplus(p string) {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if id, ok := c.sets[dir]; ok {
			c.r.problem(p, "it lies among the files of %s, and is none of them", id)
			return
		}
	}
	if c.extra++; c.extra <= mostExtra {
		c.r.note(p, "it is no part of the pack")
	}
}

// linked takes a second name of a file that has come.
func (c *checker) linked(e entry) {
	g := c.found[e.link]
	if g == nil {
		g = &got{bad: true}
		c.r.problem(e.path, "it is a link to %q, which is no file of the pack before it", e.link)
	}
	c.found[e.path] = g
}

// take reads a file.
func (c *checker) take(e entry) error {
	g := &got{size: e.size}
	c.found[e.path] = g
	c.now = e.path
	f := c.expected[e.path]
	if f != nil && f.Size >= 0 && f.Size != e.size {
		return nil // it is another file, so its content does not matter
	}
	r, err := e.open()
	if err != nil {
		g.bad = true
		c.unread(e.path, err)
		return nil
	}
	in := &reader{c: c, r: r}
	sum := newSummer(c.algorithms(f))
	all := io.TeeReader(io.LimitReader(in, e.size+1), sum) // a file may grow
	stop := c.content(e.path, in, all)
	if stop == nil {
		_, err = io.CopyBuffer(io.Discard, all, c.buf)
	}
	if err = errors.Join(in.err, err, r.Close()); err != nil {
		if err := context.Cause(c.ctx); err != nil {
			return err
		}
		g.bad = true
		c.unread(e.path, err)
		return stop
	}
	c.r.Files++
	c.r.Bytes += in.n
	g.size, g.sums = in.n, sum.sums()
	return stop
}

// unread says that a file could not be read to its end: it is damaged, or
// nobody can tell.
func (c *checker) unread(p string, err error) {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) && c.r.Container == "tar": // the source says so
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.r.problem(p, "it is cut off")
	case errors.Is(err, zip.ErrChecksum):
		c.r.problem(p, "it is damaged: its content does not have the sum that the archive gives")
	case errors.Is(err, zip.ErrFormat), isCorrupt(err):
		c.r.problem(p, "it is damaged: %v", err)
	default:
		c.r.fail(p, reason(err))
	}
}

// algorithms are the sums that may be asked for of a file. Before transfer.xml
// has come that is any.
func (c *checker) algorithms(f *pack.File) []string {
	switch {
	case c.doc == nil:
		all := make([]string, 0, len(algorithms))
		for name := range algorithms {
			all = append(all, name)
		}
		return all
	case f != nil && f.Algorithm != "":
		return []string{pack.SHA1, f.Algorithm}
	}
	return []string{pack.SHA1}
}

// content reads what of a file says something of others. It returns errStop
// when without it nothing else can be checked.
func (c *checker) content(p string, in *reader, r io.Reader) error {
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case p == pack.TransferXML:
		return c.top(in, r)
	case c.doc != nil && !c.generated(p):
	case name == pack.SumsFile:
		list, err := pack.ReadSums(io.LimitReader(r, mostSumsBytes))
		if over := c.keep(len(list)); over != nil {
			list, err = nil, over
		}
		c.listed[dir] = listing{list, err}
	case name == pack.TransferXML:
		doc, m, err := pack.Decode(r, pack.Limits{})
		n := inner{manifest: m, err: err}
		if err == nil {
			n.object = doc.Origin.Object
			for i := range doc.Images {
				n.images = append(n.images, doc.Images[i].ID)
			}
			files := 0
			if m != nil {
				files = len(m.Files)
			}
			if over := c.keep(files + len(n.images)); over != nil {
				n = inner{err: over}
			}
		}
		c.inner[dir] = n
	}
	return nil
}

// keep counts lines that are kept until everything has been read.
func (c *checker) keep(lines int) error {
	most := cmp.Or(c.opts.mostKept, mostKept)
	if c.kept += lines; c.kept > most {
		return fmt.Errorf("it cannot be compared: the lists of files in the pack have more than %d lines", most)
	}
	return nil
}

// generated says whether a path is that of a file that was made with the pack.
func (c *checker) generated(p string) bool {
	f := c.expected[p]
	return p == pack.SumsFile || f != nil && f.Kind == pack.Generated
}

// top reads the transfer.xml of the pack.
func (c *checker) top(in *reader, r io.Reader) error {
	doc, m, err := pack.Decode(r, pack.Limits{})
	if err != nil {
		c.broken = true
		switch {
		case in.err != nil: // has been said, or will be
		case errors.Is(err, pack.ErrNewer), errors.Is(err, pack.ErrOldPack):
			c.r.fail(pack.TransferXML, err.Error())
		default:
			c.r.problem(pack.TransferXML, "%v", err)
		}
		return errStop
	}
	c.doc, c.manifest = doc, m
	o := doc.Origin
	c.r.Object, c.r.Name, c.r.Origin = string(o.Object), o.Name, o.Host
	c.r.Writer = strings.TrimSpace(o.Software + " " + o.Version)
	c.expect()
	for _, p := range slices.Sorted(mapKeys(c.found)) {
		if !c.wanted(p) {
			if !c.found[p].bad {
				c.surplus(p)
			}
			delete(c.found, p)
		}
	}
	return nil
}

// expect lists what has to be there.
func (c *checker) expect() {
	c.expected, c.folders = make(map[string]*pack.File), make(map[string]int)
	if c.manifest != nil {
		c.expected = c.manifest.ByPath()
		if c.total == 0 {
			for _, f := range c.manifest.Files {
				c.total += max(f.Size, 0)
			}
		}
		c.sets = make(map[string]pack.ID)
		for i := range c.doc.Filesets {
			if f := &c.doc.Filesets[i]; f.Folder != "" {
				c.sets[f.Folder] = f.ID
			}
		}
	} else {
		for _, imp := range c.doc.ImportPlan() {
			if imp.Folder {
				c.folders[imp.Path] = 0
			}
			for _, e := range imp.Entries {
				c.expected[e.Path] = &pack.File{Path: e.Path, Size: -1, Required: true, Kind: pack.Original}
			}
		}
		for i := range c.doc.Annotations {
			if f := c.doc.Annotations[i].File; f != nil && f.Path != "" && c.expected[f.Path] == nil {
				c.expected[f.Path] = &pack.File{Path: f.Path, Size: -1, Required: true, Kind: pack.Attached}
			}
		}
	}
	c.collisions()
}

// collisions names files that other systems would take for one.
func (c *checker) collisions() {
	seen := make(map[string]string, len(c.expected))
	for _, p := range slices.Sorted(mapKeys(c.expected)) {
		folded := strings.ToLower(norm.NFC.String(p))
		if other := seen[folded]; other != "" {
			c.r.note(p, "where case or composed characters do not count it is the same name as %q", other)
			continue
		}
		seen[folded] = p
	}
}
