package omeroview

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

const (
	// thumbnailSide is the longer side of a thumbnail in pixels. It is the size
	// that OMERO's own clients ask for, so that the server mostly has it already.
	thumbnailSide = 96
	// thumbnailsAtOnce is how many are asked for when somebody looks at one:
	// whoever copies a pack takes them all.
	thumbnailsAtOnce = 50
)

// thumbnails lists the thumbnails of the pack in the manifest, behind
// README.html. A pack inside another one has none of its own: the page of the
// outer one shows its images.
func (b *documenter) thumbnails() {
	if b.g.ref.nested {
		return
	}
	var files []pack.File
	for _, id := range pack.Pictures(b.doc, pack.MostPictures) {
		files = append(files, pack.File{Path: pack.Picture(id), Size: -1, Kind: pack.Generated})
	}
	at := slices.IndexFunc(b.manifest.Files, func(f pack.File) bool { return f.Path == readmeName })
	b.manifest.Files = slices.Insert(b.manifest.Files, at+1, files...)
}

// hasPictures says whether a pack shows a folder of thumbnails: an empty one
// would be made in a save that has everything. Unless images may be left out
// it asks for no list of them.
func (a *account) hasPictures(ctx context.Context, p packRef) (bool, error) {
	if p.nested {
		return false, nil
	}
	return remember(ctx, a, "hasPictures/"+p.String(), func(ctx context.Context) (bool, error) {
		if !a.v.cfg.SkipRefused {
			some, err := a.c.HasImages(ctx, p.kind, p.id)
			return some, treeError("look for images", err)
		}
		g, err := a.gatherShown(ctx, p, nil)
		if err != nil {
			return false, treeError("look for images", err)
		}
		return len(pack.Pictures(newDocument(g).doc, 1)) > 0, nil
	})
}

// pictureList are the images of a pack that have a thumbnail in it, in one of
// its states.
type pictureList struct {
	state  packState
	Images []int64 `json:"images"` // by id
	Pixels []int64 `json:"pixels"` // of each, 0 when it has none
}

const picturesName = "pictures.json"

// pictures chooses the images, as the document of the same state does.
func (a *account) pictures(ctx context.Context, p packRef) (*pictureList, error) {
	s, err := a.state(ctx, p)
	if err != nil {
		return nil, err
	}
	return rememberMade(ctx, a, "pictures/"+p.String()+"/"+s.name, func(ctx context.Context) (*pictureList, error) {
		l := &pictureList{state: s}
		g, err := a.file(s, picturesName, func(w io.Writer) error {
			if err := a.choosePictures(ctx, p, l); err != nil {
				return treeError("choose thumbnails", err)
			}
			return json.NewEncoder(w).Encode(l)
		})
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(g.path)
		if err != nil {
			return nil, treeError("read a generated file", err)
		}
		if err := json.Unmarshal(data, l); err != nil || len(l.Pixels) != len(l.Images) {
			return nil, tree.Errorf(tree.ErrIO, "the list of thumbnails is damaged: %v", err)
		}
		return l, nil
	})
}

func (a *account) choosePictures(ctx context.Context, p packRef, l *pictureList) error {
	g, err := a.gatherShown(ctx, p, nil)
	if err != nil {
		return err
	}
	for _, id := range pack.Pictures(newDocument(g).doc, pack.MostPictures) {
		if n, ok := id.Number(); ok {
			l.Images = append(l.Images, n)
		}
	}
	pixels, err := a.c.PixelsOf(ctx, l.Images)
	if err != nil {
		return err
	}
	l.Pixels = make([]int64, len(l.Images))
	for _, px := range pixels {
		if i, ok := slices.BinarySearch(l.Images, px.Image); ok && l.Pixels[i] == 0 {
			l.Pixels[i] = px.ID
		}
	}
	return nil
}

// thumbnail returns the thumbnail of an image of a pack, and makes others on
// the way.
func (a *account) thumbnail(ctx context.Context, p packRef, image int64) (generated, error) {
	l, err := a.pictures(ctx, p)
	if err != nil {
		return generated{}, err
	}
	i, ok := slices.BinarySearch(l.Images, image)
	if !ok {
		return generated{}, tree.Errorf(tree.ErrNotFound, "the pack shows no thumbnail of image %d any more", image)
	}
	g, err := readGenerated(l.state, keptPicture(image))
	if !errors.Is(err, fs.ErrNotExist) {
		return g, err
	}
	from := i / thumbnailsAtOnce * thumbnailsAtOnce
	to := min(from+thumbnailsAtOnce, len(l.Images))
	_, err = rememberMade(ctx, a, fmt.Sprintf("thumbnails/%s/%s/%d", p, l.state.name, from), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, a.keepThumbnails(ctx, l, from, to)
	})
	if err != nil {
		return generated{}, err
	}
	g, err = readGenerated(l.state, keptPicture(image))
	return g, treeError("read a thumbnail", err)
}

func keptPicture(image int64) string { return "thumbnail-" + strconv.FormatInt(image, 10) + ".jpg" }

// keepThumbnails asks the server for some thumbnails and keeps them. An image
// that it cannot draw has a blank one: what a folder lists must be there.
func (a *account) keepThumbnails(ctx context.Context, l *pictureList, from, to int) error {
	var pixels []int64
	for _, id := range l.Pixels[from:to] {
		if id != 0 {
			pixels = append(pixels, id)
		}
	}
	drawn, err := a.c.Thumbnails(ctx, pixels, thumbnailSide)
	if err != nil {
		return treeError("ask for thumbnails", err)
	}
	for i := from; i < to; i++ {
		data := drawn[l.Pixels[i]]
		if len(data) == 0 {
			data = blankThumbnail()
		}
		if err := a.v.disk.write(l.state.dir, l.state.name, keptPicture(l.Images[i]), data); err != nil {
			return treeError("keep a thumbnail", err)
		}
	}
	return nil
}

// blankThumbnail is a plain grey picture.
var blankThumbnail = sync.OnceValue(func() []byte {
	img := image.NewGray(image.Rect(0, 0, thumbnailSide, thumbnailSide))
	for i := range img.Pix {
		img.Pix[i] = 0x60
	}
	for i := range thumbnailSide {
		img.SetGray(i, i, color.Gray{0x90})
		img.SetGray(thumbnailSide-1-i, i, color.Gray{0x90})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // of a picture that never changes
	}
	return b.Bytes()
})

// thumbnailsDir holds the thumbnails of a pack. Listing it draws none.
type thumbnailsDir struct {
	node
	pack packRef
}

var (
	_ tree.Dir     = (*thumbnailsDir)(nil)
	_ tree.Remover = (*thumbnailsDir)(nil)
	_ tree.Renamer = (*thumbnailsDir)(nil)
)

func thumbnailsNode(dir node, p packRef) *thumbnailsDir {
	n := dir
	n.key += "/" + thumbnailsName
	return &thumbnailsDir{node: n, pack: p}
}

// Attr gives the folder the time of the object that the pack is of: the time
// of the pack would cost as much as looking at its files.
func (d *thumbnailsDir) Attr(ctx context.Context) (tree.Attr, error) {
	a, err := d.account(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	some, err := a.hasPictures(ctx, d.pack)
	if err == nil && !some {
		err = tree.Errorf(tree.ErrNotFound, "there are no thumbnails any more")
	}
	if err != nil {
		return tree.Attr{}, err
	}
	o, err := remember(ctx, a, "object/"+d.pack.String(), func(ctx context.Context) (omero.Container, error) {
		return a.c.Container(ctx, d.pack.kind, d.pack.id)
	})
	if err != nil {
		return tree.Attr{}, treeError("look at the pack", err)
	}
	return d.dirAttr(o.Updated, modeDir), nil
}

func (d *thumbnailsDir) file(image int64) *thumbnailFile {
	return &thumbnailFile{node: d.child("t", image), pack: d.pack, image: image}
}

func (d *thumbnailsDir) list(ctx context.Context) (*pictureList, error) {
	a, err := d.account(ctx)
	if err != nil {
		return nil, err
	}
	return a.pictures(ctx, d.pack)
}

func pictureName(image int64) string {
	return path.Base(pack.Picture(pack.NewID(pack.KindImage, image)))
}

func (d *thumbnailsDir) Lookup(ctx context.Context, name string) (tree.Node, error) {
	l, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	image, err := strconv.ParseInt(strings.TrimSuffix(name, filepath.Ext(name)), 10, 64)
	if _, ok := slices.BinarySearch(l.Images, image); err != nil || !ok || name != pictureName(image) {
		return nil, noSuch(name)
	}
	return d.file(image), nil
}

func (d *thumbnailsDir) List(ctx context.Context) ([]tree.Entry, error) {
	l, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]tree.Entry, len(l.Images))
	for i, image := range l.Images {
		entries[i] = tree.Entry{Name: pictureName(image), Kind: tree.KindFile, Ino: d.file(image).ino()}
	}
	return entries, nil
}

// Unlink refuses: what is live is not removed by file operations.
func (d *thumbnailsDir) Unlink(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rmdir refuses, as Unlink does.
func (d *thumbnailsDir) Rmdir(ctx context.Context, name string) error { return refuse(ctx, d, name) }

// Rename refuses, as Unlink does.
func (d *thumbnailsDir) Rename(ctx context.Context, name string, _ tree.Dir, _ string, _ tree.RenameOptions) error {
	return refuse(ctx, d, name)
}

// thumbnailFile is a thumbnail.
type thumbnailFile struct {
	node
	pack  packRef
	image int64
}

var _ tree.File = (*thumbnailFile)(nil)

func (f *thumbnailFile) build(ctx context.Context) (generated, error) {
	a, err := f.account(ctx)
	if err != nil {
		return generated{}, err
	}
	return a.thumbnail(ctx, f.pack, f.image)
}

// Attr draws the thumbnail: nothing else tells its size.
func (f *thumbnailFile) Attr(ctx context.Context) (tree.Attr, error) {
	g, err := f.build(ctx)
	if err != nil {
		return tree.Attr{}, err
	}
	return f.fileAttr(f.ino(), g.size, g.state.mtime), nil
}

func (f *thumbnailFile) Open(ctx context.Context, opts tree.OpenOptions) (tree.Handle, error) {
	return openKept(ctx, opts, f.build)
}
