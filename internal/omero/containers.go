package omero

import (
	"context"
	"fmt"
	"time"
)

// Container is a project, a dataset or a screen.
type Container struct {
	Kind        Kind
	ID          int64
	Name        string
	Description string
	Meta
}

// Image is an image without its pixels.
type Image struct {
	ID          int64
	Name        string
	Description string
	Fileset     int64 // 0 for none
	Series      int   // the place within the fileset
	Acquired    time.Time
	Meta
}

// Child is the membership of an object in a container.
type Child struct {
	Link   int64 // id of the link
	Parent int64
	ID     int64
}

const metaColumns = `%[1]s.details.owner.id, %[1]s.details.group.id, %[1]s.details.creationEvent.time, %[1]s.details.updateEvent.time`

func meta(alias string) string { return fmt.Sprintf(metaColumns, alias) }

func (r row) meta(i int) Meta {
	return Meta{Owner: r.id(i), Group: r.id(i + 1), Created: r.time(i + 2), Updated: r.time(i + 3)}
}

func containerColumns(alias string) string {
	return fmt.Sprintf("%[1]s.id, %[1]s.name, %[1]s.description, ", alias) + meta(alias)
}

func (r row) container(kind Kind, i int) Container {
	return Container{Kind: kind, ID: r.id(i), Name: r.str(i + 1), Description: r.str(i + 2), Meta: r.meta(i + 3)}
}

func toContainers(kind Kind, rows []row, err error) ([]Container, error) {
	if err != nil {
		return nil, fmt.Errorf("%ss: %w", kind, err)
	}
	list := make([]Container, len(rows))
	for i, r := range rows {
		list[i] = r.container(kind, 0)
	}
	return list, nil
}

// Containers lists what an owner has of a kind (project, dataset, screen or
// plate) in a group, also what is in other containers.
func (c *Client) Containers(ctx context.Context, kind Kind, group, owner int64) ([]Container, error) {
	rows, err := c.rows(ctx, `select `+containerColumns("o")+` from `+string(kind)+` o `+
		`where o.details.group.id = :gid and o.details.owner.id = :uid order by o.id`, params{"gid": group, "uid": owner})
	return toContainers(kind, rows, err)
}

// ContainersByID returns containers by their ids; those that are gone or not
// visible are missing.
func (c *Client) ContainersByID(ctx context.Context, kind Kind, ids []int64) ([]Container, error) {
	rows, err := c.rowsFor(ctx, `select `+containerColumns("o")+` from `+string(kind)+` o where o.id in (:ids) order by o.id`, unique(ids))
	return toContainers(kind, rows, err)
}

// Container returns one container.
func (c *Client) Container(ctx context.Context, kind Kind, id int64) (Container, error) {
	list, err := c.ContainersByID(ctx, kind, []int64{id})
	if err == nil && len(list) == 0 {
		err = failure(NotFound, string(kind), fmt.Sprintf("no %s %d", kind, id))
	}
	if err != nil {
		return Container{}, err
	}
	return list[0], nil
}

// OrphanDatasets lists the datasets of an owner in a group that are in no
// project.
func (c *Client) OrphanDatasets(ctx context.Context, group, owner int64) ([]Container, error) {
	rows, err := c.rows(ctx, `select `+containerColumns("d")+` from Dataset d `+
		`where d.details.group.id = :gid and d.details.owner.id = :uid `+
		`and not exists (select l.id from ProjectDatasetLink l where l.child = d) order by d.id`,
		params{"gid": group, "uid": owner})
	return toContainers(KindDataset, rows, err)
}

// DatasetsOf lists the datasets of projects, with the links between them.
func (c *Client) DatasetsOf(ctx context.Context, projects []int64) ([]Container, []Child, error) {
	rows, err := c.rowsFor(ctx, `select l.id, l.parent.id, `+containerColumns("d")+` from ProjectDatasetLink l join l.child d `+
		`where l.parent.id in (:ids) order by d.id, l.id`, unique(projects))
	if err != nil {
		return nil, nil, fmt.Errorf("datasets: %w", err)
	}
	var list []Container
	var links []Child
	seen := make(map[int64]bool)
	pairs := make(map[Child]bool)
	for _, r := range rows {
		d := r.container(KindDataset, 2)
		if !seen[d.ID] {
			seen[d.ID] = true
			list = append(list, d)
		}
		links = appendChild(links, pairs, Child{Link: r.id(0), Parent: r.id(1), ID: d.ID})
	}
	return list, links, nil
}

// appendChild leaves out links that another user made a second time.
func appendChild(links []Child, pairs map[Child]bool, l Child) []Child {
	key := Child{Parent: l.Parent, ID: l.ID}
	if pairs[key] {
		return links
	}
	pairs[key] = true
	return append(links, l)
}

func imageColumns(alias string) string {
	return fmt.Sprintf("%[1]s.id, %[1]s.name, %[1]s.description, %[1]s.fileset.id, %[1]s.series, %[1]s.acquisitionDate, ", alias) + meta(alias)
}

func (r row) image(i int) Image {
	return Image{ID: r.id(i), Name: r.str(i + 1), Description: r.str(i + 2), Fileset: r.id(i + 3), Series: r.num(i + 4),
		Acquired: r.time(i + 5), Meta: r.meta(i + 6)}
}

func toImages(rows []row, err error) ([]Image, error) {
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	list := make([]Image, len(rows))
	for i, r := range rows {
		list[i] = r.image(0)
	}
	return list, nil
}

// ImagesOf lists the images of datasets, with the links between them.
func (c *Client) ImagesOf(ctx context.Context, datasets []int64) ([]Image, []Child, error) {
	rows, err := c.rowsFor(ctx, `select l.id, l.parent.id, `+imageColumns("i")+` from DatasetImageLink l join l.child i `+
		`where l.parent.id in (:ids) order by i.id, l.id`, unique(datasets))
	if err != nil {
		return nil, nil, fmt.Errorf("images: %w", err)
	}
	list, links := imagesWithParents(rows)
	return list, links, nil
}

// imagesWithParents reads rows of a link, its parent and its image; each image
// is taken once.
func imagesWithParents(rows []row) ([]Image, []Child) {
	list := make([]Image, 0, len(rows))
	links := make([]Child, 0, len(rows))
	seen := make(map[int64]bool, len(rows))
	pairs := make(map[Child]bool, len(rows))
	for _, r := range rows {
		i := r.image(2)
		if !seen[i.ID] {
			seen[i.ID] = true
			list = append(list, i)
		}
		links = appendChild(links, pairs, Child{Link: r.id(0), Parent: r.id(1), ID: i.ID})
	}
	return list, links
}

// ImagesByID returns images by their ids; those that are gone or not visible
// are missing.
func (c *Client) ImagesByID(ctx context.Context, ids []int64) ([]Image, error) {
	return toImages(c.rowsFor(ctx, `select `+imageColumns("i")+` from Image i where i.id in (:ids) order by i.id`, unique(ids)))
}

// ImagesOfFilesets lists all images of filesets, by fileset and series.
func (c *Client) ImagesOfFilesets(ctx context.Context, filesets []int64) ([]Image, error) {
	return c.ImagesIn(ctx, These(filesets))
}

// ImagesIn is [Client.ImagesOfFilesets] of a selection of filesets.
func (c *Client) ImagesIn(ctx context.Context, filesets Selection) ([]Image, error) {
	return toImages(c.rowsOf(ctx, `select `+imageColumns("i")+` from Image i where i.fileset.id in (:ids) `+
		`order by i.fileset.id, i.series, i.id`, filesets, imagesOfFilesets))
}

// OrphanImages lists the images of an owner in a group that are in no dataset
// and no well. Those that carry an annotation of the namespace mark, when one
// is given, are left out unless they carry one of the namespace done, too.
func (c *Client) OrphanImages(ctx context.Context, group, owner int64, mark, done string) ([]Image, error) {
	query := `select ` + imageColumns("i") + ` from Image i where i.details.group.id = :gid and i.details.owner.id = :uid ` +
		`and not exists (select l.id from DatasetImageLink l where l.child = i) ` +
		`and not exists (select w.id from WellSample w where w.image = i) `
	p := params{"gid": group, "uid": owner}
	if mark != "" {
		query += `and (not exists (select al.id from ImageAnnotationLink al where al.parent = i and al.child.ns = :ns) ` +
			`or exists (select dl.id from ImageAnnotationLink dl where dl.parent = i and dl.child.ns = :done)) `
		p["ns"], p["done"] = mark, done
	}
	return toImages(c.rows(ctx, query+`order by i.id`, p))
}
