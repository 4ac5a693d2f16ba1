package transfer

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"omerods/internal/pack"
)

// maxAVU bounds a name or value of iRODS metadata, in bytes; its columns hold
// 2700 characters.
const maxAVU = 2600

// avuText is a text as iRODS can hold and transport it: control characters
// become the pictures of them, and what XML has no place for a mark. It is for
// finding; the pack has the text itself.
func avuText(s string) string {
	return clip(strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n':
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0xfffe, r == 0xffff:
			return 0xfffd
		}
		return r
	}, s), maxAVU)
}

// maxFileAVUs bounds what one file is found by: the file of a plate may stand for
// thousands of images, each with pairs of its own. transfer.xml has them all.
const maxFileAVUs = 1000

// originAVUs say what a collection is a save of.
func originAVUs(doc *pack.Document, version string) []AVU {
	o := doc.Origin
	avus := []AVU{
		{Name: "omerods::origin", Value: o.Host},
		{Name: "omerods::database", Value: o.Database},
		{Name: "omerods::kind", Value: o.Object.Kind()},
		{Name: "omerods::id", Value: o.Object.Key()},
		{Name: "omerods::name", Value: avuText(o.Name)},
		{Name: "omerods::version", Value: version},
	}
	if n := len(doc.LeftOut); n > 0 {
		avus = append(avus, AVU{Name: "omerods::left-out", Value: strconv.Itoa(n), Units: "images"})
	}
	if u := doc.User(o.Owner); u != nil {
		avus = append(avus, AVU{Name: "omerods::owner", Value: u.Login})
	}
	// iRODS refuses empty values.
	return slices.DeleteFunc(avus, func(a AVU) bool { return a.Value == "" })
}

// finalAVUs are the marks of a finished save, and what it is found by.
func (sv *save) finalAVUs() []AVU {
	sv.mu.Lock()
	files, bytes := sv.record.FilesDone, sv.record.BytesDone
	sv.mu.Unlock()
	avus := append([]AVU{
		{Name: avuSave, Value: sv.id},
		{Name: "omerods::time", Value: sv.of.cfg.Now().UTC().Format(time.RFC3339)},
		{Name: "omerods::files", Value: strconv.Itoa(files)},
		{Name: "omerods::bytes", Value: strconv.FormatInt(bytes, 10)},
	}, originAVUs(sv.doc, sv.of.cfg.Version)...)
	return append(avus, sv.of.mine()...)
}

// describe turns an object's tags and key-value pairs into metadata.
func describe(doc *pack.Document, object pack.ID, notes map[pack.ID]*pack.Annotation) []AVU {
	var avus []AVU
	add := func(name, value, units string) {
		a := AVU{Name: avuText(omeroPrefix + name), Value: avuText(value), Units: avuText(units)}
		if value != "" && !slices.Contains(avus, a) {
			avus = append(avus, a)
		}
	}
	for _, l := range doc.Links {
		if l.From != object {
			continue
		}
		switch n := notes[l.To]; {
		case n == nil:
		case n.Kind == pack.TagAnnotation:
			add("tag", n.Text, "")
		case n.Kind == pack.MapAnnotation:
			for _, p := range n.Pairs {
				add(p.Key, p.Value, n.Namespace)
			}
		}
	}
	return avus
}

func notesOf(doc *pack.Document) map[pack.ID]*pack.Annotation {
	notes := make(map[pack.ID]*pack.Annotation, len(doc.Annotations))
	for i := range doc.Annotations {
		notes[doc.Annotations[i].ID] = &doc.Annotations[i]
	}
	return notes
}

// describeImages puts the tags and pairs of the pack's object on the
// collection and those of each image on its files, one call per object.
func (sv *save) describeImages(ctx context.Context, coll string) error {
	notes := notesOf(sv.doc)
	if err := sv.describeOne(ctx, coll, describe(sv.doc, sv.doc.Origin.Object, notes)); err != nil {
		return err
	}
	byPath := map[string][]AVU{}
	for i := range sv.doc.Images {
		img := &sv.doc.Images[i]
		avus := describe(sv.doc, img.ID, notes)
		if len(avus) == 0 {
			continue
		}
		for _, p := range imagePaths(sv.doc, img) {
			byPath[p] = append(byPath[p], avus...)
		}
	}
	// What an earlier save has left is asked for all files at once; most have
	// none.
	have, err := sv.of.cfg.Archive.AVUsBelow(ctx, coll, omeroPrefix)
	if err != nil {
		return err
	}
	sv.mu.Lock()
	here := map[string]bool{}
	for rel, e := range sv.expected {
		if e.here {
			here[rel] = true
		}
	}
	sv.mu.Unlock()
	for rel := range here {
		p := path.Join(coll, rel)
		avus := byPath[rel]
		slices.SortFunc(avus, compareAVU)
		if avus = slices.Compact(avus); len(avus) > maxFileAVUs {
			sv.of.cfg.Logger.Info("not all tags and pairs of a file's images are put on it", "path", p, "of", len(avus))
			avus = avus[:maxFileAVUs]
		}
		if err := sv.replaceAVUs(ctx, p, have[p], avus); err != nil {
			return err
		}
	}
	return nil
}

func compareAVU(a, b AVU) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	if c := strings.Compare(a.Value, b.Value); c != 0 {
		return c
	}
	return strings.Compare(a.Units, b.Units)
}

// omeroPrefix begins the names of metadata that come from OMERO.
const omeroPrefix = "omero::"

// describeOne makes avus the metadata of one collection or data object that
// come from OMERO.
func (sv *save) describeOne(ctx context.Context, p string, avus []AVU) error {
	have, err := sv.of.cfg.Archive.AVUs(ctx, p)
	if err != nil {
		return err
	}
	have = slices.DeleteFunc(have, func(a AVU) bool { return !strings.HasPrefix(a.Name, omeroPrefix) })
	return sv.replaceAVUs(ctx, p, have, avus)
}

func (sv *save) replaceAVUs(ctx context.Context, p string, have, want []AVU) error {
	if err := sv.of.states.change(ctx, p, have, want); err != nil {
		return fmt.Errorf("describe %s: %w", p, err)
	}
	return nil
}

// imagePaths are the files of the pack that show an image: its own, or the
// first of its fileset, which stands for the set.
func imagePaths(doc *pack.Document, img *pack.Image) []string {
	if img.Fileset == "" {
		if img.Path == "" {
			return nil
		}
		return []string{img.Path}
	}
	for i := range doc.Filesets {
		if fs := &doc.Filesets[i]; fs.ID == img.Fileset && len(fs.Entries) > 0 {
			return []string{fs.Entries[0].Path}
		}
	}
	return nil
}
