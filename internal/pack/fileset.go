package pack

import "time"

// Fileset is a set of original files that were imported together.
type Fileset struct {
	ID ID
	// Folder is the folder of the pack that holds the files and nothing else.
	// It may be "" for a fileset of one file, and must not be otherwise.
	Folder string
	// Entries are the files in the order of the import; the reader is opened
	// with the first.
	Entries []Entry
	// Images are all images of the fileset in the order of their series.
	Images []ID
	// Reader is the class that read the files, "" when not known.
	Reader string
	// Info is what the import recorded about its own software.
	Info    []Pair
	Details Details
}

// Entry is one file of a fileset.
type Entry struct {
	ClientPath string // where it was when it was imported
	Path       string // in the pack
	File       ID     // OriginalFile:…
	Size       int64  // in bytes
	Hash       string // lower-case hex, "" when not known
	Algorithm  string // of the hash: "SHA1-160", "MD5-128" …
	MediaType  string
	Modified   time.Time
}

// Pair is a key with a value.
type Pair struct {
	Key, Value string
}
