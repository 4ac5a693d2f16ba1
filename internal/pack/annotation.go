package pack

import "time"

// AnnotationKind says what an annotation is and which field holds its value.
type AnnotationKind string

// The kinds of annotations.
const (
	MapAnnotation       AnnotationKind = "Map"       // Pairs
	TagAnnotation       AnnotationKind = "Tag"       // Text
	CommentAnnotation   AnnotationKind = "Comment"   // Text
	XMLAnnotation       AnnotationKind = "XML"       // Text
	TermAnnotation      AnnotationKind = "Term"      // Text
	FileAnnotation      AnnotationKind = "File"      // File
	LongAnnotation      AnnotationKind = "Long"      // Long
	DoubleAnnotation    AnnotationKind = "Double"    // Double
	BooleanAnnotation   AnnotationKind = "Boolean"   // Bool
	TimestampAnnotation AnnotationKind = "Timestamp" // Time
	ListAnnotation      AnnotationKind = "List"      // none: links to other annotations
)

// FigureNamespace is that of the file annotations in which OMERO.figure keeps
// its figures, which are linked to nothing.
const FigureNamespace = "omero.web.figure.json"

// Annotation is something said about other objects.
type Annotation struct {
	ID          ID
	Kind        AnnotationKind
	Namespace   string
	Name        string
	Description string

	Text   string
	Long   int64
	Double float64
	Bool   bool
	Time   time.Time
	Pairs  []Pair // in order; keys may repeat
	File   *Attachment
	// Null says that a number, truth value or time is not there. Then its field
	// is zero.
	Null bool

	Details Details
}

// Attachment is the file of a file annotation.
type Attachment struct {
	ID        ID     // OriginalFile:…
	Name      string // as the server has it
	Dir       string // the folder that the server has for it; it means nothing
	Path      string // in the pack
	Size      int64  // in bytes
	Hash      string // lower-case hex, "" when not known
	Algorithm string // of the hash
	MediaType string
	Modified  time.Time
}

// Link says that an object, or an annotation such as a tag set, has an
// annotation, and who said so.
type Link struct {
	From ID // the object
	To   ID // the annotation
	By   ID // who linked them, in Users
	At   time.Time
}
