package pack

import (
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// shown makes text of an object fit for a page: what HTML forbids, and what
// would reorder the text around it, becomes U+FFFD, and it is cut.
func shown(s string, runes int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0xfdd0 && r <= 0xfdef, r&0xfffe == 0xfffe:
			return utf8.RuneError
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return utf8.RuneError
		}
		return r
	}, strings.TrimSpace(s))
	n := 0
	for i := range s {
		if n++; n > runes {
			return s[:i] + "…"
		}
	}
	return s
}

// link is a relative link to a place in the pack. Everything but the plainest
// characters is escaped, so that no path is taken for an address.
func link(path string) template.URL {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/"
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
		}
	}
	return template.URL(strings.TrimLeft(b.String(), "/"))
}

// anchor makes a name within the page for an object.
func (p *pager) anchor(id ID) string {
	base := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, shown(string(id), mostNameRunes))
	name := base
	for n := 2; p.taken[name]; n++ { // shown in two datasets
		name = base + "--" + strconv.Itoa(n)
	}
	p.taken[name] = true
	return name
}

// kindName is the word for what an id is of.
func kindName(id ID) string {
	switch k := id.Kind(); k {
	case KindProject, KindDataset, KindScreen, KindPlate, KindImage:
		return k
	}
	return "Pack"
}

// objectName names an object for which there is no other name: "Image 101".
func objectName(id ID) string {
	if id.Kind() == "" {
		return shown(string(id), mostNameRunes)
	}
	return shown(id.Kind()+" "+id.Key(), mostNameRunes)
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// dateMark is the date for machines, "" for years that HTML does not know.
func dateMark(t time.Time) string {
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return ""
	}
	return t.Format("2006-01-02T15:04:05Z")
}

// byteCount writes a size as file managers do.
func byteCount(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB", "PB"} {
		if v /= 1000; v < 999.95 {
			return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
		}
	}
	return strconv.FormatFloat(v/1000, 'f', 1, 64) + " EB"
}

// count writes a number of things.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits + " " + one + "s"
}

// joinWords joins what is there of several texts.
func joinWords(parts ...string) string {
	var there []string
	for _, s := range parts {
		if s != "" {
			there = append(there, s)
		}
	}
	return strings.Join(there, ", ")
}
