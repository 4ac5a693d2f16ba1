package omero_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/store"
)

// The pixels of an image without original files are those that its owner drew,
// read whole, by tiles and past what is there.
func TestPixelsWithoutFiles(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	for _, im := range images {
		list, err := c.PixelsOf(t.Context(), []int64{im.ID})
		check(t, err)
		p := list[0]
		own, err := s.files.OpenPixels(p.ID)
		check(t, err)
		r := c.OpenPixels(p)
		width := own.Series().Type.Bytes()
		for z := range p.SizeZ {
			for ch := range p.SizeC {
				want, err := own.Plane(z, ch, 0)
				check(t, err)
				got, err := r.Tile(t.Context(), z, ch, 0, 0, 0, p.SizeX, p.SizeY)
				check(t, err)
				if !bytes.Equal(got, want) {
					t.Errorf("%s: plane %d, %d is another", im.Name, z, ch)
				}
				const x, y, w, h = 5, 7, 40, 30
				part, err := r.Tile(t.Context(), z, ch, 0, x, y, w, h)
				check(t, err)
				for row := range h {
					at := ((y+row)*p.SizeX + x) * width
					if !bytes.Equal(part[row*w*width:(row+1)*w*width], want[at:at+w*width]) {
						t.Errorf("%s: row %d of a tile is another", im.Name, row)
					}
				}
			}
		}
		if _, err := r.Tile(t.Context(), p.SizeZ, 0, 0, 0, 0, 1, 1); err == nil {
			t.Errorf("%s: a plane that is not there: got no error", im.Name)
		}
		check(t, r.Close())
	}
}

// Images of servers that once were OMERO 4 keep their originals beside them.
func TestArchivedFiles(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	var bare omero.Image
	for _, im := range images {
		if im.Fileset == 0 {
			bare = im
		}
	}
	file, err := c.UploadFile(ctx, omero.FileSpec{Name: "old.lsm", Path: "/archive/"}, strings.NewReader("old"))
	check(t, err)
	pixels, err := c.PixelsOf(ctx, []int64{bare.ID})
	check(t, err)
	check(t, s.store.Write(store.Actor{User: bare.Owner, Group: bare.Group}, func(a *store.Author) error {
		_, err := a.Create("PixelsOriginalFileMap", store.Values{"parent": file.ID, "child": pixels[0].ID})
		return err
	}))
	got, err := c.ArchivedFiles(ctx, []int64{images[0].ID, bare.ID})
	check(t, err)
	if len(got) != 1 || len(got[bare.ID]) != 1 || got[bare.ID][0] != file {
		t.Errorf("got %+v, want %+v", got, file)
	}
	_, err = c.Delete(ctx, map[omero.Kind][]int64{omero.KindOriginalFile: {file.ID}}, omero.DeleteOptions{})
	check(t, err)
}

// A thumbnail shows the image: the two halves of a picture keep their colours.
func TestThumbnailsShowTheImage(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"halves.png"}})
	check(t, err)
	_, _, err = im.Upload(ctx, 0, bytes.NewReader(halves(t)))
	check(t, err)
	res, err := im.Finish(ctx, nil)
	check(t, err)
	list, err := c.PixelsOf(ctx, res.Images)
	check(t, err)
	small, err := c.Thumbnails(ctx, []int64{list[0].ID, 1 << 40, list[0].ID}, 48)
	check(t, err)
	if len(small) != 1 {
		t.Fatalf("got %d thumbnails", len(small))
	}
	pic, err := jpeg.Decode(bytes.NewReader(small[list[0].ID]))
	check(t, err)
	if b := pic.Bounds(); b.Dx() != 48 || b.Dy() != 24 {
		t.Errorf("got %v", b)
	}
	left, right := color.GrayModel.Convert(pic.At(8, 12)).(color.Gray).Y, color.GrayModel.Convert(pic.At(40, 12)).(color.Gray).Y
	if left > 60 || right < 190 {
		t.Errorf("left %d, right %d; want dark and bright", left, right)
	}
	if none, err := c.Thumbnails(ctx, nil, 48); err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v, %v", none, err)
	}
	check(t, im.Abort(ctx))
}

// halves is a picture that is black on the left and white on the right.
func halves(t *testing.T) []byte {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, 192, 96))
	for i := range im.Pix {
		if i%192 >= 96 {
			im.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	check(t, png.Encode(&b, im))
	return b.Bytes()
}
