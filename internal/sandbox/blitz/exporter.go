package blitz

import (
	"context"

	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// exporter is an Exporter: first images are named, then one call generates a
// file of them, and from then on it can only be read.
type exporter struct {
	files  *repository.Managed
	images []int64
	out    []byte
	ready  bool
}

const (
	// maxExportRead is the largest read from an exported file, in bytes.
	maxExportRead = 1 << 20
	// maxExportPlane is how many samples a plane may have: a larger one has a
	// pyramid, which TIFFs do not get.
	maxExportPlane = 3192 * 3192
)

// Method implements Servant.
func (e *exporter) Method(operation string) Method {
	switch operation {
	case "addImage":
		return e.configuring(func(c *Call) ([]any, error) {
			e.images = append(e.images, Arg[int64](c, 0))
			return nil, nil
		})
	case "generateTiff":
		return e.configuring(e.tiff)
	case "generateXml":
		return e.configuring(func(c *Call) ([]any, error) {
			ids, err := e.visible(c)
			if err != nil {
				return nil, err
			}
			out, err := e.files.ExportXML(ids)
			return e.generated(out, err)
		})
	case "read":
		return func(_ context.Context, c *Call) ([]any, error) {
			at, n := Arg[int64](c, 0), int64(Arg[int32](c, 1))
			switch size := int64(len(e.out)); {
			case !e.ready:
				return nil, Fail(APIUsage, "Call a generate method first")
			case n > maxExportRead:
				return nil, Fail(APIUsage, "Max read size is: %d", maxExportRead)
			case at < 0 || n < 0:
				return nil, Fail(Internal, "Error during read")
			case at >= size:
				return []any{[]byte{}}, nil
			default:
				return []any{e.out[at:min(size, at+n)]}, nil
			}
		}
	}
	return nil
}

func (e *exporter) configuring(fn func(c *Call) ([]any, error)) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		if e.ready {
			return nil, Fail(APIUsage, "Cannot configure during output")
		}
		return fn(c)
	}
}

// visible returns those of the images that the caller can see. Others are as
// if they had not been named.
func (e *exporter) visible(c *Call) (ids []int64, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		for _, id := range e.images {
			if row := tx.Get(tx.Model().Class("Image"), id); row != nil && who.CanRead(tx, row) {
				ids = append(ids, id)
			}
		}
		return nil
	})
	return ids, err
}

func (e *exporter) tiff(c *Call) ([]any, error) {
	ids, err := e.visible(c)
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 {
		return nil, Fail(APIUsage, "Only one image supported for TIFF, not %d", len(ids))
	}
	p, err := e.files.Picture(ids[0])
	if err != nil {
		return nil, diskError(err)
	}
	if p.SizeX*p.SizeY > maxExportPlane {
		return nil, Fail(APIUsage, "Image:%d is too large for export (sizeX=%d, sizeY=%d)", ids[0], p.SizeX, p.SizeY)
	}
	out, err := e.files.ExportTIFF(ids[0])
	return e.generated(out, err)
}

// generated ends the configuration and answers with the size of the file.
func (e *exporter) generated(out []byte, err error) ([]any, error) {
	if err != nil {
		return nil, Fail(Internal, "Error during generation: %v", err)
	}
	e.out, e.ready = out, true
	return []any{int64(len(out))}, nil
}
