//go:build peer

package ice_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"omerods/internal/ice"
)

// graphLines is the graph of build, written down by hand.
var graphLines = []string{
	"::peer::Flower a next=1 children=[1 2 1 nil 0] named={} weight=1.5 hue=blue other=::peer::Nothing",
	"::peer::Leaf b next=0 children=[3] named={} weight=-0.25",
	"::peer::Node c next=nil children=[] named={a:0 c:2 none:nil}",
	"::peer::Flower d next=2 children=[] named={} weight=0 hue=red other=2",
}

func sameLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestClassGraphs(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		a := build(defs())
		sameLines(t, "as the server sees it", c.call("describe", a)[0].([]string), graphLines)
		sameLines(t, "as it comes back", describe(c.call("echoNode", a)[0]), graphLines)
		sameLines(t, "as it comes back sliced", describe(c.call("echoSliced", a)[0]), graphLines)
		sameLines(t, "as the server makes it", describe(c.call("build")[0]), graphLines)
		sameLines(t, "as the server makes it sliced", describe(c.call("buildSliced")[0]), graphLines)
	})
}

func TestNilClasses(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		if got := c.call("echoNode", nil)[0]; got != nil {
			t.Errorf("nil came back as %v", got)
		}
		if got := c.call("echoSliced", nil)[0]; got != nil {
			t.Errorf("nil came back as %v", got)
		}
		if got := c.call("describe", nil)[0].([]string); len(got) != 0 {
			t.Errorf("nil is described as %v", got)
		}
		results := c.call("echoAny", nil, []any{nil, nil}, ice.Dict{{Key: "k", Value: nil}})
		if got := results[0].([]any); len(got) != 2 || got[0] != nil || got[1] != nil {
			t.Errorf("got %v, want two nil", got)
		}
	})
}

// TestSharingAcrossParameters sends the same instances in several parameters.
func TestSharingAcrossParameters(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		a := build(defs())
		b := a.Get("next")
		results := c.call("echoAny", a, []any{a, b}, ice.Dict{{Key: "b", Value: b}})
		list, named, whole := results[0].([]any), results[1].(ice.Dict), results[2]
		second, _ := named.Get("b")
		if list[0] != whole || list[1] != second || whole.(*ice.Object).Get("next") != second {
			t.Error("instances are no longer shared between the results")
		}
		nothing := defs().New("::peer::Nothing")
		if got, _ := c.call("echoAny", nothing, []any{}, ice.Dict{})[2].(*ice.Object); got == nil || got.Class.ID != "::peer::Nothing" {
			t.Errorf("an empty class came back as %v", got)
		}
	})
}

// TestLongChains sends more instances than fit into one byte of a size, one
// behind the other in encoding 1.1 up to the depth that Ice allows.
func TestLongChains(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		root := node(defs(), "Node", "root")
		var children []any
		for i := range 1000 {
			leaf := node(defs(), "Leaf", fmt.Sprint(i)).Set("weight", float64(i))
			if i > 0 {
				leaf.Set("children", []any{children[i/2]})
			}
			children = append(children, leaf)
		}
		root.Set("children", children)
		sameLines(t, "wide", describe(c.call("echoNode", root)[0]), describe(root))
		sameLines(t, "wide, to the server", c.call("describe", root)[0].([]string), describe(root))

		sameLines(t, "deep", describe(c.call("echoNode", chain(90))[0]), describe(chain(90)))
	})
}

// chain returns n instances, each referring to the next.
func chain(n int) *ice.Object {
	var first any
	for i := range n {
		first = node(defs(), "Node", fmt.Sprint(i)).Set("next", first)
	}
	return first.(*ice.Object)
}

// hiddenLines is the graph of hide to a reader that does not know its class.
var hiddenLines = []string{
	"::peer::Leaf hidden next=1 children=[2] named={} weight=2.5",
	"::peer::Flower flower next=2 children=[] named={} weight=1 hue=green other=::peer::Riddle",
	"::peer::Node seen next=0 children=[] named={}",
}

func TestUnknownClasses(t *testing.T) {
	w := newWorld(t, nil)
	each(t, w, func(t *testing.T, c *client) {
		sliced := c.call("hideSliced", true)[0].(*ice.Object)
		sameLines(t, "sliced", describe(sliced), hiddenLines)
		if !slices.Equal(sliced.Unknown, []string{"::peer::Hidden"}) || sliced.Mismatch {
			t.Errorf("unknown slices %v, mismatch %v", sliced.Unknown, sliced.Mismatch)
		}
		if c.enc == ice.Encoding10 {
			sameLines(t, "compact", describe(c.call("hide", true)[0]), hiddenLines)
			return
		}
		// In the compact format it cannot be skipped; the error says so, and
		// the connection is still good.
		_, err := c.try("hide", true)
		var protocol *ice.ProtocolError
		if !errors.As(err, &protocol) || !strings.Contains(err.Error(), "::peer::Hidden is not known here") {
			t.Errorf("got %v, want that ::peer::Hidden is not known here", err)
		}
		sameLines(t, "afterwards", describe(c.call("build")[0]), graphLines)
	})
}
