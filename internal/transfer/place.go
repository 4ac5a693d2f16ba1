package transfer

import (
	"context"
	"io"
	"time"

	"omerods/internal/pack"
)

// Place is a folder of live OMERO objects in which a new one may arrive, such
// as a user's projects.
type Place interface {
	// Key names the place, the same for all views of it.
	Key() string
	// Kind is the kind of object that lives there, such as pack.KindProject.
	Kind() string
	// MayLoad says whether the caller may make objects here; the reason of its
	// error names a place where they may.
	MayLoad(ctx context.Context) error
	// Exists says whether a live object has that name here.
	Exists(ctx context.Context, name string) (bool, error)
	// ShownName is the name that the object recorded as name would have here
	// if it were alone.
	ShownName(name string) string
	// Destination connects to the server with the caller's rights.
	Destination(ctx context.Context) (Destination, error)
	// Changed is called after objects have been made here.
	Changed(ctx context.Context)
}

// Destination makes objects in OMERO for one load. Whatever it has made when
// it fails can be removed with Discard.
type Destination interface {
	// Name describes the place to a person.
	Name() string
	// Upload sends the files of a fileset. It calls begun with the fileset's id
	// as soon as that exists. On failure it has removed the fileset, or says so
	// in the error.
	Upload(ctx context.Context, spec FilesetSpec, begun func(fileset int64)) (Upload, error)
	// UploadFile stores a file for a file annotation and returns the id of its
	// original file. It calls begun with that id as soon as the server has given
	// it. On failure it has removed the file, or says so in the error.
	UploadFile(ctx context.Context, spec FileSpec, begun func(file int64)) (int64, error)
	// Finish names the images, puts everything on them that the document says,
	// and last, in one call, makes the containers, their links and the record
	// of the load: either all of it exists afterwards or nothing does. A false
	// certain says that it is not known whether that call happened.
	Finish(ctx context.Context, spec FinishSpec) (made Finished, certain bool, err error)
	// Discard removes filesets, original files and other things of a load that
	// did not happen, also filesets of it whose ids nobody has heard of. It removes nothing that is linked into a container.
	Discard(ctx context.Context, load string, filesets, files []int64) error
	// Unmark takes the marks of a load off what it has made.
	Unmark(ctx context.Context, load string) error
}

// Upload is a fileset whose files are on the server and which has no images
// yet.
type Upload interface {
	// Import has the server make the images: unlinked, and marked as being
	// loaded. On failure it has removed the fileset, or says so in the error.
	Import(ctx context.Context) (Imported, error)
	// Abort removes the fileset, also after Import.
	Abort(ctx context.Context) error
}

// FilesetSpec is a fileset to be imported.
type FilesetSpec struct {
	Load   string // the load's id, put on the images
	Files  []FileSpec
	Reader string // the reader that the pack names, "" when unknown
	Info   []pack.Pair
	// Progress is told how many more bytes have been sent.
	Progress func(bytes int64)
}

// FileSpec is a file to be uploaded.
type FileSpec struct {
	Name      string // client path of a fileset's file, name of an attachment
	Dir       string // of an attachment
	Size      int64  // bytes
	SHA1      []byte
	MediaType string
	Content   io.ReaderAt
}

// Imported is an imported fileset.
type Imported struct {
	Fileset int64
	Images  []int64 // in the order of their series
}

// FinishSpec is everything that is known when all files of a load are in
// OMERO.
type FinishSpec struct {
	Load     string
	Document *pack.Document
	Ours     bool   // the pack was written by this program
	Kind     string // of the top object
	TopName  string // the name the top object gets
	From     string // where the load came from, as far as known
	When     time.Time
	Images   map[pack.ID]int64 // new images by the ids of the document
	Filesets map[pack.ID]int64 // new filesets by the ids of the document
	Files    map[pack.ID]int64 // new original files by the id of the file annotation
}

// Finished says what a load has made.
type Finished struct {
	Kind   string
	ID     int64             // of the top object, 0 when there is none
	New    map[pack.ID]int64 // new ids by those of the document
	Note   string            // what did not work although the objects were made
	Marked bool              // the mark of the load is still on some of the objects
}
