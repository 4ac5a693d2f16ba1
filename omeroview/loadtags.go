package omeroview

import (
	"context"
	"maps"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// used says whether an annotation belongs to anything that is loaded. What
// belongs to a tag that was there already is there with it.
func (f *finisher) used() map[pack.ID]bool {
	used := map[pack.ID]bool{}
	for _, l := range f.spec.Document.Links {
		if f.notes[l.To] != nil && (!f.reused[l.From] || f.isMember(l)) {
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

// isMember says whether a link puts a tag into a set.
func (f *finisher) isMember(l pack.Link) bool {
	a := f.notes[l.To]
	return a != nil && a.Kind == pack.TagAnnotation && f.isSet(l.From)
}

// reuseTags finds tags and tag sets that say the same, as tags are meant to be
// shared, and a load must not multiply them. On the server that the pack comes
// from it is the very tag, whoever's it is, as long as the user may link it;
// else the user's own tag of the same text, if that loses nothing.
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
	ids := make([]int64, len(found))
	for i, t := range found {
		ids[i] = t.ID
	}
	noted, err := f.client.NotedTags(ctx, ids, OwnNamespaces)
	if err != nil {
		return err
	}
	// Tags that say the same are not the same: each is used for one of the pack.
	taken, says := map[int64]bool{}, f.saying()
	for id := range f.reused {
		taken[f.refs[id].ID()] = true
	}
	for _, id := range slices.SortedFunc(maps.Keys(tags), pack.ID.Compare) {
		a := tags[id]
		if f.reused[id] || says[id] {
			continue
		}
		i := slices.IndexFunc(found, func(t omero.Annotation) bool {
			return t.Text == a.Text && t.Namespace == a.Namespace && t.Name == a.Name && t.Description == a.Description && !taken[t.ID] && !noted[t.ID]
		})
		if i >= 0 {
			f.reuse(id, found[i].ID)
			taken[found[i].ID] = true
		}
	}
	return nil
}

// saying are the tags of the pack that have annotations of their own, which
// would be lost, or put on what others use, if another tag stood for them.
func (f *finisher) saying() map[pack.ID]bool {
	says := map[pack.ID]bool{}
	for _, l := range f.spec.Document.Links {
		if n := f.notes[l.To]; n != nil && !f.isMember(l) {
			says[l.From] = true
		}
	}
	return says
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
