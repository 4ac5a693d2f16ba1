package wild

import (
	"slices"

	"omerods/internal/sandbox/store"
)

// makeTagging puts annotations on tags, and makes tags that say the same as
// others and are not the same.
func (m *maker) makeTagging() error {
	kinds := slices.DeleteFunc(m.noteKinds(), func(kind string) bool { return kind == "TagAnnotation" })
	objects := slices.Concat(m.containers, m.images)
	for _, tag := range slices.Clone(m.tags) {
		if m.chance(3) && !m.noted(tag) {
			if err := m.annotate(m.actor, tag, pick(m, kinds)); err != nil {
				return err
			}
		}
		if !m.chance(4) || m.inSet(tag) {
			continue // a load may take the one that is in a set for the other
		}
		v := store.Values{}
		for _, name := range []string{"textValue", "ns", "name", "description"} {
			v[name] = m.t.Store.Get("TagAnnotation", tag.ID).Get(name)
		}
		twin, err := m.create("TagAnnotation", v)
		if err != nil {
			return err
		}
		o := pick(m, objects)
		if err := m.link(o.Class.Root.Name+"AnnotationLink", o, twin); err != nil {
			return err
		}
	}
	return nil
}

// noted tells whether an annotation is on another one that is no set of tags:
// annotations of annotations of annotations are more than a pack looks for.
func (m *maker) noted(note *store.Row) bool {
	found := false
	m.t.Store.Each("AnnotationAnnotationLink", func(l *store.Row) bool {
		if l.Ref("child") == note.ID {
			parent := m.t.Store.Get("Annotation", l.Ref("parent"))
			found = found || parent == nil || parent.Class.Name != "TagAnnotation" || parent.Text("ns") != namespaces[2]
		}
		return !found
	})
	return found
}

// inSet tells whether a tag is in a set, or on another annotation.
func (m *maker) inSet(tag *store.Row) bool {
	in := false
	m.t.Store.Each("AnnotationAnnotationLink", func(l *store.Row) bool {
		in = in || l.Ref("child") == tag.ID
		return !in
	})
	return in
}
