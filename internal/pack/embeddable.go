package pack

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// embeddable reports whether the text of an XML annotation can stand as it is
// in OME-XML: elements, each in a namespace that is declared in the text and is
// not one of OME's, which a schema would hold it to. Go's decoder passes over
// some faults for which other readers would refuse the whole document.
func embeddable(text string) bool {
	const mostBytes, mostDepth = 1 << 20, 24
	if len(text) > mostBytes || !clean(text) || !attributesApart(text) {
		return false
	}
	declared := map[string]bool{xmlNamespace: true}
	dec := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return false
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > mostDepth || !embeddableTag(t, declared) {
				return false
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return false
			}
		case xml.Directive, xml.ProcInst:
			return false
		}
	}
}

const xmlNamespace = "http://www.w3.org/XML/1998/namespace"

// embeddableTag looks at one start tag, and adds the namespaces that it
// declares to those before. These have a colon, which no prefix has: for a
// prefix that is not declared the decoder gives the prefix.
func embeddableTag(t xml.StartElement, declared map[string]bool) bool {
	const mostAttrs = 32
	if len(t.Attr) > mostAttrs {
		return false
	}
	seen := make(map[xml.Name]bool, len(t.Attr))
	for _, a := range t.Attr {
		if seen[a.Name] || strings.Contains(a.Name.Local, ":") {
			return false
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			if !strings.Contains(a.Value, ":") || strings.HasPrefix(a.Name.Local, "xml") && a.Name.Space != "" || a.Value == xmlNamespace ||
				a.Value == "http://www.w3.org/2000/xmlns/" {
				return false
			}
			declared[a.Value] = true
		}
	}
	if !declared[t.Name.Space] || strings.Contains(t.Name.Local, ":") || strings.HasPrefix(t.Name.Space, "http://www.openmicroscopy.org/Schemas/") {
		return false
	}
	for _, a := range t.Attr {
		if a.Name.Space != "" && a.Name.Space != "xmlns" && !declared[a.Name.Space] {
			return false
		}
	}
	return true
}

// attributesApart reports whether there is a blank behind each value in a tag
// behind which the tag goes on.
func attributesApart(text string) bool {
	for {
		i := strings.IndexByte(text, '<')
		if i < 0 {
			return true
		}
		text = text[i:]
		end := ">"
		switch {
		case strings.HasPrefix(text, "<!--"):
			text, end = text[4:], "-->"
		case strings.HasPrefix(text, "<![CDATA["):
			text, end = text[9:], "]]>"
		}
		if end != ">" {
			_, text, _ = strings.Cut(text, end)
			continue
		}
		for text != "" && text[0] != '>' {
			quote := text[0]
			text = text[1:]
			if quote != '"' && quote != '\'' {
				continue
			}
			_, text, _ = strings.Cut(text, string(quote))
			if text != "" && !strings.ContainsRune(" \t\r\n/>", rune(text[0])) {
				return false
			}
		}
	}
}
