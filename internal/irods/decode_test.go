package irods

import "testing"

func TestUnpackIsLenient(t *testing.T) {
	e, err := unpack([]byte("<A_PI>\n<x>a\xff\x01&amp;&apos;&#39;</x>\n<y> sp </y>\n<z></z>\n<x>second</x>\n</A_PI>\n\x00"))
	if err != nil {
		t.Fatal(err)
	}
	if e.name != "A_PI" || e.get("x") != "a\xff\x01&'&#39;" || e.get("y") != " sp " || e.get("z") != "" {
		t.Errorf("got %+v", e)
	}
}

func TestUnpackRefuses(t *testing.T) {
	deep := ""
	for range 50 {
		deep += "<a>"
	}
	for _, s := range []string{"<", "<a", "<a>", "<a></b>", "</a>", "text", "<a></a><b></b>", "<a><b></a>", deep} {
		if e, err := unpack([]byte(s)); err == nil {
			t.Errorf("%q: got %+v, want an error", s, e)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("<A_PI><x>1</x></A_PI>"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = unpack(data)
		_ = errorText(data)
		_ = decodeJSON(data, &struct{}{})
	})
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{"a_b%c", "= 'a_b%c'"},
		{"it's", "like 'it_s'"},
		{"a&&b", "like 'a__b'"},
	} {
		if got := equal(1, tt.value).text; got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.value, got, tt.want)
		}
	}
}
