package pack

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Limits bound what Decode accepts, so that a hostile document cannot exhaust
// the memory. A field that is 0 has its default.
type Limits struct {
	Bytes      int64 // of the whole document; 512 MiB
	Elements   int   // in it; 4 million
	Depth      int   // of elements in each other; 64
	Attributes int   // of one element; 128
	TokenBytes int   // of one tag, or of the text between two; 64 MiB
}

func (l Limits) orDefault() Limits {
	return Limits{
		Bytes:      cmp.Or(l.Bytes, 512<<20),
		Elements:   cmp.Or(l.Elements, 4_000_000),
		Depth:      cmp.Or(l.Depth, 64),
		Attributes: cmp.Or(l.Attributes, 128),
		TokenBytes: cmp.Or(l.TokenBytes, 64<<20),
	}
}

// Decode reads a transfer.xml, of ours or of omero-cli-transfer 1.x. The
// manifest is nil when the document has none: then it is a pack of others, or
// one that Encode was given no manifest for. Paths are checked: they stay inside
// the pack. Errors name the place and are of one of the classes of this package
// when the document is to blame, else what r returned.
//
// Of ours, the document is the one that Encode was given, except for fields
// that do not count (the geometry of another kind of shape, times finer than a
// millisecond). In those of others, every image has a Path and none a Fileset;
// what is listed twice is taken once; references to nothing become Warnings.
func Decode(r io.Reader, limits Limits) (*Document, *Manifest, error) {
	d := &decoder{doc: &Document{}, scan: newScanner(r, limits.orDefault())}
	if err := d.decode(); err != nil {
		return nil, nil, fmt.Errorf("decode %s: %w", TransferXML, err)
	}
	return d.doc, d.manifest, nil
}

// decoder gathers what the elements say until all have been read, as they
// refer to each other in both directions.
type decoder struct {
	scan *scanner
	doc  *Document

	refs      []Link        // the annotations that OME elements refer to
	paths     []pathRecord  // in the order of the document
	figures   map[ID]string // paths of files that are figures
	listed    map[ID]int    // places in doc.Annotations
	filePaths map[ID][]ID   // records that file annotations refer to
	hidden    map[ID]bool   // annotations that are records
	oldRecord bool          // saw a record of before 1.0
	within    map[ID]ID     // the folder that each folder is in
	part      *part         // nil for packs of others
	manifest  *Manifest
}

type pathRecord struct {
	id   ID
	path string
}

func (d *decoder) decode() error {
	root, err := d.scan.root()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotPack, err)
	}
	if root.name.Local != "OME" {
		return fmt.Errorf("%w: the outermost element is %q, not OME", ErrNotPack, clip(root.name.Local))
	}
	d.figures, d.listed = map[ID]string{}, map[ID]int{}
	d.filePaths, d.hidden = map[ID][]ID{}, map[ID]bool{}
	root.children(d.top)
	if d.scan.err != nil {
		return d.scan.err
	}
	if err := d.scan.end(); err != nil {
		return err
	}
	d.nestFolders()
	if d.part != nil {
		return d.finishOurs()
	}
	return d.finishForeign()
}

// top reads one child of the root.
func (d *decoder) top(e *element) {
	switch e.name.Local {
	case "Project":
		d.project(e)
	case "Dataset":
		d.dataset(e)
	case "Folder":
		d.folder(e)
	case "Screen":
		d.screen(e)
	case "Plate":
		d.plate(e)
	case "Experimenter":
		d.doc.Users = append(d.doc.Users, User{
			ID: e.id("ID"), Login: e.get("UserName"), FirstName: e.get("FirstName"),
			MiddleName: e.get("MiddleName"), LastName: e.get("LastName"),
			Email: e.get("Email"), Institution: e.get("Institution"),
		})
		e.skip()
	case "ExperimenterGroup":
		g := Group{ID: e.id("ID"), Name: e.get("Name")}
		e.children(func(c *element) {
			if c.name.Local == "Description" {
				g.Description = c.text()
			} else {
				c.skip()
			}
		})
		d.doc.Groups = append(d.doc.Groups, g)
	case KindInstrument:
		d.doc.Instruments = append(d.doc.Instruments, readInstrument(e))
	case KindExperiment:
		d.doc.Experiments = append(d.doc.Experiments, readExperiment(e))
	case "Image":
		d.image(e)
	case "StructuredAnnotations":
		e.children(d.annotation)
	case "ROI":
		d.roi(e)
	default:
		e.skip()
	}
}

// common reads the children that many elements have: a description, who owns
// the object, its annotations. It reports false for others.
func (d *decoder) common(c *element, of ID, description *string, details *Details) bool {
	switch c.name.Local {
	case "Description":
		*description = c.text()
	case "ExperimenterRef":
		details.Owner = c.id("ID")
		c.skip()
	case "ExperimenterGroupRef":
		details.Group = c.id("ID")
		c.skip()
	case "AnnotationRef":
		d.refs = append(d.refs, Link{From: of, To: c.id("ID")})
		c.skip()
	default:
		return false
	}
	return true
}

// refTo reads a reference element to its end.
func refTo(c *element) ID {
	id := c.id("ID")
	c.skip()
	return id
}

func (d *decoder) project(e *element) {
	p := Project{ID: e.id("ID"), Name: e.get("Name")}
	e.children(func(c *element) {
		switch {
		case d.common(c, p.ID, &p.Description, &p.Details):
		case c.name.Local == "DatasetRef":
			p.Datasets = append(p.Datasets, refTo(c))
		default:
			c.skip()
		}
	})
	d.doc.Projects = append(d.doc.Projects, p)
}

func (d *decoder) dataset(e *element) {
	s := Dataset{ID: e.id("ID"), Name: e.get("Name")}
	e.children(func(c *element) {
		switch {
		case d.common(c, s.ID, &s.Description, &s.Details):
		case c.name.Local == "ImageRef":
			s.Images = append(s.Images, refTo(c))
		default:
			c.skip()
		}
	})
	d.doc.Datasets = append(d.doc.Datasets, s)
}

// finishOurs puts what the OME elements said and the omerods/pack part
// together.
func (d *decoder) finishOurs() error {
	if err := d.part.apply(d); err != nil {
		return fmt.Errorf("%s part: %w", Namespace, err)
	}
	if err := check(d.doc, d.manifest); err != nil {
		return err
	}
	return nil
}

// isRecordNamespace reports whether an XML annotation holds one of
// omero-cli-transfer's records. That of a figure is in the namespace of the
// figure's own id.
func isRecordNamespace(ns string) bool {
	return ns == TransferNamespace || ns == TransferNamespace+"/prepare" || strings.HasPrefix(ns, KindAnnotation+":")
}
