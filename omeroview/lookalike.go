package omeroview

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// unnamed stands for an object whose name is empty.
const unnamed = "unnamed"

// openSpace is shown for white space at either end of a name, where programs
// and readers of packs would drop it.
const openSpace = '␠'

// deviceNames are the names that OMERO's path rules refuse in any case of
// letters, alone or followed by a dot and anything.
var deviceNames = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "clock$": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true,
	"com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true,
	"lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// lookalike returns name as a legal file name that looks the same to a person:
// what Unix, Windows or the default path rules of an OMERO repository refuse
// is replaced by a character of the same shape. A legal name stays as it is,
// so lookalike(lookalike(x)) is lookalike(x). The length is not limited here.
func lookalike(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	for i, r := range name {
		b.WriteRune(likeRune(r, i == 0))
	}
	s := openEnds(b.String())
	if s == "" {
		return unnamed
	}
	stem, _, _ := strings.Cut(s, ".")
	if deviceNames[strings.ToLower(stem)] {
		return string(wide(rune(s[0]))) + s[1:]
	}
	return s
}

func likeRune(r rune, first bool) rune {
	switch {
	case r < 0x20:
		return 0x2400 + r // the picture of that control character
	case r == 0x7f:
		return '␡'
	case r == '$' && first:
		return wide(r)
	case r == 0xfffe || r == 0xffff:
		return utf8.RuneError // not allowed in XML
	}
	if strings.ContainsRune(`"*/:<>?\|`, r) {
		return wide(r)
	}
	return r
}

// wide returns the full-width form of a printable ASCII character.
func wide(r rune) rune { return r + 0xfee0 }

// openEnds makes white space at both ends and dots at the end visible. That
// covers the names "." and "..".
func openEnds(s string) string {
	head := strings.TrimLeftFunc(s, unicode.IsSpace)
	lead := utf8.RuneCountInString(s) - utf8.RuneCountInString(head)
	body := strings.TrimRightFunc(head, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
	if lead == 0 && len(body) == len(head) {
		return s
	}
	var b strings.Builder
	for range lead {
		b.WriteRune(openSpace)
	}
	b.WriteString(body)
	for _, r := range head[len(body):] {
		if r == '.' {
			b.WriteRune(wide(r))
		} else {
			b.WriteRune(openSpace)
		}
	}
	return b.String()
}

// doubleExtensions are extensions that have a dot inside.
var doubleExtensions = []string{
	".ome.tiff", ".ome.tif", ".ome.tf2", ".ome.tf8", ".ome.btf", ".ome.xml", ".ome.zarr",
	".companion.ome", ".tar.gz", ".nii.gz", ".zarr.zip",
}

// maxExtension is the longest run after a dot that counts as an extension.
const maxExtension = 12

// extension returns the end of name that stays last when something is added to
// it or it is cut: "cells.ome.tiff" has ".ome.tiff", "slide.vsi.fileset" has
// ".vsi.fileset". An extension is made of ASCII letters and digits with at
// least one letter, so "Run 1.5" has none; neither has ".hidden".
func extension(name string) string {
	if rest, ok := strings.CutSuffix(name, filesetSuffix); ok && rest != "" {
		return name[len(rest)-len(extension(rest)):]
	}
	lower := strings.ToLower(name)
	for _, e := range doubleExtensions {
		if len(lower) == len(name) && len(name) > len(e) && strings.HasSuffix(lower, e) {
			return name[len(name)-len(e):]
		}
	}
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || len(name)-dot-1 > maxExtension || len(name)-dot-1 == 0 {
		return ""
	}
	letter := false
	for _, c := range []byte(name[dot+1:]) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letter = true
		case c >= '0' && c <= '9':
		default:
			return ""
		}
	}
	if !letter {
		return ""
	}
	return name[dot:]
}

// fit puts mark between the stem of name and its extension and cuts the stem
// at a character so that the whole has at most max bytes.
func fit(name, mark string, max int) string {
	ext := extension(name)
	stem := name[:len(name)-len(ext)]
	if room := max - len(mark) - len(ext); len(stem) > room {
		stem = cut(stem, room)
		if mark == "" && ext == "" {
			// A cut may leave a space or a dot at the end; making it visible
			// takes up to three bytes.
			for openEnds(stem) != stem {
				stem = cut(stem, len(stem)-1)
			}
		}
	}
	return stem + mark + ext
}

// cut returns at most n bytes of s, ending at a character.
func cut(s string, n int) string {
	if n < 0 {
		return ""
	}
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
