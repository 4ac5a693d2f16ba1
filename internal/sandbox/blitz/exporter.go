package blitz

import (
	"context"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// exporter is an Exporter: it writes images into one OME-TIFF, or their
// metadata into OME-XML, and gives the bytes out.
type exporter struct {
	files  *repository.Managed
	images []int64
	data   []byte // nil before something is generated
}

const (
	// maxExportBytes bounds what an export may take in memory.
	maxExportBytes = 512 << 20
	// maxExportRead bounds one read, as a real server does.
	maxExportRead = 2 << 20
	exportName    = "export.ome.tiff"
)

// Method implements Servant.
func (e *exporter) Method(operation string) Method {
	switch operation {
	case "addImage":
		return e.addImage
	case "generateTiff":
		return func(_ context.Context, c *Call) ([]any, error) {
			return e.generate(c, func(pictures []imaging.Picture) ([]byte, error) {
				return imaging.OMETIFF(exportName, pictures, imaging.Options{})
			})
		}
	case "generateXml":
		return func(_ context.Context, c *Call) ([]any, error) {
			return e.generate(c, func(pictures []imaging.Picture) ([]byte, error) { return imaging.OMEXML(exportName, pictures) })
		}
	case "read":
		return e.read
	}
	return nil
}

func (e *exporter) addImage(_ context.Context, c *Call) ([]any, error) {
	id := Arg[int64](c, 0)
	return nil, c.View(func(tx *store.Tx, who *Caller) error {
		row := tx.Get(tx.Model().Class("Image"), id)
		if row == nil || !who.CanRead(tx, row) {
			return Fail(Validation, "no image %d", id)
		}
		e.images, e.data = append(e.images, id), nil
		return nil
	})
}

func (e *exporter) generate(c *Call, write func([]imaging.Picture) ([]byte, error)) ([]any, error) {
	if len(e.images) == 0 {
		return nil, Fail(APIUsage, "no image to export")
	}
	var total int64
	var failed error
	var pictures []imaging.Picture
	for _, id := range e.images {
		p, size, err := e.picture(c, id, &failed)
		if err != nil {
			return nil, err
		}
		if total += size; total > maxExportBytes {
			return nil, Fail(APIUsage, "an export of more than %d bytes", int64(maxExportBytes))
		}
		pictures = append(pictures, p)
	}
	data, err := write(pictures)
	if failed != nil {
		err = failed
	}
	if err != nil {
		return nil, diskError(err)
	}
	e.data = data
	return []any{int64(len(data))}, nil
}

// picture is an image to be written, and its size in bytes. A plane that
// cannot be read is told by failed.
func (e *exporter) picture(c *Call, id int64, failed *error) (p imaging.Picture, size int64, err error) {
	var pixels int64
	var name, description string
	err = c.View(func(tx *store.Tx, who *Caller) error {
		m := tx.Model()
		row := tx.Get(m.Class("Image"), id)
		all := tx.Collection(m.Class("Image").Property("pixels"), id)
		if row == nil || !who.CanRead(tx, row) || len(all) == 0 {
			return Fail(Validation, "image %d has no pixels", id)
		}
		pixels, name, description = all[0].ID, row.Text("name"), row.Text("description")
		return nil
	})
	if err != nil {
		return p, 0, err
	}
	px, err := e.files.OpenPixels(pixels)
	if err != nil {
		return p, 0, diskError(err)
	}
	p.Series = *px.Series()
	p.Name, p.Description = name, description
	p.Plane = func(z, c, t int) []byte {
		b, err := px.Plane(z, c, t)
		if err != nil {
			*failed = err
			return make([]byte, p.PlaneBytes())
		}
		return b
	}
	return p, p.PlaneBytes() * int64(p.SizeZ) * int64(p.SizeC) * int64(p.SizeT), nil
}

// read gives out at most length bytes of what was generated, none at its end.
func (e *exporter) read(_ context.Context, c *Call) ([]any, error) {
	at, length := Arg[int64](c, 0), Arg[int32](c, 1)
	if e.data == nil {
		return nil, Fail(APIUsage, "Call a generate method first")
	}
	if at < 0 || length < 0 || length > maxExportRead {
		return nil, Fail(APIUsage, "read of %d bytes from %d on", length, at)
	}
	if at >= int64(len(e.data)) {
		return []any{[]byte{}}, nil
	}
	return []any{e.data[at:min(at+int64(length), int64(len(e.data)))]}, nil
}
