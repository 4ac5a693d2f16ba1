package pack

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// annotation reads one child of StructuredAnnotations.
func (d *decoder) annotation(e *element) {
	kind, ok := strings.CutSuffix(e.name.Local, "Annotation")
	a := Annotation{
		ID: e.id("ID"), Kind: AnnotationKind(kind), Namespace: e.get("Namespace"),
		Details: Details{Owner: e.id("Annotator")},
	}
	switch {
	case !ok:
		e.skip()
		return
	case a.Kind == XMLAnnotation && isRecordNamespace(a.Namespace):
		d.record(e, a.ID, a.Namespace)
		return
	case a.Kind == XMLAnnotation && a.Namespace == Namespace:
		d.readPart(e)
		return
	}
	e.children(func(c *element) {
		switch c.name.Local {
		case "Description":
			a.Description = c.text()
		case "AnnotationRef":
			ref := refTo(c)
			if a.Kind == FileAnnotation {
				d.filePaths[a.ID] = append(d.filePaths[a.ID], ref)
			}
			d.refs = append(d.refs, Link{From: a.ID, To: ref})
		case "Value":
			if a.Kind == XMLAnnotation {
				a.Text = c.raw()
			} else {
				d.value(c, &a)
			}
		case "BinaryFile":
			a.File = readBinaryFile(c)
		default:
			c.skip()
		}
	})
	// Records of the tool before 1.0 had negative numbers.
	if (a.Kind == CommentAnnotation || a.Kind == MapAnnotation) && strings.HasPrefix(a.ID.Key(), "-") {
		d.oldRecord = true
	}
	if _, twice := d.listed[a.ID]; twice {
		return
	}
	d.listed[a.ID] = len(d.doc.Annotations)
	d.doc.Annotations = append(d.doc.Annotations, a)
}

// value reads the Value of an annotation whose kind is known.
func (d *decoder) value(e *element, a *Annotation) {
	if a.Kind == MapAnnotation {
		a.Pairs = readPairs(e)
		return
	}
	if a.Kind == TimestampAnnotation {
		a.Time = d.lenientTime(e)
		return
	}
	text := e.text()
	var err error
	switch a.Kind {
	case LongAnnotation:
		a.Long, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	case DoubleAnnotation:
		a.Double, err = parseFloat(text)
	case BooleanAnnotation:
		a.Bool, err = parseBool(text)
	default:
		a.Text = text
	}
	if err != nil {
		e.invalid("%s has the value %q", a.ID, clip(text))
	}
}

// lenientTime reads a moment that may be missing; one that cannot be read is
// not worth the pack.
func (d *decoder) lenientTime(e *element) time.Time {
	text := e.text()
	t, err := parseTime(text)
	if err != nil {
		d.warn("%s: %v", strings.Join(e.where, "/"), err)
		return time.Time{}
	}
	return t
}

// readBinaryFile reads what OME-XML says of an attached file. In packs of
// omero-cli-transfer the BinData holds a path again, which the record of the
// annotation says better.
func readBinaryFile(e *element) *Attachment {
	name := strings.ReplaceAll(e.get("FileName"), `\`, "/")
	f := &Attachment{Name: path.Base("/" + name), Size: e.int64("Size", 0), MediaType: e.get("MIMEType")}
	e.children(func(c *element) {
		if sum := strings.ToLower(c.get("SHA1")); c.name.Local == "External" && isSHA1(sum) {
			f.Hash, f.Algorithm = sum, SHA1
		}
		c.skip()
	})
	return f
}

// record reads a path or provenance record.
func (d *decoder) record(e *element, id ID, namespace string) {
	d.hidden[id] = true
	e.children(func(c *element) {
		if c.name.Local != "Value" {
			c.skip()
			return
		}
		c.children(func(c *element) {
			switch c.name.Local {
			case "CLITransferServerPath":
				d.pathRecord(c, id, namespace)
			case "CLITransferMetadata":
				d.provenanceRecord(c)
			default:
				c.skip()
			}
		})
	})
}

func (d *decoder) pathRecord(e *element, id ID, namespace string) {
	e.children(func(c *element) {
		if c.name.Local != "Path" {
			c.skip()
			return
		}
		p := strings.TrimSpace(c.text())
		d.paths = append(d.paths, pathRecord{id: id, path: p})
		if strings.HasPrefix(namespace, KindAnnotation+":") {
			d.figures[ID(namespace)] = p
		}
	})
}

// provenanceRecord takes the first thing that any record says of the origin:
// it is the same for all objects of a pack.
func (d *decoder) provenanceRecord(e *element) {
	first := func(field *string, c *element) {
		if t := strings.TrimSpace(c.text()); *field == "" {
			*field = t
		}
	}
	o := &d.doc.Origin
	e.children(func(c *element) {
		switch c.name.Local {
		case "software":
			first(&o.Software, c)
		case "version":
			first(&o.Version, c)
		case "origin_hostname":
			first(&o.Host, c)
		case "database_id":
			first(&o.Database, c)
		case "packing_timestamp":
			t, err := time.Parse(packingTimestamp, strings.TrimSpace(c.text()))
			if err == nil && d.doc.Packed.IsZero() {
				d.doc.Packed = t
			}
		default:
			c.skip()
		}
	})
}
