package pack

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// part is the omerods/pack part of a document as it was read.
type part struct {
	origin   Origin
	packed   time.Time
	details  map[ID]Details
	images   map[ID]partImage
	plates   map[ID]Plate
	wells    map[ID]Well
	reagents []Reagent
	runs     map[ID]Run
	filesets []Fileset
	leftOut  []LeftOut
	rois     []placed[ROI]
	// folderROIs are all regions of folders of which OME-XML has not all.
	folderROIs map[ID][]ID
	notes      []partNote
	links      []Link
	texts      map[textKey]string

	instruments []Instrument
	experiments []Experiment
}

// placed is an item with its place in a list.
type placed[T any] struct {
	place int // negative: it replaces the one of its id
	item  T
}

type partImage struct {
	fileset           ID
	series            int
	path              string
	sha1              string
	noPixels          bool
	archived, partial *bool
	photometric       string
	objective         *ObjectiveSettings
	environment       *Environment
	planes            []Plane
	noted             []NotedPlane
	rois              []ID // nil: as the OME element says
	pixels            *Pixels
	renderings        []Rendering
}

// partNote is an annotation that stands in the part alone, when its place is
// not negative, or what the part adds to one of OME.
type partNote struct {
	place int
	note  Annotation
}

type textKey struct {
	of    ID
	field string
	index int
}

// readPart reads the annotation that holds the part.
func (d *decoder) readPart(e *element) {
	e.children(func(c *element) {
		if c.name.Local != "Value" {
			c.skip()
			return
		}
		c.children(func(c *element) {
			switch {
			case c.name.Local != "Pack":
				c.skip()
			case d.part != nil:
				c.invalid("a second %s part", Namespace)
			default:
				d.part = &part{
					details: map[ID]Details{}, images: map[ID]partImage{},
					plates: map[ID]Plate{}, wells: map[ID]Well{}, runs: map[ID]Run{},
					texts: map[textKey]string{}, folderROIs: map[ID][]ID{},
				}
				if err := checkVersion(c.get("Version")); err != nil {
					c.fail(err)
					return
				}
				c.children(d.partElement)
			}
		})
	})
}

// checkVersion accepts the versions whose number before the point is ours.
func checkVersion(version string) error {
	major, _, ok := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if !ok || err != nil || n < 1 {
		return fmt.Errorf("%w: version %q of the %s part", ErrInvalid, clip(version), Namespace)
	}
	if ours, _, _ := strings.Cut(FormatVersion, "."); major != ours {
		return fmt.Errorf("%w: version %s of the %s part, this one reads %s", ErrNewer, clip(version), Namespace, FormatVersion)
	}
	return nil
}

// partElement reads one child of the part. Elements it does not know are of a
// later minor version.
func (d *decoder) partElement(e *element) {
	p := d.part
	switch e.name.Local {
	case "Origin":
		p.origin = Origin{
			Host: e.get("Host"), Database: e.get("Database"), Server: e.get("Server"),
			Object: e.id("Object"), Name: e.get("Name"), Owner: e.id("Owner"), Group: e.id("Group"),
			Software: e.get("Software"), Version: e.get("Version"),
		}
		p.packed = e.time("Packed")
		e.skip()
	case "Details":
		p.details[e.id("Of")] = Details{
			Owner: e.id("Owner"), Group: e.id("Group"),
			Created: e.time("Created"), Updated: e.time("Updated"),
			Permissions: e.get("Permissions"),
		}
		e.skip()
	case "Image":
		p.image(e)
	case KindInstrument:
		p.instruments = append(p.instruments, readInstrument(e))
	case KindExperiment:
		p.experiments = append(p.experiments, readExperiment(e))
	case "Reagent":
		p.reagent(e)
	case "Plate":
		p.plates[e.id("ID")] = readPlate(e)
		e.skip()
	case "Well":
		p.wells[e.id("ID")] = Well{Status: e.get("Status"), Reagents: e.ids("Reagents")}
		e.skip()
	case "PlateAcquisition":
		p.runs[e.id("ID")] = Run{MaximumFields: e.optInt("MaximumFieldCount")}
		e.skip()
	case "Fileset":
		p.fileset(e)
	case "LeftOut":
		p.leftOut = append(p.leftOut, readLeftOut(e))
	case "Folder":
		p.folderROIs[e.id("ID")] = e.ids("ROIs")
		e.skip()
	case "ROI":
		d.partROI(e)
	case "Annotation":
		d.partNote(e)
	case "Link":
		p.links = append(p.links, Link{From: e.id("From"), To: e.id("To"), By: e.id("By"), At: e.time("At")})
		e.skip()
	case "Text":
		key := textKey{of: e.id("Of"), field: e.get("Field"), index: e.int("Index")}
		p.texts[key] = string(e.base64())
	case "Manifest":
		d.readManifest(e)
	default:
		e.skip()
	}
}

func (p *part) reagent(e *element) {
	r := Reagent{ID: e.id("ID"), Name: e.get("Name"), Identifier: e.get("ReagentIdentifier"), Screen: e.id("Screen")}
	e.children(func(c *element) {
		if c.name.Local == "Description" {
			r.Description = c.text()
		} else {
			c.skip()
		}
	})
	p.reagents = append(p.reagents, r)
}

func (p *part) image(e *element) {
	id := e.id("ID")
	im := partImage{
		fileset: e.id("Fileset"), series: e.int("Series"), path: e.get("Path"),
		archived: e.optBool("Archived"), partial: e.optBool("Partial"), photometric: e.get("PhotometricInterpretation"),
		sha1: e.get("PixelsSHA1"), noPixels: e.get("Pixels") == "none", rois: e.ids("ROIs"),
	}
	e.children(func(c *element) {
		switch c.name.Local {
		case "Pixels":
			im.pixels = readPixels(c)
		case "ObjectiveSettings":
			im.objective = readObjective(c)
		case "ImagingEnvironment":
			im.environment = readEnvironment(c)
		case "Plane":
			im.planes = append(im.planes, readPlane(c))
		case "NotedPlane":
			im.noted = append(im.noted, NotedPlane{ID: c.id("ID"), Index: c.int("Index")})
			c.skip()
		case "Rendering":
			im.renderings = append(im.renderings, readRendering(c))
		default:
			c.skip()
		}
	})
	p.images[id] = im
}

func readRendering(e *element) Rendering {
	r := Rendering{
		Owner: e.id("Owner"), Name: e.get("Name"), Model: e.get("Model"),
		DefaultZ: e.int("DefaultZ"), DefaultT: e.int("DefaultT"),
		Compression:   e.optFloat("Compression"),
		CodomainStart: e.int("CodomainStart"), CodomainEnd: e.int("CodomainEnd"),
		BitResolution: e.int("BitResolution"),
	}
	e.children(func(c *element) {
		if c.name.Local == "ChannelRendering" {
			ch := ChannelRendering{
				Active: c.flag("Active"), Start: c.float("Start"), End: c.float("End"),
				Family: c.get("Family"), Coefficient: c.float("Coefficient"),
				NoiseReduction: c.flag("NoiseReduction"), Reverse: c.flag("Reverse"),
				LookupTable: c.get("LookupTable"),
			}
			if color := c.color("Color"); color != nil {
				ch.Color = *color
			}
			r.Channels = append(r.Channels, ch)
		}
		c.skip()
	})
	return r
}

func (p *part) fileset(e *element) {
	f := Fileset{ID: e.id("ID"), Folder: e.get("Folder"), Reader: e.get("Reader"), Images: e.ids("Images")}
	e.children(func(c *element) {
		switch c.name.Local {
		case "Info":
			f.Info = append(f.Info, Pair{Key: c.get("Name"), Value: c.get("Value")})
		case "Entry":
			f.Entries = append(f.Entries, Entry{
				Path: c.get("Path"), ClientPath: c.get("ClientPath"), File: c.id("File"),
				Size: c.int64("Size", -1), Hash: c.get("Hash"), Algorithm: c.get("Algorithm"),
				MediaType: c.get("MediaType"), Modified: c.time("Modified"),
			})
		}
		c.skip()
	})
	p.filesets = append(p.filesets, f)
}
