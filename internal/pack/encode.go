package pack

import (
	"errors"
	"io"
)

// Encode writes doc and the list of the pack's other files as a transfer.xml.
// Equal arguments give equal bytes. A nil manifest is written as none.
//
// It refuses, with ErrInvalid, documents that nothing could read: an id twice,
// a reference to an object that is not there, an image without a file, a
// fileset whose images are not all listed; and with ErrUnsafePath paths that
// are not relative and clean. What only omero-cli-transfer would stumble over
// is found by Problems.
func Encode(w io.Writer, doc *Document, m *Manifest) error {
	return errors.ErrUnsupported
}
