package pack

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed readme.gohtml
var readmeText string

var readmeTemplate = template.Must(template.New(ReadmeFile).Parse(readmeText))

// What of a document README.html shows at most, so that its size is bounded
// whatever is in the document. transfer.xml has the rest.
const (
	mostPageBytes  = 16 << 20 // of text, roughly
	mostSections   = 2000     // datasets and plates
	mostNameRunes  = 300
	mostTextRunes  = 4000 // of a description or a comment
	mostValueRunes = 1000 // of a key or a value
	mostNotes      = 50   // of a kind, of one object
	mostChannels   = 12   // of one image
	mostWellRows   = 64   // of a plate that is drawn
	mostWellCols   = 96
)

// WriteReadme writes the README.html of a pack: one page that shows its objects
// to people, with no script and nothing from elsewhere. It links to files of
// the manifest, and shows those thumbnails that the manifest lists. It depends
// on nothing else and has no clock; equal documents give equal bytes.
func WriteReadme(w io.Writer, d *Document, m *Manifest) error {
	b := bufio.NewWriter(w)
	if err := readmeTemplate.Execute(b, newPage(d, m)); err != nil {
		return fmt.Errorf("write %s: %w", ReadmeFile, err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", ReadmeFile, err)
	}
	return nil
}
