package omeroview

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"omerods/internal/pack"
	"omerods/internal/tables"
)

// tableMediaType is that of the files of OMERO.tables.
const tableMediaType = "OMERO.tables"

// tableKinds are the pack's words for what columns of tables name.
var tableKinds = map[string]string{
	"ImageColumn": pack.KindImage, "RoiColumn": pack.KindROI, "WellColumn": pack.KindWell, "PlateColumn": pack.KindPlate,
	"FileColumn": pack.KindFile, "DatasetColumn": pack.KindDataset,
}

// restoreTables points the columns of attached tables at the new objects that
// exist before the commit: all but datasets. Tables of another form are left as
// they are, which the record of the load says.
func (f *finisher) restoreTables(ctx context.Context) error {
	left, err := f.rewriteTables(ctx, func(class string) bool { return class != "DatasetColumn" }, func(id pack.ID) (int64, bool) {
		ref, ok := f.at[id]
		return ref.ID(), ok
	})
	f.left = append(f.left, left...)
	return err
}

// restoreDatasetColumns does the same for datasets after the commit. What it
// returns is for people: the objects are there.
func (f *finisher) restoreDatasetColumns(ctx context.Context, made map[pack.ID]int64) string {
	if made == nil && !slices.ContainsFunc(f.spec.Document.Annotations, func(a pack.Annotation) bool {
		return a.File != nil && a.File.MediaType == tableMediaType
	}) {
		return ""
	}
	if made == nil {
		return "columns of datasets in attached tables are as they were: the server's answer was lost"
	}
	_, err := f.rewriteTables(ctx, func(class string) bool { return class == "DatasetColumn" }, func(id pack.ID) (int64, bool) {
		n, ok := made[id]
		return n, ok
	})
	if err != nil {
		return fmt.Sprintf("columns of datasets in attached tables are as they were: %v", err)
	}
	return ""
}

// newDatasets finds the datasets of a load whose commit had no answer: they were
// made in the order of the pack. It returns nil unless each has the name
// that the pack gives it.
func (f *finisher) newDatasets(ctx context.Context, top int64) map[pack.ID]int64 {
	want := f.spec.Document.Datasets
	switch {
	case f.spec.Kind == pack.KindDataset && len(want) == 1:
		return map[pack.ID]int64{want[0].ID: top}
	case f.spec.Kind != pack.KindProject:
		return nil
	}
	have, _, err := f.client.DatasetsOf(ctx, []int64{top})
	if err != nil || len(have) != len(want) {
		return nil
	}
	made := make(map[pack.ID]int64, len(want))
	for i, d := range want {
		if have[i].Name != d.Name {
			return nil
		}
		made[d.ID] = have[i].ID
	}
	return made
}

// rewriteTables changes the ids in some classes of columns of all attached
// tables. What is not in the pack stays what it was on the server that the pack
// comes from, and is nothing elsewhere, for which tables have -1.
func (f *finisher) rewriteTables(ctx context.Context, which func(class string) bool, find func(pack.ID) (int64, bool)) (left []string, err error) {
	same, done := f.sameServer(), map[int64]bool{}
	for i := range f.spec.Document.Annotations {
		a := &f.spec.Document.Annotations[i]
		file := f.fileOf(a)
		if file == 0 || done[file] || a.File.MediaType != tableMediaType {
			continue
		}
		done[file] = true
		files, err := f.client.OriginalFiles(ctx, []int64{file})
		if err != nil {
			return left, err
		}
		if len(files) != 1 {
			continue
		}
		err = f.client.EditFile(ctx, files[0], func(r io.ReaderAt, w io.WriterAt) error {
			return tables.Rewrite(struct {
				io.ReaderAt
				io.WriterAt
			}{r, w}, files[0].Size, func(class string, old int64) int64 {
				if !which(class) {
					return old
				}
				if n, ok := find(pack.NewID(tableKinds[class], old)); ok {
					return n
				}
				if same {
					return old
				}
				return -1
			})
		})
		switch {
		case errors.Is(err, tables.ErrFormat):
			left = append(left, fmt.Sprintf("ids in the table %s: %v", a.File.Name, err))
		case err != nil:
			return left, err
		}
	}
	return left, nil
}
