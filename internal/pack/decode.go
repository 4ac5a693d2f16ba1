package pack

import (
	"errors"
	"io"
)

// Limits bound what Decode accepts, so that a hostile document cannot exhaust
// the memory. A field that is 0 has its default.
type Limits struct {
	Bytes      int64 // of the whole document; 512 MiB
	Elements   int   // in it; 4 million
	Depth      int   // of elements in each other; 64
	Attributes int   // of one element; 128
	TagBytes   int   // of one tag with its attributes; 16 MiB
}

// Decode reads a transfer.xml, of ours or of omero-cli-transfer 1.x. The
// manifest is nil when the document has none: then it is a pack of others, or
// one that Encode was given no manifest for. Paths are checked: they stay inside
// the pack. Errors name the place and are of one of the classes of this package
// when the document is to blame, else what r returned.
func Decode(r io.Reader, limits Limits) (*Document, *Manifest, error) {
	return nil, nil, errors.ErrUnsupported
}
