// Package pack reads and writes packs: folders (or archives) that hold image
// files and one transfer.xml which says what they are.
//
// A Document is the content of a transfer.xml as plain structs, a Manifest the
// list of the other files of the pack. Encode writes both as one OME-XML
// 2016-06 document that "omero transfer unpack" of omero-cli-transfer 1.x also
// reads; Decode reads such documents, whether this package or that tool wrote
// them. What OME-XML cannot say stands in one annotation of the namespace
// omerods/pack, which docs/pack.md and docs/pack.xsd describe.
//
// The package knows no server: it opens no file and no connection, and the
// paths it deals in are relative to the top of the pack, with slashes.
package pack

import "errors"

// The names of the generated parts of a pack.
const (
	TransferXML    = "transfer.xml" // the metadata, at the top of every pack
	SumsFile       = "SHA1SUMS"     // for sha1sum -c
	ReadmeFile     = "README.html"  // the pack for people
	ThumbnailsDir  = "thumbnails"   // pictures of README.html
	AttachmentsDir = "attachments"  // the files of file annotations

	// FilesetSuffix ends the name of a folder that holds the original files of
	// one fileset and nothing else.
	FilesetSuffix = ".fileset"
)

// ReservedNames are the names at the top of a pack that the pack needs itself,
// so no dataset, image or attachment may take them there.
var ReservedNames = []string{TransferXML, SumsFile, ReadmeFile, ThumbnailsDir, AttachmentsDir}

// FormatVersion is the version of the omerods/pack part that Encode writes.
// Decode accepts every version with the same number before the point.
const FormatVersion = "1.0"

// Namespaces of the annotations that a transfer.xml needs for itself.
const (
	// Namespace is that of the annotation that holds what OME-XML cannot say.
	Namespace = "omerods/pack"
	// TransferNamespace is that of the path and provenance records of
	// omero-cli-transfer.
	TransferNamespace = "openmicroscopy.org/cli/transfer"
)

// Classes of what may be wrong with a transfer.xml; errors.Is finds them in
// the errors of Decode.
var (
	// ErrNotPack: well-formed or not, it is no transfer.xml.
	ErrNotPack = errors.New("not a transfer.xml")
	// ErrOldPack: written by an omero-cli-transfer older than 1.0, whose
	// records later versions of that tool cannot read either.
	ErrOldPack = errors.New("pack of an omero-cli-transfer older than 1.0")
	// ErrNewer: the omerods/pack part has a version this program is too old for.
	ErrNewer = errors.New("pack of a newer version of omerods")
	// ErrLimit: larger or deeper than the Limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnsafePath: a path in it leads out of the pack.
	ErrUnsafePath = errors.New("unsafe path")
	// ErrInvalid: it contradicts itself or holds a value that is none.
	ErrInvalid = errors.New("invalid")
)
