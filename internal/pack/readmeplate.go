package pack

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
)

// grid is a plate drawn as a table of its wells.
type grid struct {
	Columns []string
	Rows    []gridRow
	Cut     bool // the plate is larger
	Small   bool // so many columns that the pictures are small
}

type gridRow struct {
	Name  string
	Wells []gridWell
}

// gridWell is a place of a plate.
type gridWell struct {
	Place  string
	Exists bool
	Title  string
	Src    template.URL // of its picture, "" for none
	Href   template.URL // of its first image in the table
	Fields int
	Color  template.CSS
}

// smallGrid is from how many columns on the wells are drawn small.
const smallGrid = 13

func compareWells(a, b *Well) int {
	return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column))
}

func (p *pager) plate(pl *Plate) section {
	s := section{Anchor: p.anchor(pl.ID), Kind: "Plate", Name: p.name(pl.Name, pl.ID)}
	wells := make([]*Well, len(pl.Wells))
	for i := range pl.Wells {
		wells[i] = &pl.Wells[i]
	}
	slices.SortStableFunc(wells, compareWells)
	runs := make(map[ID]int, len(wells))
	for i := range pl.Runs {
		for _, id := range pl.Runs[i].Samples {
			runs[id] = i + 1
		}
	}
	var ids []ID
	fields := 0
	for _, w := range wells {
		place := pl.wellName(w.Row, w.Column)
		inRun := make(map[int]int) // fields so far, by run
		for k := range w.Samples {
			fields++
			run := runs[w.Samples[k].ID]
			inRun[run]++
			id := w.Samples[k].Image
			if id == "" || p.places[id] != "" {
				continue
			}
			ids = append(ids, id)
			p.places[id] = place
			if len(pl.Runs) > 1 && run > 0 {
				p.places[id] += fmt.Sprintf(", run %d", run)
			}
			if len(w.Samples) > 1 {
				p.places[id] += fmt.Sprintf(", field %d", inRun[run])
			}
		}
	}
	contents := count(len(wells), "well") + ", " + count(fields, "field")
	if len(pl.Runs) > 0 {
		contents += ", " + count(len(pl.Runs), "run")
	}
	var f facts
	if pl.ID == p.doc.Origin.Object { // the head of the page says the rest
		s.Kind, s.Name = "Images", "Wells"
		f.add("Contents", contents)
	} else {
		s.Description = shown(pl.Description, mostTextRunes)
		s.Notes = p.notesOf(pl.ID)
		f = p.sectionFacts(pl.ID, pl.Details, contents)
	}
	f.add("Status", pl.Status)
	f.add("External identifier", pl.ExternalIdentifier)
	for i, r := range pl.Runs {
		if i == mostNotes {
			break
		}
		f.add("Run", p.runText(&r))
	}
	s.Facts = f
	s.Grid = p.grid(pl, wells)
	p.fill(&s, ids)
	s.Grid.refer(&s)
	return s
}

// runText says what a run is and how long it took.
func (p *pager) runText(r *Run) string {
	text := p.name(r.Name, r.ID)
	if !r.Start.IsZero() {
		text += ", " + dateText(r.Start)
	}
	if !r.End.IsZero() {
		text += " to " + dateText(r.End)
	}
	return text
}

// grid draws the part of a plate that has wells, or as much of it as fits.
func (p *pager) grid(pl *Plate, wells []*Well) *grid {
	rows, cols := 0, 0
	for _, w := range wells {
		rows, cols = max(rows, w.Row+1), max(cols, w.Column+1)
	}
	if pl.Rows != nil {
		rows = max(rows, *pl.Rows)
	}
	if pl.Columns != nil {
		cols = max(cols, *pl.Columns)
	}
	g := &grid{Cut: rows > mostWellRows || cols > mostWellCols}
	rows, cols = min(rows, mostWellRows), min(cols, mostWellCols)
	g.Small = cols >= smallGrid
	for c := range cols {
		g.Columns = append(g.Columns, axisName(c, pl.ColumnNaming, "number"))
	}
	for r := range rows {
		row := gridRow{Name: axisName(r, pl.RowNaming, "letter"), Wells: make([]gridWell, cols)}
		for c := range row.Wells {
			row.Wells[c].Place = pl.wellName(r, c)
		}
		g.Rows = append(g.Rows, row)
	}
	for _, w := range wells {
		if w.Row >= rows || w.Column >= cols {
			continue
		}
		cell := &g.Rows[w.Row].Wells[w.Column]
		cell.Exists = true
		cell.Fields += len(w.Samples)
		cell.Color = colorText(w.Color)
		cell.Title = shown(joinWords(w.Type, w.ExternalDescription, w.ExternalIdentifier), mostNameRunes)
		if id := w.picture(); id != "" {
			cell.Src = p.thumbnail(id)
			cell.Href = template.URL("#" + string(id)) // until the images have anchors
		}
	}
	return g
}

// refer makes the wells refer to the images that are listed.
func (g *grid) refer(s *section) {
	anchors := make(map[string]string, len(s.Images))
	for i := range s.Images {
		anchors["#"+string(s.Images[i].id)] = s.Images[i].Anchor
	}
	for r := range g.Rows {
		for c := range g.Rows[r].Wells {
			w := &g.Rows[r].Wells[c]
			if a := anchors[string(w.Href)]; a != "" {
				w.Href = template.URL("#" + a)
			} else {
				w.Href = ""
			}
		}
	}
}

// wellName is the place of a well as people call it: "B3".
func (p *Plate) wellName(row, column int) string {
	r, c := axisName(row, p.RowNaming, "letter"), axisName(column, p.ColumnNaming, "number")
	if len(r) > 0 && len(c) > 0 && r[len(r)-1] <= '9' && c[0] <= '9' || r[0] > '9' && c[0] > '9' {
		return r + "-" + c
	}
	return r + c
}

// axisName names a row or column: A, B … Z, AA, or 1, 2 ….
func axisName(i int, naming, otherwise string) string {
	if naming != "letter" && naming != "number" {
		naming = otherwise
	}
	if naming == "number" {
		return strconv.Itoa(i + 1)
	}
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}
