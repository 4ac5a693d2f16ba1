package sample

import (
	"time"

	"omerods/internal/sandbox/store"
)

// annotations makes tags, key-value pairs, comments, a rating, attachments and
// the rarer kinds.
func (s *study) annotations() error {
	l, img := s.ada, s.glomerulus
	images := l.t.Store.Collection("Dataset", l.t.Store.Find("Dataset", func(r *store.Row) bool { return r.Text("name") == "Confocal" }).ID, "imageLinks")

	set, err := l.create("TagAnnotation", store.Values{"textValue": "Stains", "ns": nsTagSet, "description": "What was stained"})
	if err != nil {
		return err
	}
	for _, text := range []string{"DAPI", "Phalloidin", "Färbung: LAMP1"} {
		tag, err := l.create("TagAnnotation", store.Values{"textValue": text, "description": "a stain"})
		if err != nil {
			return err
		}
		if _, err := l.create("AnnotationAnnotationLink", store.Values{"parent": set, "child": tag}); err != nil {
			return err
		}
		if err := l.link("Image", img, tag); err != nil {
			return err
		}
		if text != "DAPI" {
			continue
		}
		// A tag that several objects share.
		if err := l.link("Project", s.kidney, tag); err != nil {
			return err
		}
		for _, link := range images {
			if id := link.Ref("child"); id != img.ID {
				if err := l.link("Image", l.t.Store.Get("Image", id), tag); err != nil {
					return err
				}
			}
		}
	}

	for _, a := range []struct {
		on    string
		row   *store.Row
		kind  string
		value store.Values
	}{
		// Keys come twice and the order matters.
		{"Image", img, "MapAnnotation", store.Values{"ns": nsMap, "mapValue": []store.NamedValue{
			{Name: "species", Value: "mouse"}, {Name: "stain", Value: "DAPI"}, {Name: "stain", Value: "phalloidin"},
			{Name: "age", Value: "12 weeks"}, {Name: "stain", Value: "LAMP1"}, {Name: "Gewebe", Value: "Nierenkörperchen <Mark & Rinde>"}, {Name: "empty", Value: ""},
		}}},
		{"Project", s.kidney, "MapAnnotation", store.Values{"ns": nsMap, "mapValue": []store.NamedValue{
			{Name: "study", Value: "KID-2024-05"}, {Name: "funding", Value: "none"}, {Name: "url", Value: "https://example.org/kidney?a=1&b=2"},
		}}},
		{"Image", img, "MapAnnotation", store.Values{"ns": "example.org/pipeline", "mapValue": []store.NamedValue{{Name: "version", Value: "1.2"}}}},
		{"Image", img, "CommentAnnotation", store.Values{"textValue": "The lower left is a little out of focus."}},
		{"Project", s.kidney, "CommentAnnotation", store.Values{"textValue": "Nächste Woche fertig."}},
		{"Image", img, "LongAnnotation", store.Values{"ns": nsRating, "longValue": 4}},
		{"Image", img, "DoubleAnnotation", store.Values{"ns": "example.org/focus", "doubleValue": 0.875}},
		{"Image", img, "BooleanAnnotation", store.Values{"ns": "example.org/checked", "boolValue": true}},
		{"Image", img, "TimestampAnnotation", store.Values{"ns": "example.org/embedded", "timeValue": day(3).Add(time.Hour)}},
		{"Image", img, "TermAnnotation", store.Values{"ns": "example.org/anatomy", "termValue": "UBERON:0000074"}},
		{"Image", img, "XmlAnnotation", store.Values{"ns": "example.org/settings", "textValue": `<settings laser="488" power="3.5"/>`}},
	} {
		if _, err := l.annotate(a.on, a.row, a.kind, a.value); err != nil {
			return err
		}
	}
	// What another member says about ada's image.
	_, err = s.grace.annotate("Image", img, "CommentAnnotation", store.Values{"textValue": "Lovely! May I use this for the talk?"})
	if err != nil {
		return err
	}

	// A tag of a third member, on what is not his.
	_, err = s.juergen.annotate("Image", img, "TagAnnotation", store.Values{"textValue": "für den Jahresbericht"})
	if err != nil {
		return err
	}

	protocol := "Protocol\n\n1. Fix overnight.\n2. Cut sections of 5 µm.\n3. Stain with DAPI, phalloidin and LAMP1.\n"
	if err := l.attach("Project", s.kidney, "protocol.md", "text/markdown", []byte(protocol)); err != nil {
		return err
	}
	if err := l.attach("Image", img, "Zählung äöü.csv", "text/csv", []byte("cell,area,mean\n1,412.5,1893\n2,388.0,2041\n")); err != nil {
		return err
	}
	return nil
}
