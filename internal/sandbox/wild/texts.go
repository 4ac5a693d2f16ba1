package wild

import (
	"strings"
)

// texts are what people and programs put into fields. PostgreSQL takes every
// character but NUL.
var texts = []string{
	"plain", "two words", " leading and trailing ", "", "ends with a dot.", "..", ".", "...", "CON", "nul.txt", "$hidden", "~backup~",
	"<tag attr=\"x\">&amp;</tag>", "]]>", "<![CDATA[x]]>", "&#0; &lt;", "<?xml version=\"1.0\"?>", "<!-- -- -->", "<!DOCTYPE a>",
	"a/b\\c:d*e?f\"g<h>i|j", "../../etc/passwd", "/absolute", "C:\\Users\\ada", "100% _under_ %d %s",
	"line one\nline two\r\nline three\rfour\ttab", "\x01\x02\x1b[31mred\x7f", "\u0085next\u2028line\u2029", "\ufffe\uffff\ufffd",
	"äöüß ÅÅ e\u0301 é", "😀👩‍🔬🧬", "\u202eright to left\u202c", "שלום עולם", "مرحبا", "中文字符 ｆｕｌｌ／width", "\ufeffbom", "a\u200bzero\u200dwidth",
	"transfer.xml", "SHA1SUMS", "README.html", "thumbnails", "attachments", "x.fileset", "image.ome.tiff", "image [12]", "image [12].tif",
	"'; DROP TABLE image; --", "{\"json\": [1, 2]}", "=1+1", "-rf", "0", "NaN", "true", "null",
}

// text is some text of at most the 255 characters that OMERO's columns hold.
func (m *maker) text() string {
	switch m.r.IntN(8) {
	case 0:
		return strings.Repeat(pick(m, []string{"x", "long ", "Ü", "😀", "<&>"}), 1+m.r.IntN(40))
	case 1:
		return cut(pick(m, texts) + pick(m, texts))
	case 2:
		n := 1 + m.r.IntN(20)
		var b strings.Builder
		for range n {
			b.WriteRune(m.rune())
		}
		return b.String()
	}
	return pick(m, texts)
}

// rune is any character that UTF-8 and PostgreSQL can hold.
func (m *maker) rune() rune {
	for {
		r := rune(1 + m.r.IntN([]int{0x7f, 0x7ff, 0xffff, 0x10ffff}[m.r.IntN(4)]))
		if r < 0xd800 || r > 0xdfff {
			return min(r, 0x10ffff)
		}
	}
}

// long is text for members without a bound.
func (m *maker) long() string {
	if m.chance(6) {
		return strings.Repeat(m.text()+"\n", 1+m.r.IntN(60))
	}
	return m.text()
}

func cut(s string) string {
	if r := []rune(s); len(r) > 255 {
		return string(r[:255])
	}
	return s
}
