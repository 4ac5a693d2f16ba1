package omero

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// Screen is a set of plates.
type Screen struct {
	Container
	Type                                        string
	ProtocolIdentifier, ProtocolDescription     string
	ReagentSetIdentifier, ReagentSetDescription string
}

// Plate is a grid of wells.
type Plate struct {
	Container
	Rows, Columns           *int   // nil when the importer did not know
	RowNaming, ColumnNaming string // "letter" or "number", "" when not known
	OriginX, OriginY        *Quantity
	DefaultField            *int
	Status                  string
	ExternalIdentifier      string
}

// Run is one pass of a microscope over a plate.
type Run struct {
	ID, Plate     int64
	Name          string
	Description   string
	Start, End    time.Time // zero when not known
	MaximumFields *int
	Meta
}

// Well is one place of a plate.
type Well struct {
	ID, Plate           int64
	Row, Column         int // from 0
	Type                string
	Status              string
	ExternalIdentifier  string
	ExternalDescription string
	Color               *int32 // RGBA, red in the top byte
	Meta
}

// Field is one image of a well, which OMERO calls a well sample.
type Field struct {
	ID, Plate, Well int64
	Run             int64 // 0 for none
	Index           int   // its place in the well, over all runs
	X, Y            *Quantity
	Timepoint       time.Time // zero when not known
	Image           int64
	ImageName       string
	Fileset         int64 // of the image, 0 for none
}

// Reagent is something that the wells of a screen may hold.
type Reagent struct {
	ID, Screen  int64
	Name        string
	Identifier  string
	Description string
	Meta
}

// WellName is what people call a well of the plate, such as "B12".
func (p Plate) WellName(row, column int) string {
	return placeName(p.RowNaming, "letter", row) + placeName(p.ColumnNaming, "number", column)
}

// placeName spells a row or column, counted from 0, by the naming convention
// of OME: numbers begin with 1, letters go on with AA after Z.
func placeName(convention, otherwise string, n int) string {
	if convention == "" {
		convention = otherwise
	}
	if convention != "letter" {
		return strconv.Itoa(n + 1)
	}
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

const screenColumns = `o.type, o.protocolIdentifier, o.protocolDescription, o.reagentSetIdentifier, o.reagentSetDescription`

// containerColumnCount is how many columns containerColumns makes.
const containerColumnCount = 7

// Screens returns screens by their ids; those that are gone are missing.
// [Client.Containers] lists those of an owner.
func (c *Client) Screens(ctx context.Context, ids []int64) ([]Screen, error) {
	rows, err := c.rowsFor(ctx, `select `+containerColumns("o")+`, `+screenColumns+` from Screen o where o.id in (:ids) order by o.id`, unique(ids))
	if err != nil {
		return nil, fmt.Errorf("screens: %w", err)
	}
	list := make([]Screen, len(rows))
	for i, r := range rows {
		const at = containerColumnCount
		list[i] = Screen{Container: r.container(KindScreen, 0), Type: r.str(at), ProtocolIdentifier: r.str(at + 1), ProtocolDescription: r.str(at + 2),
			ReagentSetIdentifier: r.str(at + 3), ReagentSetDescription: r.str(at + 4)}
	}
	return list, nil
}

const plateColumns = `p.rows, p.columns, p.rowNamingConvention, p.columnNamingConvention, p.wellOriginX, p.wellOriginY, ` +
	`p.defaultSample, p.status, p.externalIdentifier`

func (r row) plate(i int) Plate {
	p := Plate{Container: r.container(KindPlate, i)}
	i += containerColumnCount
	p.Rows, p.Columns, p.RowNaming, p.ColumnNaming = r.numOrNil(i), r.numOrNil(i+1), r.str(i+2), r.str(i+3)
	p.OriginX, p.OriginY, p.DefaultField = r.quantity(i+4), r.quantity(i+5), r.numOrNil(i+6)
	p.Status, p.ExternalIdentifier = r.str(i+7), r.str(i+8)
	return p
}

func toPlates(rows []row, err error) ([]Plate, error) {
	if err != nil {
		return nil, fmt.Errorf("plates: %w", err)
	}
	list := make([]Plate, len(rows))
	for i, r := range rows {
		list[i] = r.plate(0)
	}
	return list, nil
}

// Plates returns plates by their ids; those that are gone are missing.
func (c *Client) Plates(ctx context.Context, ids []int64) ([]Plate, error) {
	return toPlates(c.rowsFor(ctx, `select `+containerColumns("p")+`, `+plateColumns+` from Plate p where p.id in (:ids) order by p.id`, unique(ids)))
}

// OrphanPlates lists the plates of an owner in a group that are in no screen.
func (c *Client) OrphanPlates(ctx context.Context, group, owner int64) ([]Plate, error) {
	return toPlates(c.rows(ctx, `select `+containerColumns("p")+`, `+plateColumns+` from Plate p `+
		`where p.details.group.id = :gid and p.details.owner.id = :uid `+
		`and not exists (select l.id from ScreenPlateLink l where l.child = p) order by p.id`, params{"gid": group, "uid": owner}))
}

// PlatesOf lists the plates of screens, with the links between them.
func (c *Client) PlatesOf(ctx context.Context, screens []int64) ([]Plate, []Child, error) {
	rows, err := c.rowsFor(ctx, `select l.id, l.parent.id, `+containerColumns("p")+`, `+plateColumns+` from ScreenPlateLink l join l.child p `+
		`where l.parent.id in (:ids) order by p.id, l.id`, unique(screens))
	if err != nil {
		return nil, nil, fmt.Errorf("plates: %w", err)
	}
	var list []Plate
	var links []Child
	seen := make(map[int64]bool)
	pairs := make(map[Child]bool)
	for _, r := range rows {
		p := r.plate(2)
		if !seen[p.ID] {
			seen[p.ID] = true
			list = append(list, p)
		}
		links = appendChild(links, pairs, Child{Link: r.id(0), Parent: r.id(1), ID: p.ID})
	}
	return list, links, nil
}

// RunsOf lists the runs of plates, by plate and id.
func (c *Client) RunsOf(ctx context.Context, plates []int64) ([]Run, error) {
	rows, err := c.rowsFor(ctx, `select a.id, a.plate.id, a.name, a.description, a.startTime, a.endTime, a.maximumFieldCount, `+meta("a")+
		` from PlateAcquisition a where a.plate.id in (:ids) order by a.plate.id, a.id`, unique(plates))
	if err != nil {
		return nil, fmt.Errorf("runs: %w", err)
	}
	list := make([]Run, len(rows))
	for i, r := range rows {
		list[i] = Run{ID: r.id(0), Plate: r.id(1), Name: r.str(2), Description: r.str(3), Start: r.time(4), End: r.time(5),
			MaximumFields: r.numOrNil(6), Meta: r.meta(7)}
	}
	return list, nil
}

// WellsOf lists the wells of plates, by plate, row and column. Wells without
// images are among them.
func (c *Client) WellsOf(ctx context.Context, plates []int64) ([]Well, error) {
	rows, err := c.rowsFor(ctx, `select w.id, w.plate.id, w.row, w.column, w.type, w.status, w.externalIdentifier, w.externalDescription, `+
		`w.red, w.green, w.blue, w.alpha, `+meta("w")+` from Well w where w.plate.id in (:ids) order by w.plate.id, w.row, w.column, w.id`, unique(plates))
	if err != nil {
		return nil, fmt.Errorf("wells: %w", err)
	}
	list := make([]Well, len(rows))
	for i, r := range rows {
		list[i] = Well{ID: r.id(0), Plate: r.id(1), Row: r.num(2), Column: r.num(3), Type: r.str(4), Status: r.str(5),
			ExternalIdentifier: r.str(6), ExternalDescription: r.str(7), Color: colorOf(r.numOrNil(8), r.numOrNil(9), r.numOrNil(10), r.numOrNil(11)),
			Meta: r.meta(12)}
	}
	return list, nil
}

// FieldsOf lists the fields of plates, by plate, row and column of the well,
// and their place in it. Fields whose image the user does not see are missing.
func (c *Client) FieldsOf(ctx context.Context, plates []int64) ([]Field, error) {
	rows, err := c.rowsFor(ctx, `select ws.id, w.plate.id, w.id, ws.plateAcquisition.id, index(ws), ws.posX, ws.posY, ws.timepoint, `+
		`i.id, i.name, i.fileset.id from Well w join w.wellSamples ws join ws.image i where w.plate.id in (:ids) `+
		`order by w.plate.id, w.row, w.column, w.id, index(ws), ws.id`, unique(plates))
	if err != nil {
		return nil, fmt.Errorf("fields: %w", err)
	}
	list := make([]Field, len(rows))
	for i, r := range rows {
		list[i] = Field{ID: r.id(0), Plate: r.id(1), Well: r.id(2), Run: r.id(3), Index: r.num(4), X: r.quantity(5), Y: r.quantity(6),
			Timepoint: r.time(7), Image: r.id(8), ImageName: r.str(9), Fileset: r.id(10)}
	}
	return list, nil
}

// ImagesOfPlates lists the images in the wells of plates, with the plates they
// are in; the links are those fields of each image and plate that come first.
func (c *Client) ImagesOfPlates(ctx context.Context, plates []int64) ([]Image, []Child, error) {
	rows, err := c.rowsFor(ctx, `select ws.id, w.plate.id, `+imageColumns("i")+` from WellSample ws join ws.well w join ws.image i `+
		`where w.plate.id in (:ids) order by i.id, ws.id`, unique(plates))
	if err != nil {
		return nil, nil, fmt.Errorf("images of plates: %w", err)
	}
	list, links := imagesWithParents(rows)
	return list, links, nil
}

const reagentColumns = `r.id, r.screen.id, r.name, r.reagentIdentifier, r.description, `

func toReagents(rows []row, err error) ([]Reagent, error) {
	if err != nil {
		return nil, fmt.Errorf("reagents: %w", err)
	}
	list := make([]Reagent, len(rows))
	for i, r := range rows {
		list[i] = Reagent{ID: r.id(0), Screen: r.id(1), Name: r.str(2), Identifier: r.str(3), Description: r.str(4), Meta: r.meta(5)}
	}
	return list, nil
}

// ReagentsOf lists the reagents of screens, by screen and id.
func (c *Client) ReagentsOf(ctx context.Context, screens []int64) ([]Reagent, error) {
	return toReagents(c.rowsFor(ctx, `select `+reagentColumns+meta("r")+` from Reagent r where r.screen.id in (:ids) order by r.screen.id, r.id`, unique(screens)))
}

// ReagentsByID returns reagents by their ids; those that are gone are missing.
func (c *Client) ReagentsByID(ctx context.Context, ids []int64) ([]Reagent, error) {
	return toReagents(c.rowsFor(ctx, `select `+reagentColumns+meta("r")+` from Reagent r where r.id in (:ids) order by r.id`, unique(ids)))
}

// ReagentsInWells lists which reagents the wells of plates hold: the parents
// are wells, the ids are reagents.
func (c *Client) ReagentsInWells(ctx context.Context, plates []int64) ([]Child, error) {
	rows, err := c.rowsFor(ctx, `select l.id, l.parent.id, l.child.id from WellReagentLink l where l.parent.plate.id in (:ids) order by l.id`, unique(plates))
	if err != nil {
		return nil, fmt.Errorf("reagents in wells: %w", err)
	}
	var list []Child
	pairs := make(map[Child]bool)
	for _, r := range rows {
		list = appendChild(list, pairs, Child{Link: r.id(0), Parent: r.id(1), ID: r.id(2)})
	}
	return list, nil
}
