package pack

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// imageRow is an image in a table.
type imageRow struct {
	Anchor, Name, Description string
	Href                      template.URL // of its file or folder
	File                      string
	Well                      string
	Size, Stack, Type         string // "512 × 256", "3 z, 2 c", "uint16"
	Spacing                   string
	Channels                  []channelChip
	MoreChannels              int
	ROIs                      string
	Facts                     []fact
	Notes                     *notes

	id   ID
	size int // bytes it takes in the page, roughly
}

// channelChip is a channel's name with its colour.
type channelChip struct {
	Name  string
	Color template.CSS // "" when not known
}

// rowBytes is the page's text of an image of which little is said.
const rowBytes = 500

func (p *pager) row(im *Image) imageRow {
	r := imageRow{id: im.ID, Anchor: p.anchor(im.ID), Name: p.name(im.Name, im.ID), Description: shown(im.Description, mostTextRunes),
		Well: p.places[im.ID], Notes: p.notesOf(im.ID)}
	if path, file := p.pathOf(im); path != "" {
		r.File = shown(path, mostNameRunes)
		if p.files[file] != nil {
			r.Href = link(path)
		}
	}
	p.describePixels(&r, im.Pixels)
	r.ROIs = p.regions(im)
	var f facts
	f.at("Acquired", im.Acquired)
	if im.Stage != nil {
		f.add("Stage", stageText(im.Stage))
	}
	if im.Details.Owner != p.doc.Origin.Owner {
		f.add("Owner", p.person(im.Details.Owner))
	}
	f.at("Imported", im.Details.Created)
	f.add("Object", objectName(im.ID))
	r.Facts = f
	r.size = rowBytes + len(r.Name) + len(r.Description) + 3*len(r.File) + r.Notes.size()
	for _, c := range r.Channels {
		r.size += 60 + len(c.Name)
	}
	return r
}

// pathOf is the file that holds an image, or the folder of its files with a
// slash at the end and the first of them; "" when the document does not say.
func (p *pager) pathOf(im *Image) (path, file string) {
	f := p.sets[im.Fileset]
	switch {
	case im.Fileset == "":
		return im.Path, im.Path
	case f == nil || len(f.Entries) == 0:
		return "", ""
	case len(f.Entries) == 1:
		return f.Entries[0].Path, f.Entries[0].Path
	}
	return f.Folder + "/", f.Entries[0].Path
}

func (p *pager) describePixels(r *imageRow, px *Pixels) {
	if px == nil {
		return
	}
	r.Size = fmt.Sprintf("%d\u00a0×\u00a0%d", px.SizeX, px.SizeY)
	var stack []string
	for _, more := range []struct {
		n    int
		axis string
	}{{px.SizeZ, "z"}, {px.SizeC, "c"}, {px.SizeT, "t"}} {
		if more.n != 1 {
			stack = append(stack, fmt.Sprintf("%d\u00a0%s", more.n, more.axis))
		}
	}
	r.Stack = strings.Join(stack, ", ")
	r.Type = shown(px.Type, mostNameRunes)
	r.Spacing = spacing(px.PhysicalX, px.PhysicalY, px.PhysicalZ)
	for i := range px.Channels {
		if i == mostChannels {
			r.MoreChannels = len(px.Channels) - i
			break
		}
		c := &px.Channels[i]
		r.Channels = append(r.Channels, channelChip{Name: channelName(c, i), Color: colorText(c.Color)})
	}
}

func channelName(c *Channel, i int) string {
	emission := quantityText(c.Emission)
	for _, name := range []*string{c.Name, c.Fluor, &emission} {
		if name != nil && strings.TrimSpace(*name) != "" {
			return shown(*name, mostNameRunes)
		}
	}
	return "Channel " + strconv.Itoa(i)
}

// colorText is a colour without its alpha, as CSS spells it.
func colorText(rgba *int32) template.CSS {
	if rgba == nil {
		return ""
	}
	return template.CSS(fmt.Sprintf("#%06x", uint32(*rgba)>>8))
}

// regions counts the regions of interest of an image and their shapes.
func (p *pager) regions(im *Image) string {
	if len(im.ROIs) == 0 {
		return ""
	}
	shapes := 0
	for _, id := range im.ROIs {
		if r := p.rois[id]; r != nil {
			shapes += len(r.Shapes)
		}
	}
	return fmt.Sprintf("%d (%s)", len(im.ROIs), count(shapes, "shape"))
}

// spacing says how large a pixel is: "0.1 × 0.1 × 0.5 µm".
func spacing(qs ...*Quantity) string {
	var known []*Quantity
	same := true
	for _, q := range qs {
		if q != nil {
			known = append(known, q)
			same = same && q.Unit == known[0].Unit
		}
	}
	var parts []string
	for i, q := range known {
		if same && i < len(known)-1 {
			parts = append(parts, numberText(q.Value))
			continue
		}
		parts = append(parts, quantityText(q))
	}
	return strings.Join(parts, "\u00a0× ")
}

func stageText(s *StageLabel) string {
	var at []string
	for _, q := range []*Quantity{s.X, s.Y, s.Z} {
		if q != nil {
			at = append(at, quantityText(q))
		}
	}
	if len(at) == 0 {
		return s.Name
	}
	return strings.TrimSpace(s.Name + " (" + strings.Join(at, ", ") + ")")
}

func quantityText(q *Quantity) string {
	if q == nil {
		return ""
	}
	return shown(numberText(q.Value)+"\u00a0"+q.Unit, mostNameRunes)
}

// numberText writes a number with no more digits than people read.
func numberText(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
