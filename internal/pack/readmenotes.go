package pack

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// nsRating is the namespace of the ratings that OMERO's clients give, from 1
// to 5 stars.
const nsRating = "openmicroscopy.org/omero/insight/rating"

// nsClientMap is the namespace of the key-value pairs that people type into
// OMERO's clients; others are those of programs and are named.
const nsClientMap = "openmicroscopy.org/omero/client/mapAnnotation"

// notes is what people said of an object.
type notes struct {
	Tags     []tag
	Ratings  []stars
	Pairs    []pairs
	Comments []comment
	Files    []attached
	Others   []fact
	More     int // that are not shown
}

type tag struct{ Text, Title string }

type stars struct {
	Of   string // five characters
	Text string
}

type pairs struct {
	Namespace string
	Pairs     []Pair
	More      int
}

type comment struct {
	Text, By, When, Time string
}

type attached struct {
	Name, Size string
	Href       template.URL
}

// notesOf gathers the annotations of an object; nil when it has none.
func (p *pager) notesOf(id ID) *notes {
	var n notes
	for _, l := range p.of[id] {
		a := p.notes[l.To]
		if a == nil {
			continue
		}
		if !p.note(&n, a, l) {
			n.More++
		}
	}
	if n.empty() {
		return nil
	}
	return &n
}

func (n *notes) empty() bool {
	return len(n.Tags)+len(n.Ratings)+len(n.Pairs)+len(n.Comments)+len(n.Files)+len(n.Others)+n.More == 0
}

// note shows an annotation, unless there are many of its kind already.
func (p *pager) note(n *notes, a *Annotation, l *Link) bool {
	switch a.Kind {
	case TagAnnotation:
		if len(n.Tags) == mostNotes {
			return false
		}
		n.Tags = append(n.Tags, tag{Text: shown(a.Text, mostNameRunes), Title: shown(a.Description, mostValueRunes)})
	case MapAnnotation:
		if len(n.Pairs) == mostNotes {
			return false
		}
		n.Pairs = append(n.Pairs, pairsOf(a))
	case CommentAnnotation:
		if len(n.Comments) == mostNotes {
			return false
		}
		c := comment{Text: shown(a.Text, mostTextRunes), By: shown(p.person(a.Details.Owner), mostNameRunes)}
		if !a.Details.Created.IsZero() {
			c.When, c.Time = dateText(a.Details.Created), dateMark(a.Details.Created)
		}
		n.Comments = append(n.Comments, c)
	case FileAnnotation:
		if len(n.Files) == mostNotes || a.File == nil {
			return false
		}
		f := attached{Name: shown(a.File.Name, mostNameRunes), Size: byteCount(a.File.Size)}
		if p.files[a.File.Path] != nil {
			f.Href = link(a.File.Path)
		}
		n.Files = append(n.Files, f)
	case LongAnnotation:
		if a.Null {
			return n.other(a, "")
		}
		if a.Namespace == nsRating && a.Long >= 1 && a.Long <= 5 {
			if len(n.Ratings) == mostNotes {
				return false
			}
			s := stars{Of: strings.Repeat("★", int(a.Long)) + strings.Repeat("☆", 5-int(a.Long)), Text: fmt.Sprintf("%d of 5 stars", a.Long)}
			if l.By != p.doc.Origin.Owner {
				s.Text += " by " + shown(p.person(l.By), mostNameRunes)
			}
			n.Ratings = append(n.Ratings, s)
			return true
		}
		return n.other(a, strconv.FormatInt(a.Long, 10))
	case DoubleAnnotation:
		return n.other(a, strconv.FormatFloat(a.Double, 'g', -1, 64))
	case BooleanAnnotation:
		return n.other(a, map[bool]string{true: "yes", false: "no"}[a.Bool])
	case TimestampAnnotation:
		return n.other(a, dateText(a.Time))
	case TermAnnotation, XMLAnnotation:
		return n.other(a, a.Text)
	default:
		return n.other(a, a.Description)
	}
	return true
}

// other shows an annotation of a rarer kind.
func (n *notes) other(a *Annotation, value string) bool {
	if len(n.Others) == mostNotes {
		return false
	}
	label := a.Namespace
	if label == "" {
		label = string(a.Kind)
	}
	n.Others = append(n.Others, fact{Label: shown(label, mostNameRunes), Value: shown(value, mostValueRunes)})
	return true
}

func pairsOf(a *Annotation) pairs {
	out := pairs{}
	if a.Namespace != nsClientMap {
		out.Namespace = shown(a.Namespace, mostNameRunes)
	}
	for i, kv := range a.Pairs {
		if i == mostNotes {
			out.More = len(a.Pairs) - i
			break
		}
		out.Pairs = append(out.Pairs, Pair{Key: shown(kv.Key, mostValueRunes), Value: shown(kv.Value, mostValueRunes)})
	}
	return out
}

// size is the text of the notes in bytes, with that of the elements around it,
// roughly.
func (n *notes) size() int {
	if n == nil {
		return 0
	}
	const element = 60
	size := 100
	for _, t := range n.Tags {
		size += element + len(t.Text) + len(t.Title)
	}
	for _, m := range n.Pairs {
		size += 2*element + len(m.Namespace)
		for _, kv := range m.Pairs {
			size += element + len(kv.Key) + len(kv.Value)
		}
	}
	for _, c := range n.Comments {
		size += 2*element + len(c.Text) + len(c.By)
	}
	for _, f := range n.Files {
		size += element + len(f.Name) + len(f.Href)
	}
	for _, o := range n.Others {
		size += element + len(o.Label) + len(o.Value)
	}
	return size + len(n.Ratings)*2*element
}
