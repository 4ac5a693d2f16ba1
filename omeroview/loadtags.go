package omeroview

import (
	"context"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// used says whether an annotation belongs to anything that is loaded. What
// belongs to a tag that was there already is there with it.
func (f *finisher) used() map[pack.ID]bool {
	used := map[pack.ID]bool{}
	for _, l := range f.spec.Document.Links {
		if f.notes[l.To] != nil && (!f.reused[l.From] || f.isSet(l.From)) {
			used[l.To] = true
		}
		if f.notes[l.From] != nil {
			used[l.From] = true
		}
	}
	return used
}

func (f *finisher) isSet(id pack.ID) bool {
	a := f.notes[id]
	return a != nil && a.Kind == pack.TagAnnotation && a.Namespace == omero.NamespaceTagSet
}

// reuseTags finds tags and tag sets that say the same, as tags are meant to be
// shared, and a load must not multiply them. On the server that the pack comes
// from it is the very tag, whoever's it is, as long as the user may link it;
// else the user's own tag of the same text.
func (f *finisher) reuseTags(ctx context.Context) error {
	tags := map[pack.ID]*pack.Annotation{}
	for id, a := range f.notes {
		if a.Kind == pack.TagAnnotation {
			tags[id] = a
		}
	}
	if f.spec.Ours && f.sameServer() {
		if err := f.sameTags(ctx, tags); err != nil {
			return err
		}
	}
	var texts []string
	for id, a := range tags {
		if !f.reused[id] {
			texts = append(texts, a.Text)
		}
	}
	slices.Sort(texts)
	found, err := f.client.OwnTags(ctx, f.group, slices.Compact(texts))
	if err != nil {
		return err
	}
	for id, a := range tags {
		i := slices.IndexFunc(found, func(t omero.Annotation) bool {
			return t.Text == a.Text && t.Namespace == a.Namespace && t.Description == a.Description
		})
		if i >= 0 && !f.reused[id] {
			f.reuse(id, found[i].ID)
		}
	}
	return nil
}

func (f *finisher) reuse(id pack.ID, tag int64) {
	f.refs[id] = omero.Existing(omero.Kind(omero.TagAnnotation), tag)
	f.reused[id] = true
}

// sameTags finds the tags by their ids.
func (f *finisher) sameTags(ctx context.Context, tags map[pack.ID]*pack.Annotation) error {
	ids := make([]int64, 0, len(tags))
	for id := range tags {
		if n, ok := id.Number(); ok {
			ids = append(ids, n)
		}
	}
	live, err := f.client.Annotations(ctx, ids)
	if err != nil {
		return err
	}
	rights, err := f.client.RightsOn(ctx, omero.Kind(omero.TagAnnotation), ids)
	if err != nil {
		return err
	}
	for _, t := range live {
		id := pack.NewID(pack.KindAnnotation, t.ID)
		a := tags[id]
		if a != nil && t.Kind == omero.TagAnnotation && t.Text == a.Text && t.Namespace == a.Namespace && t.Group == f.group && rights[t.ID].Annotate {
			f.reuse(id, t.ID)
		}
	}
	return nil
}
