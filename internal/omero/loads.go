package omero

import (
	"context"
	"fmt"
	"slices"
)

// LinkedImages says which of the images are in a dataset.
func (c *Client) LinkedImages(ctx context.Context, images []int64) (map[int64]bool, error) {
	rows, err := c.rowsFor(ctx, `select l.child.id, l.id from DatasetImageLink l where l.child.id in (:ids) order by l.id`, unique(images))
	if err != nil {
		return nil, fmt.Errorf("datasets of images: %w", err)
	}
	in := make(map[int64]bool, len(rows))
	for _, r := range rows {
		in[r.id(0)] = true
	}
	return in, nil
}

// OwnAnnotations finds the user's annotations in a namespace that have a
// description, which for those made by a program is the program's own key.
func (c *Client) OwnAnnotations(ctx context.Context, kind AnnotationKind, namespace, description string) ([]int64, error) {
	rows, err := c.rows(ctx, `select a.id from `+string(kind)+` a where a.ns = :ns and a.description = :key `+
		`and a.details.owner.id = :uid order by a.id`, params{"ns": namespace, "key": description, "uid": c.who.User})
	if err != nil {
		return nil, fmt.Errorf("own annotations: %w", err)
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.id(0)
	}
	return ids, nil
}

// AnnotatedObject finds the object of a kind that has an annotation.
func (c *Client) AnnotatedObject(ctx context.Context, kind Kind, annotation int64) (id int64, ok bool, err error) {
	r, ok, err := c.first(ctx, `select l.parent.id from `+string(kind)+`AnnotationLink l where l.child.id = :id order by l.id`,
		params{"id": annotation})
	if err != nil || !ok {
		return 0, false, err
	}
	return r.id(0), true, nil
}

// OwnTags finds the user's tags and tag sets in a group by their texts, the
// oldest first.
func (c *Client) OwnTags(ctx context.Context, group int64, texts []string) ([]Annotation, error) {
	var found []Annotation
	for part := range slices.Chunk(texts, 500) {
		rows, err := c.rows(ctx, annotationColumns+meta("a")+`, a.textValue from TagAnnotation a `+
			`where a.textValue in (:texts) and a.details.owner.id = :uid and a.details.group.id = :gid order by a.id`,
			params{"texts": slices.Clone(part), "uid": c.who.User, "gid": group})
		if err != nil {
			return nil, fmt.Errorf("own tags: %w", err)
		}
		for _, r := range rows {
			a := r.annotation(TagAnnotation)
			a.Text = r.str(8)
			found = append(found, a)
		}
	}
	return found, nil
}

// NotedTags tells which tags have annotations of their own, apart from the tags
// of a set. Namespaces of annotations that begin with except do not count.
func (c *Client) NotedTags(ctx context.Context, tags []int64, except string) (map[int64]bool, error) {
	rows, err := c.rowsFor(ctx, `select l.id, l.parent.id from AnnotationAnnotationLink l join l.child a where l.parent.id in (:ids) `+
		`and (l.parent.ns is null or l.parent.ns <> '`+NamespaceTagSet+`' or not exists (select t.id from TagAnnotation t where t.id = l.child.id))`+
		notIn("a", except)+` order by l.id`, unique(tags))
	if err != nil {
		return nil, fmt.Errorf("annotations of tags: %w", err)
	}
	noted := make(map[int64]bool, len(rows))
	for _, r := range rows {
		noted[r.id(1)] = true
	}
	return noted, nil
}
