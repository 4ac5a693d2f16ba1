// Package slice holds the Slice definitions of the OMERO services and model,
// version 5.7 of the model, as far as this program uses them.
//
// The files below omero are Slice that any Ice translator reads; those below
// runtime stand in for files that Ice brings itself.
package slice

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"omerods/internal/ice"
)

//go:embed runtime omero
var files embed.FS

// Definitions returns the parsed definitions. They are parsed once.
var Definitions = sync.OnceValue(func() *ice.Definitions {
	d, err := parse()
	if err != nil {
		// The files are part of the program: only a wrong build gets here.
		panic(fmt.Sprintf("slice definitions: %v", err))
	}
	return d
})

func parse() (*ice.Definitions, error) {
	all := make(map[string][]byte)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		all[path], err = files.ReadFile(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ice.ParseSlice(all)
}
