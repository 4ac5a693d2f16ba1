package irods

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// element is one element of an answer. The server's XML has elements and text
// only.
type element struct {
	name     string
	text     string
	children []element
}

// unpack reads an answer. It is lenient on purpose: a name that another
// client stored with bytes that XML excludes must not make a whole listing
// unreadable. An empty answer is the zero element.
func unpack(data []byte) (element, error) {
	rest := bytes.TrimSpace(data)
	if len(rest) == 0 {
		return element{}, nil
	}
	e, rest, err := unpackOne(rest, 0)
	if err == nil && len(bytes.TrimSpace(bytes.TrimRight(rest, "\x00"))) > 0 {
		err = errorf(ErrServer, "the answer does not end where it should")
	}
	return e, err
}

const maxDepth = 16

// unpackOne reads the element at the start of data and returns what follows.
func unpackOne(data []byte, depth int) (element, []byte, error) {
	malformed := func() (element, []byte, error) {
		return element{}, nil, errorf(ErrServer, "the answer cannot be read")
	}
	if len(data) < 3 || data[0] != '<' || data[1] == '/' || depth > maxDepth {
		return malformed()
	}
	end := bytes.IndexByte(data, '>')
	if end < 0 {
		return malformed()
	}
	e := element{name: string(data[1:end])}
	data = data[end+1:]
	if strings.HasSuffix(e.name, "/") {
		e.name = e.name[:len(e.name)-1]
		return e, data, nil
	}
	for {
		lt := bytes.IndexByte(data, '<')
		if lt < 0 || len(data) < lt+2 {
			return malformed()
		}
		if data[lt+1] == '/' {
			end := bytes.IndexByte(data[lt:], '>')
			if end < 0 || string(data[lt+2:lt+end]) != e.name {
				return malformed()
			}
			if len(e.children) == 0 {
				e.text = unescape(data[:lt])
			}
			return e, data[lt+end+1:], nil
		}
		var child element
		var err error
		if child, data, err = unpackOne(data[lt:], depth+1); err != nil {
			return malformed()
		}
		e.children = append(e.children, child)
	}
}

var unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'")

func unescape(text []byte) string {
	if bytes.IndexByte(text, '&') < 0 {
		return string(text)
	}
	return unescaper.Replace(string(text))
}

// get returns the text of the first child of a name, "" without one.
func (e *element) get(name string) string {
	for i := range e.children {
		if e.children[i].name == name {
			return e.children[i].text
		}
	}
	return ""
}

// num returns a child as a number, 0 when it is none.
func (e *element) num(name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(e.get(name)), 10, 64)
	return n
}

// decodeJSON reads the JSON text that an answer carries in a BinBytesBuf_PI.
func decodeJSON(body []byte, v any) error {
	e, err := unpack(body)
	if err != nil {
		return err
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(e.get("buf")))
	if err != nil {
		return errorf(ErrServer, "the answer cannot be read")
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	if err := json.Unmarshal(text, v); err != nil {
		return errorf(ErrServer, "the answer cannot be read: %v", err)
	}
	return nil
}

// errorText returns the messages of an answer's error part, joined.
func errorText(data []byte) string {
	e, err := unpack(data)
	if err != nil {
		return ""
	}
	var texts []string
	for i := range e.children {
		if t := strings.TrimSpace(e.children[i].get("msg")); t != "" {
			texts = append(texts, t)
		}
	}
	return strings.Join(texts, "; ")
}
