package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestUnescape(t *testing.T) {
	for _, c := range []struct {
		in    string
		q     Quotes
		want  string
		label string
	}{
		{"a&amp;b&lt;&gt;&quot;&apos;", QuotesNew, "a&b<>\"'", "five entities"},
		{"a&apos;b`c", QuotesOld, "a`b`c", "old back-quote"},
		{"&amp;lt;", QuotesNew, "&lt;", "decoded once"},
		{"/x/ab&#34;cd", QuotesNew, "/x/ab/x/ab&#34;cd", "numeric entity"},
		{" tab\tnewline\n ", QuotesNew, " tab\tnewline\n ", "white space"},
	} {
		n, err := Parse([]byte("<v>"+c.in+"</v>"), c.q)
		if err != nil || n.Text != c.want {
			t.Errorf("%s: got %q %v, want %q", c.label, n.Text, err, c.want)
		}
	}
}

func TestBuilderRoundTrip(t *testing.T) {
	const text = "a'b`c<d>&\"e\n\t日本 𝒳"
	for _, q := range []Quotes{QuotesNew, QuotesOld} {
		b := NewBuilder(q)
		b.Open("X_PI")
		b.Str("s", text)
		b.Int("n", -5)
		b.Close("X_PI")
		if !strings.HasPrefix(string(b.Bytes()), "<X_PI>\n<s>") || !strings.HasSuffix(string(b.Bytes()), "<n>-5</n>\n</X_PI>\n") {
			t.Errorf("newlines: %q", b.Bytes())
		}
		n, err := Parse(b.Bytes(), q)
		if err != nil || n.Str("s") != text || n.Int("n") != -5 || n.Int("missing") != 0 || n.Str("missing") != "" {
			t.Errorf("rule %d: got %+v %v", q, n, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", "x", "<a>", "<a></b>", "<a><b></a>", "<a></a><b></b>", "<a></a>x", "</a>", "<>x</>",
		strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40),
	} {
		if n, err := Parse([]byte(in), QuotesNew); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.20q: got %+v %v", in, n, err)
		}
	}
}

func TestHeader(t *testing.T) {
	want := Header{Type: "RODS_API_REPLY", Body: 1, Error: 2, Stream: 5 << 30, Info: -808000}
	r := bytes.NewReader(want.Append(nil))
	if got, err := ReadHeader(r); err != nil || got != want {
		t.Errorf("got %+v %v", got, err)
	}
	if _, err := ReadHeader(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for what, in := range map[string]string{
		"too long": "\x7f\x00\x00\x00<", "wrong struct": "\x00\x00\x00\x07<a></a>",
		"negative": "\x00\x00\x00\x36<MsgHeader_PI><type>x</type><msgLen>-1</msgLen></MsgHeader_PI>"[:4+0x36],
	} {
		if h, err := ReadHeader(strings.NewReader(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %+v %v", what, h, err)
		}
	}
	if _, err := ReadHeader(strings.NewReader("\x00\x00\x00\x07<a>")); err != io.ErrUnexpectedEOF {
		t.Errorf("cut off: %v", err)
	}
}

func TestKeyVals(t *testing.T) {
	n, err := Parse([]byte("<X><KeyValPair_PI><ssLen>2</ssLen><keyWord>a</keyWord><keyWord>b</keyWord><keyWord>c</keyWord>"+
		"<svalue>1</svalue><svalue></svalue></KeyValPair_PI></X>"), QuotesNew)
	if err != nil {
		t.Fatal(err)
	}
	kv := n.KeyVals()
	if kv["a"] != "1" || !kv.Has("b") || kv["b"] != "" || kv.Has("c") {
		t.Errorf("got %v", kv)
	}
	if n, _ := Parse([]byte("<X><KeyValPair_PI><ssLen>-3</ssLen></KeyValPair_PI></X>"), QuotesNew); len(n.KeyVals()) != 0 {
		t.Error("a negative length gives keywords")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<a><b>x&amp;y</b> <c></c></a>"))
	f.Add([]byte("<a/>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := Parse(in, QuotesNew)
		if (n == nil) == (err == nil) {
			t.Errorf("got %v and %v", n, err)
		}
	})
}
