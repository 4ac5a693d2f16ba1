package omeroview

import (
	"cmp"
	"context"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// PackDocument describes a project, dataset, screen or plate as a pack: what its transfer.xml
// says, and the list of its files.
func (v *View) PackDocument(ctx context.Context, kind omero.Kind, id int64) (*pack.Document, *pack.Manifest, error) {
	a, err := v.account(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := packRef{kind: kind, id: id}
	s, err := a.state(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	// Nothing tells whether the state is the same afterwards, so nothing is left
	// unasked because of it.
	doc, m, err := a.document(ctx, p, nil)
	if err != nil {
		return nil, nil, treeError("describe the pack", err)
	}
	doc.Packed = s.mtime
	return doc, m, nil
}

func (a *account) document(ctx context.Context, p packRef, x *omero.Extent) (*pack.Document, *pack.Manifest, error) {
	g, err := a.gather(ctx, p, x)
	if err != nil {
		return nil, nil, err
	}
	b := newDocument(g)
	b.doc.Origin.Host = a.host()
	b.doc.Origin.Database = a.c.Server().Database
	b.doc.Origin.Server = a.c.Server().Version
	b.doc.Origin.Software, b.doc.Origin.Version = a.v.cfg.Software, a.v.cfg.Version
	return b.doc, b.manifest, nil
}

// nestedPack is a pack within a pack.
type nestedPack struct {
	ref  packRef
	name string // of its folder
}

// nestedPacks lists the packs that a pack holds.
func (a *account) nestedPacks(ctx context.Context, p packRef) ([]nestedPack, error) {
	kind := innerKind[p.kind]
	if kind == "" {
		return nil, nil
	}
	list, err := a.inside(ctx, p)
	if err != nil {
		return nil, err
	}
	nested := make([]nestedPack, len(list.order))
	for i, id := range list.order {
		nested[i] = nestedPack{ref: packRef{kind: kind, id: id, nested: true}, name: list.names.names[id]}
	}
	return nested, nil
}

// documenter turns what was gathered into a document and a manifest. It asks
// the server nothing; equal input gives equal output.
type documenter struct {
	g        *gathered
	doc      *pack.Document
	manifest *pack.Manifest

	perms    map[int64]string // of groups
	rois     map[int64][]pack.ID
	settings map[int64][]pack.Rendering
	taken    map[int64]*omero.ImageSettings
	parts    map[pack.ID]bool // of the instruments, these and the experiments
	scopes   map[int64]*omero.Instrument
	// planesNoted says that some plane has annotations.
	planesNoted bool
	pixels      map[int64]*omero.Pixels
	in          map[int64][]omero.Image // by dataset or plate
	owners      map[packRef][]int64     // annotations by what they are linked to
	noteByID    map[int64]*omero.Annotation

	placed    map[int64]bool   // filesets that have a place
	places    map[int64]string // the first path of exported images, by image
	attached  map[int64]string // the first path of attached files, by file
	filePaths map[int64][]string
	folders   map[int64]string
}

func newDocument(g *gathered) *documenter {
	b := &documenter{g: g, doc: &pack.Document{}, manifest: &pack.Manifest{},
		perms: make(map[int64]string), rois: make(map[int64][]pack.ID), settings: make(map[int64][]pack.Rendering),
		parts: make(map[pack.ID]bool), pixels: make(map[int64]*omero.Pixels),
		in: make(map[int64][]omero.Image), owners: make(map[packRef][]int64), noteByID: make(map[int64]*omero.Annotation),
		placed: make(map[int64]bool), places: make(map[int64]string), attached: make(map[int64]string),
		filePaths: make(map[int64][]string), folders: make(map[int64]string)}
	b.index()
	b.files()
	b.people()
	b.containers()
	b.platesAndScreens()
	b.acquisition()
	b.images()
	b.filesets()
	b.leftOut()
	b.regions()
	b.listFolders()
	b.annotations()
	b.thumbnails()
	return b
}

func (b *documenter) index() {
	byID := make(map[int64]omero.Image, len(b.g.shown))
	for _, im := range b.g.shown {
		byID[im.ID] = im
	}
	for _, m := range b.g.members {
		if im, ok := byID[m.ID]; ok {
			b.in[m.Parent] = append(b.in[m.Parent], im)
		}
	}
	for i := range b.g.pixels {
		if p := &b.g.pixels[i]; b.pixels[p.Image] == nil {
			b.pixels[p.Image] = p
		}
	}
	for _, r := range b.g.rois {
		b.rois[r.Image] = append(b.rois[r.Image], pack.NewID(pack.KindROI, r.ID))
	}
	for _, r := range b.g.settings {
		b.settings[r.Image] = append(b.settings[r.Image], packRendering(r))
	}
	b.taken, b.scopes = make(map[int64]*omero.ImageSettings, len(b.g.taken.images)), b.g.taken.instrumentsByID()
	for i := range b.g.taken.images {
		b.taken[b.g.taken.images[i].ID] = &b.g.taken.images[i]
	}
	for i := range b.g.notes {
		b.noteByID[b.g.notes[i].ID] = &b.g.notes[i]
	}
	for _, l := range b.g.links {
		of := packRef{kind: l.Kind, id: l.Parent}
		b.owners[of] = append(b.owners[of], l.Annotation)
		b.planesNoted = b.planesNoted || l.Kind == omero.KindPlaneInfo
	}
	for _, gr := range b.g.groups {
		b.perms[gr.ID] = gr.Permissions
	}
	slices.SortFunc(b.g.datasets, func(x, y omero.Container) int { return cmp.Compare(x.ID, y.ID) })
}

// file adds a file to the manifest.
func (b *documenter) file(f pack.File) { b.manifest.Files = append(b.manifest.Files, f) }

func (b *documenter) generated(path string) {
	b.file(pack.File{Path: path, Size: -1, Kind: pack.Generated})
}

// files gives everything its place: the manifest, in the order of listings.
func (b *documenter) files() {
	b.generated(sumsName)
	b.generated(readmeName)
	kind := innerKind[b.g.ref.kind]
	if kind == "" {
		b.attachments("", b.notesOf(b.g.ref))
		b.shelf("", b.g.object.ID)
		return
	}
	b.attachments("", b.withNotes(append(slices.Clone(b.owners[b.g.ref]), b.notesOfReagents(b.g.ref)...)))
	inner := b.g.datasets
	if b.g.plates != nil {
		inner = plateContainers(b.g.plates.plates)
	}
	names := newContainerList(inner, projectRules).names.names
	for _, d := range inner {
		dir := names[d.ID] + "/"
		b.generated(dir + transferName)
		b.generated(dir + sumsName)
		b.generated(dir + readmeName)
		b.attachments(dir, b.notesOf(packRef{kind: kind, id: d.ID}))
		b.shelf(dir, d.ID)
	}
}

// shelf gives the files of the images of a dataset or plate their places. Those
// of a fileset or image that has one already in an older one are the same as
// there.
func (b *documenter) shelf(dir string, of int64) {
	s := b.g.binaries.shelf(b.in[of], datasetRules)
	for _, it := range s.items {
		if it.gone() {
			continue
		}
		path := dir + s.names.names[it.id]
		if it.fileset == nil {
			b.file(pack.File{Path: path, Size: newTIFF(it.image, it.pixels).size(), Required: true, SameAs: b.places[it.id],
				MediaType: tiffMediaType, Kind: pack.Exported, Image: pack.NewID(pack.KindImage, it.id)})
			if b.places[it.id] == "" {
				b.places[it.id] = path
			}
			continue
		}
		b.filesetFiles(path, it)
	}
}

func (b *documenter) filesetFiles(path string, it *item) {
	id := it.fileset.ID
	first := !b.placed[id]
	if first {
		b.placed[id] = true
		if it.folder() {
			b.folders[id] = path
		}
	}
	for i, e := range it.fileset.Entries {
		p := path
		if it.folder() {
			p += "/" + it.paths[i]
		}
		same := ""
		if first {
			b.filePaths[id] = append(b.filePaths[id], p)
		} else {
			same = b.filePaths[id][i]
		}
		b.file(pack.File{Path: p, Size: e.File.Size, Hash: e.File.Hash, Algorithm: e.File.Hasher, MediaType: e.File.Mimetype,
			Required: true, SameAs: same, Kind: pack.Original, Fileset: pack.NewID(pack.KindFileset, id), Entry: i})
	}
}
