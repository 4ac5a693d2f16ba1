package slice

import (
	"testing"

	"omerods/internal/ice"
)

func TestDefinitionsParse(t *testing.T) {
	d, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(d.Classes()), 171; got < want {
		t.Errorf("got %d classes, want at least %d", got, want)
	}
}

func TestChainOfModelClass(t *testing.T) {
	d := Definitions()
	c := d.Class("::omero::model::TagAnnotation")
	if c == nil {
		t.Fatal("TagAnnotation is not defined")
	}
	var chain []string
	for x := c; x != nil; x = x.Base {
		chain = append(chain, x.ID)
	}
	want := []string{"::omero::model::TagAnnotation", "::omero::model::TextAnnotation",
		"::omero::model::Annotation", "::omero::model::IObject"}
	if len(chain) != len(want) {
		t.Fatalf("got chain %v, want %v", chain, want)
	}
	for i := range want {
		if chain[i] != want[i] {
			t.Errorf("got %s, want %s", chain[i], want[i])
		}
	}
	all := c.AllFields()
	if all[0].Name != "id" || all[len(all)-1].Name != "textValue" {
		t.Errorf("got fields from %s to %s, want id to textValue", all[0].Name, all[len(all)-1].Name)
	}
}

func TestOperations(t *testing.T) {
	d := Definitions()
	rows := []struct {
		iface, op string
		mode      ice.Mode
		in, out   int
		throws    int
		sliced    bool
	}{
		{"::omero::api::IQuery", "projection", ice.Idempotent, 2, 1, 1, false},
		{"::omero::api::RawFileStore", "close", ice.Normal, 0, 0, 1, false},
		{"::omero::api::ServiceFactory", "submit", ice.Normal, 1, 1, 0, false},
		{"::omero::api::ServiceFactory", "destroy", ice.Normal, 0, 0, 0, false},
		{"::omero::api::ISession", "createSessionWithTimeouts", ice.Normal, 3, 1, 2, false},
		{"::Glacier2::Router", "createSession", ice.Normal, 2, 1, 2, true},
		{"::Glacier2::Router", "getClientProxy", ice.Nonmutating, 0, 2, 0, false},
		{"::omero::cmd::Handle", "ice_ids", ice.Nonmutating, 0, 1, 0, false},
	}
	for _, r := range rows {
		i := d.Interface(r.iface)
		if i == nil {
			t.Errorf("%s is not defined", r.iface)
			continue
		}
		op := i.Operation(r.op)
		if op == nil {
			t.Errorf("%s has no %s", r.iface, r.op)
			continue
		}
		if op.Mode != r.mode || len(op.In) != r.in || len(op.Results()) != r.out ||
			len(op.Throws) != r.throws || op.Sliced != r.sliced {
			t.Errorf("%s.%s: got %+v, want %+v", r.iface, r.op, op, r)
		}
	}
}
