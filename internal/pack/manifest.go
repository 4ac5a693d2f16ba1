package pack

// SHA1 is the name of the hash algorithm that SHA1SUMS lists, as servers and
// manifests spell it.
const SHA1 = "SHA1-160"

// Manifest lists every file of a pack but its transfer.xml.
type Manifest struct {
	Files []File
}

// FileKind says why a file is in a pack.
type FileKind string

// The kinds of files.
const (
	Original  FileKind = "original"   // entry Entry of the fileset Fileset
	Exported  FileKind = "exported"   // the pixels of Image, which has no original files
	Attached  FileKind = "attachment" // the file of Annotation
	Generated FileKind = "generated"  // made from the rest: SHA1SUMS, README.html, thumbnails, nested transfer.xml
)

// File is one file of a pack.
type File struct {
	Path      string
	Size      int64  // in bytes; negative when not known
	Hash      string // lower-case hex, "" when not known
	Algorithm string // of the hash, such as SHA1
	MediaType string
	// Required files are those without which the pack cannot be loaded.
	Required bool
	// SameAs is another path of the pack with the same content: a fileset that
	// is shown in two datasets is loaded once.
	SameAs string

	Kind       FileKind
	Fileset    ID
	Entry      int
	Image      ID
	Annotation ID
}

// ByPath finds files by their path.
func (m *Manifest) ByPath() map[string]*File {
	byPath := make(map[string]*File, len(m.Files))
	for i := range m.Files {
		byPath[m.Files[i].Path] = &m.Files[i]
	}
	return byPath
}
