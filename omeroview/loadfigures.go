package omeroview

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// figureBytes is the size of the largest figure that is read.
const figureBytes = 32 << 20

// newImageID says which image now stands for one of the pack. Others are still
// what they were if this is the server that the pack comes from; elsewhere
// they are nothing, for which figures and tables have -1.
func (f *finisher) newImageID() func(int64) int64 {
	ids := make(map[int64]int64, len(f.spec.Images))
	for id, n := range f.spec.Images {
		if old, ok := id.Number(); ok {
			ids[old] = n
		}
	}
	same := f.sameServer()
	return func(old int64) int64 {
		if n, ok := ids[old]; ok {
			return n
		}
		if same {
			return old
		}
		return -1
	}
}

// sameServer says whether the pack comes from the server that it goes to.
func (f *finisher) sameServer() bool {
	d := f.spec.Document.Origin.Database
	return d != "" && d == f.client.Server().Database
}

// rewriteFigures points the figures of OMERO.figure at the new images: in the
// file, and in the description, by which that program lists them.
func (f *finisher) rewriteFigures(ctx context.Context) error {
	f.figures = map[pack.ID]string{}
	newID := f.newImageID()
	done := map[int64]int64{} // first image by file
	for i := range f.spec.Document.Annotations {
		a := &f.spec.Document.Annotations[i]
		file := f.fileOf(a)
		if a.Kind != pack.FileAnnotation || a.Namespace != pack.FigureNamespace || file == 0 {
			continue
		}
		first, again := done[file]
		if !again {
			var err error
			if first, err = f.rewriteFigure(ctx, file, newID); err != nil {
				var bad *json.SyntaxError
				if !errors.As(err, &bad) && !errors.Is(err, errFigure) {
					return err
				}
				f.left = append(f.left, fmt.Sprintf("image ids in figure %s: %v", a.ID.Key(), err))
				continue
			}
			done[file] = first
		}
		f.figures[a.ID] = figureDescription(a, first, newID)
	}
	return nil
}

// errFigure says that a file is no figure that could be read.
var errFigure = errors.New("it is no figure")

func (f *finisher) rewriteFigure(ctx context.Context, id int64, newID func(int64) int64) (first int64, err error) {
	files, err := f.client.OriginalFiles(ctx, []int64{id})
	if err != nil {
		return 0, err
	}
	if len(files) != 1 || files[0].Size > figureBytes {
		return 0, fmt.Errorf("%w: larger than %d bytes", errFigure, figureBytes)
	}
	data, err := readAll(ctx, f.client.OpenFile(files[0]))
	if err != nil {
		return 0, err
	}
	first = -1
	changed, err := rewriteIDs(data, []string{"panels", "", "imageId"}, func(old int64) int64 {
		n := newID(old)
		if first < 0 {
			first = n
		}
		return n
	})
	if err != nil || bytes.Equal(changed, data) {
		return first, err
	}
	_, err = f.client.ReplaceFile(ctx, id, bytes.NewReader(changed))
	return first, err
}

// readAll reads a file of the server to its end and closes it.
func readAll(ctx context.Context, r *omero.RemoteFile) ([]byte, error) {
	data := make([]byte, r.Size())
	n, err := r.ReadAt(ctx, data, 0)
	if err == io.EOF && n == len(data) {
		err = nil
	}
	return data, errors.Join(err, r.Close())
}

// figureDescription is that of a figure in OMERO.figure's list: its name and
// its first image. Packs of others do not have it.
func figureDescription(a *pack.Annotation, first int64, newID func(int64) int64) string {
	if a.Description != "" {
		text, err := rewriteIDs([]byte(a.Description), []string{"imageId"}, newID)
		if err != nil {
			return a.Description // words of a person
		}
		return string(text)
	}
	text, err := json.Marshal(struct {
		Name  string `json:"name"`
		Image int64  `json:"imageId"`
	}{a.File.Name, first})
	if err != nil {
		return ""
	}
	return string(text)
}

// rewriteIDs replaces the whole numbers at a path of a JSON text and nothing
// else of it. An empty step of the path is any place of a list.
func rewriteIDs(data []byte, path []string, newID func(int64) int64) ([]byte, error) {
	type level struct {
		object bool
		key    string
		named  bool // the key is there, its value is next
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var levels []level
	var out []byte
	copied := 0
	// at says whether the value that has just been read is at the path.
	at := func() bool {
		if len(levels) != len(path) {
			return false
		}
		for i, l := range levels {
			if l.object != (path[i] != "") || l.object && l.key != path[i] {
				return false
			}
		}
		return true
	}
	for {
		token, err := dec.Token()
		if err == io.EOF && len(levels) == 0 {
			return append(out, data[copied:]...), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errFigure, err)
		}
		if top := len(levels) - 1; top >= 0 && levels[top].object {
			if key, ok := token.(string); ok && !levels[top].named {
				levels[top].key, levels[top].named = key, true
				continue
			}
			levels[top].named = false
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				levels = append(levels, level{object: v == '{'})
			} else {
				levels = levels[:len(levels)-1]
			}
		case json.Number:
			if old, err := v.Int64(); err == nil && at() {
				end := int(dec.InputOffset())
				out = append(out, data[copied:end-len(v)]...)
				out = strconv.AppendInt(out, newID(old), 10)
				copied = end
			}
		}
	}
}
