package identity

import (
	"context"
	"errors"
	"testing"
)

func TestOwnerKnowsNobodyElse(t *testing.T) {
	ada := Person{UID: 1000, OMERO: "ada", IRODS: "ada#tempZone"}
	m := NewOwner(ada)
	got, err := m.Person(context.Background(), 1000)
	if err != nil || got != ada {
		t.Errorf("owner: got %+v, %v, want %+v", got, err, ada)
	}
	for _, uid := range []uint32{0, 1, 999, 1001, 65534} {
		if p, err := m.Person(context.Background(), uid); !errors.Is(err, ErrUnknown) || p != (Person{}) {
			t.Errorf("uid %d: got %+v, %v, want nobody and ErrUnknown", uid, p, err)
		}
	}
}
