package omero

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// NamespaceFigure is that of the file annotations in which OMERO.figure keeps
// its figures.
const NamespaceFigure = "omero.web.figure.json"

// Figure is a figure of OMERO.figure. That program links it to nothing.
type Figure struct {
	Annotation int64
	Image      int64 // the first that the figure shows
	event      [2]int64
	content    string // of its file, which that program writes anew in place
	changed    time.Time
}

// FiguresIn lists the figures whose first image belongs to an object, as far as
// they are in its group. That image is named in the description of the figure,
// so that no figure has to be read. The number of queries does not depend on
// how many there are, up to 1000.
func (c *Client) FiguresIn(ctx context.Context, kind Kind, id int64) ([]Figure, error) {
	images, ok := imagesOf[kind]
	if !ok {
		return nil, failure(Invalid, "figures", "of a "+string(kind))
	}
	rows, err := c.rows(ctx, `select a.id, a.description, a.details.updateEvent.id, a.details.updateEvent.time, f.details.updateEvent.id, `+
		`f.details.updateEvent.time, `+contentColumns("f")+` from FileAnnotation a join a.file f where a.ns = '`+NamespaceFigure+`' `+
		`and a.details.group.id in (select o.details.group.id from `+string(kind)+` o where o.id = :id) order by a.id`, params{"id": id})
	if err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	var all []Figure
	var shown []int64
	for _, r := range rows {
		var about struct {
			Image json.Number `json:"imageId"`
		}
		if json.Unmarshal([]byte(r.str(1)), &about) != nil {
			continue
		}
		image, err := about.Image.Int64()
		if err != nil {
			continue
		}
		f := Figure{Annotation: r.id(0), Image: image, event: [2]int64{r.id(2), r.id(4)}, changed: r.time(3), content: r.content(6)}
		if at := r.time(5); at.After(f.changed) {
			f.changed = at
		}
		all, shown = append(all, f), append(shown, image)
	}
	in := make(map[int64]bool)
	shown = unique(shown)
	for len(shown) > 0 {
		part := shown[:min(batchIDs, len(shown))]
		shown = shown[len(part):]
		rows, err := c.rows(ctx, `select i.id from Image i where i.id in (:ids) and i.id in (`+images+`) order by i.id`, params{"ids": part, "id": id})
		if err != nil {
			return nil, fmt.Errorf("figures: %w", err)
		}
		for _, r := range rows {
			in[r.id(0)] = true
		}
	}
	var figures []Figure
	for _, f := range all {
		if in[f.Image] {
			figures = append(figures, f)
		}
	}
	return figures, nil
}
