//go:build peer

package ice_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"omerods/internal/ice"
)

// each runs a test in both encodings, in a session of its own.
func each(t *testing.T, w *world, run func(t *testing.T, c *client)) {
	for _, enc := range encodings {
		t.Run(enc.String(), func(t *testing.T) { run(t, w.login(t, "ssl", enc, ice.DialOptions{})) })
	}
}

func point(x, y int32) *ice.Record {
	return defs().NewRecord("::peer::Point").Set("x", x).Set("y", y)
}

// texts are strings at the edges of the size type and of UTF-8.
var texts = []string{
	"", "x", strings.Repeat("a", 254), strings.Repeat("b", 255), strings.Repeat("c", 256),
	strings.Repeat("d", 70000), "Zürich 試料 \U0001F52C", "a\x00b", "line\nline",
}

func basics(text string, i int, object *ice.Proxy) *ice.Record {
	return defs().NewRecord("::peer::Basics").
		Set("truth", i%2 == 0).Set("octet", byte(255-i)).Set("brief", int16(math.MinInt16+i)).
		Set("number", int32(math.MaxInt32-i)).Set("big", int64(math.MinInt64+i)).
		Set("single", float32(math.Inf(1-2*(i%2)))).Set("precise", []float64{math.Pi, math.SmallestNonzeroFloat64, math.MaxFloat64, math.Copysign(0, -1)}[i%4]).
		Set("text", text).Set("hue", int32(i%3)).Set("width", []int32{3, 300}[i%2]).Set("amount", []int32{0, 70000}[i%2]).
		Set("where", point(int32(-i), math.MinInt32)).Set("object", proxyOrNil(object))
}

// proxyOrNil makes the nil proxy the untyped nil that values have.
func proxyOrNil(p *ice.Proxy) any {
	if p == nil {
		return nil
	}
	return p
}

func TestBasicTypes(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		for i, text := range texts {
			var object *ice.Proxy
			if i%2 == 1 {
				object = c.echo
			}
			v := basics(text, i, object)
			results := c.call("echoBasics", v)
			for _, got := range results {
				if !reflect.DeepEqual(got, any(v)) {
					t.Errorf("text %d: got %v, want %v", i, got.(*ice.Record).Values, v.Values)
				}
			}
		}
		want := []any{true, byte(200), int16(-2), int32(3), int64(-4), float32(0.5), "h", 7.25}
		got := c.call("echoEach", true, byte(200), int16(-2), int32(3), int64(-4), float32(0.5), 7.25, "h")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		v := basics("", 0, nil).Set("single", float32(math.NaN())).Set("precise", math.NaN())
		back := c.call("echoBasics", v)[0].(*ice.Record)
		if f := back.Get("single").(float32); f == f {
			t.Errorf("NaN came back as %v", f)
		}
		if f := back.Get("precise").(float64); f == f {
			t.Errorf("NaN came back as %v", f)
		}
	})
}

func TestSequences(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		for _, n := range []int{0, 1, 254, 255, 300, 20000} {
			v := sequences(n, c.echo)
			for _, got := range c.call("echoSequences", v) {
				if !reflect.DeepEqual(got, any(v)) {
					t.Errorf("%d elements came back different", n)
				}
			}
		}
	})
}

// sequences returns sequences of n elements each, the large types fewer.
func sequences(n int, object *ice.Proxy) *ice.Record {
	v := defs().NewRecord("::peer::Sequences")
	few := min(n, 300)
	truths, octets, numbers := make([]bool, n), make([]byte, n), make([]int32, n)
	bigs, precises, words := make([]int64, n), make([]float64, n), make([]string, n)
	for i := range n {
		truths[i], octets[i], numbers[i] = i%3 == 0, byte(i), int32(-i)
		bigs[i], precises[i], words[i] = int64(i)<<40, float64(i)/8, fmt.Sprint("text ", i)
	}
	briefs, singles, hues := make([]any, n), make([]any, n), make([]any, n)
	for i := range n {
		briefs[i], singles[i], hues[i] = int16(i), float32(i)/4, int32(i%3)
	}
	places, objects, lists := make([]any, few), make([]any, few), make([]any, few)
	for i := range few {
		places[i], lists[i] = point(int32(i), int32(-i)), slices.Repeat([]string{"l"}, i%4)
		if i%2 == 0 {
			objects[i] = object
		}
	}
	return v.Set("truths", truths).Set("octets", octets).Set("numbers", numbers).Set("bigs", bigs).
		Set("precises", precises).Set("texts", words).Set("briefs", briefs).Set("singles", singles).Set("hues", hues).
		Set("places", places).Set("objects", objects).Set("lists", lists)
}

func TestDictionaries(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		for _, n := range []int{0, 1, 300} {
			v := dictionaries(n)
			for _, got := range c.call("echoDictionaries", v) {
				for i, f := range v.Struct.Fields {
					got, want := got.(*ice.Record).Values[i].(ice.Dict), v.Values[i].(ice.Dict)
					if err := sameDict(got, want); err != nil {
						t.Errorf("%s: %v", f.Name, err)
					}
				}
			}
		}
	})
}

func dictionaries(n int) *ice.Record {
	strings, longs, points, nested := ice.Dict{}, ice.Dict{}, ice.Dict{}, ice.Dict{}
	for i := range n {
		strings = append(strings, ice.Pair{Key: fmt.Sprint("key ", i), Value: fmt.Sprint("value ", i)})
		longs = append(longs, ice.Pair{Key: int64(i) << 33, Value: []float64{float64(i)}})
		points = append(points, ice.Pair{Key: point(int32(i), 1), Value: "p"})
		nested = append(nested, ice.Pair{Key: int16(i), Value: ice.Dict{{Key: "inner", Value: "x"}}})
	}
	bools, colors := ice.Dict{}, ice.Dict{}
	if n > 0 {
		bools = ice.Dict{{Key: true, Value: byte(1)}, {Key: false, Value: byte(200)}}
		colors = ice.Dict{{Key: int32(2), Value: point(5, 6)}}
	}
	return defs().NewRecord("::peer::Dictionaries").Set("strings", strings).Set("longs", longs).Set("bools", bools).
		Set("colors", colors).Set("points", points).Set("nested", nested)
}

// sameDict compares dictionaries, whose entries travel in any order.
func sameDict(got, want ice.Dict) error {
	if len(got) != len(want) {
		return fmt.Errorf("got %d entries, want %d", len(got), len(want))
	}
	for _, p := range want {
		v, ok := got.Get(p.Key)
		if !ok || !reflect.DeepEqual(v, p.Value) {
			return fmt.Errorf("key %v: got %v, want %v", p.Key, v, p.Value)
		}
	}
	return nil
}

func TestContext(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		c.s.SetContext(map[string]string{"omero.group": "-1", "kept": "yes"})
		results, err := c.s.CallName(within(t), c.echo, echoID, "contextOf", map[string]string{"omero.group": "5", "ü": ""})
		if err != nil {
			t.Fatal(err)
		}
		want := ice.Dict{{Key: "omero.group", Value: "5"}, {Key: "kept", Value: "yes"}, {Key: "ü", Value: ""}}
		if err := sameDict(results[0].(ice.Dict), want); err != nil {
			t.Error(err)
		}
	})
}

// TestProxies returns proxies of all kinds to the server, also in another
// encoding than they came in: that is what announcing them to a router takes.
func TestProxies(t *testing.T) {
	w := newWorld(t, nil)
	old, now := w.login(t, "ssl", ice.Encoding10, ice.DialOptions{}), w.login(t, "ssl", ice.Encoding11, ice.DialOptions{})
	for _, from := range []*client{old, now} {
		proxies := from.call("proxies")[0].([]any)
		if len(proxies) < 10 || proxies[0] != nil {
			t.Fatalf("got %v", proxies)
		}
		for _, to := range []*client{old, now} {
			if from == old && to == now {
				continue // the encoding that a proxy prefers is lost
			}
			if got := to.call("areProxies", proxies)[0]; got != true {
				t.Errorf("from %s to %s: other proxies arrive", from.enc, to.enc)
			}
			if got := to.call("areProxies", slices.Concat(proxies[:5], proxies[6:], proxies[5:6]))[0]; got != false {
				t.Errorf("from %s to %s: the server does not look", from.enc, to.enc)
			}
		}
	}
}
