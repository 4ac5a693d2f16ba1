package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Verdict is what came of a check.
type Verdict string

// The verdicts.
const (
	Sound     Verdict = "sound"       // everything is there and right
	NotSound  Verdict = "not sound"   // there are Problems
	Unchecked Verdict = "not checked" // it could not be found out; Failures say why
)

// ExitCode is what a program that checks returns: 0, 1 and 2.
func (v Verdict) ExitCode() int {
	switch v {
	case Sound:
		return 0
	case NotSound:
		return 1
	}
	return 2
}

// Or is the verdict on two packs: the worse one. That one is not sound weighs
// more than that another could not be checked.
func (v Verdict) Or(other Verdict) Verdict {
	for _, bad := range []Verdict{NotSound, Unchecked} {
		if v == bad || other == bad {
			return bad
		}
	}
	return Sound
}

// mostFindings is how many findings of a kind a report lists.
const mostFindings = 1000

// Finding is something about a place of the pack.
type Finding struct {
	Place string `json:"place"` // a path in the pack, or an object of it; "" for the whole
	What  string `json:"what"`
}

func (f Finding) String() string {
	if f.Place == "" {
		return plain(f.What)
	}
	return plain(f.Place) + ": " + plain(f.What)
}

// plain makes text fit for a line of a terminal.
func plain(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// Report is the result of a check.
type Report struct {
	Pack      string  `json:"pack"`
	Container string  `json:"container,omitempty"` // folder, tar or zip
	Verdict   Verdict `json:"verdict"`

	Object string `json:"object,omitempty"` // what the pack is of: "Project:7"
	Name   string `json:"name,omitempty"`   // of that
	Origin string `json:"origin,omitempty"` // the server it comes from
	Writer string `json:"writer,omitempty"` // the program that wrote it

	Files  int   `json:"files"`  // that were read
	Bytes  int64 `json:"bytes"`  // of these
	Hashed int   `json:"hashed"` // files whose content was compared with a sum

	Problems []Finding `json:"problems,omitempty"` // what makes it not sound
	Failures []Finding `json:"failures,omitempty"` // what could not be read
	Notes    []Finding `json:"notes,omitempty"`    // what is worth knowing
	More     int       `json:"more,omitempty"`     // findings that are not listed

	problems, failures int
}

func (r *Report) add(list *[]Finding, place, format string, args ...any) {
	if len(*list) == mostFindings {
		r.More++
		return
	}
	*list = append(*list, Finding{Place: place, What: fmt.Sprintf(format, args...)})
}

func (r *Report) problem(place, format string, args ...any) {
	r.problems++
	r.add(&r.Problems, place, format, args...)
}

func (r *Report) fail(place, what string) {
	r.failures++
	r.add(&r.Failures, place, "cannot be checked: %s", what)
}

func (r *Report) note(place, format string, args ...any) { r.add(&r.Notes, place, format, args...) }

func (r *Report) finish() {
	switch {
	case r.problems > 0:
		r.Verdict = NotSound
	case r.failures > 0:
		r.Verdict = Unchecked
	default:
		r.Verdict = Sound
	}
}

// Text is the report for people: a line for each finding, which begins with
// the pack and the place in it, the verdict last. A quiet one says nothing of
// what is sound.
func (r *Report) Text(quiet bool) string {
	var b strings.Builder
	name := plain(r.Pack)
	for _, f := range slices.Concat(r.Problems, r.Failures) {
		fmt.Fprintf(&b, "%s: %s\n", name, f)
	}
	if quiet {
		return b.String()
	}
	for _, f := range r.Notes {
		fmt.Fprintf(&b, "%s: note: %s\n", name, f)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "%s: and %d more\n", name, r.More)
	}
	fmt.Fprintf(&b, "%s: %s", name, r.Verdict)
	if r.Object != "" || r.Files > 0 {
		fmt.Fprintf(&b, " (%s)", plain(r.about()))
	}
	b.WriteByte('\n')
	return b.String()
}

// about says what was checked.
func (r *Report) about() string {
	parts := []string{strings.TrimSpace(r.Container + " " + r.Object)}
	if r.Name != "" {
		parts = append(parts, strconv.Quote(r.Name))
	}
	parts = append(parts, fmt.Sprintf("%d files, %d bytes, %d sums compared", r.Files, r.Bytes, r.Hashed))
	return strings.Join(parts, ", ")
}
