package fs

import (
	"testing"

	"omerods/fs/tree"
)

func TestOnlyRootGivesFilesAway(t *testing.T) {
	id := func(n uint32) *uint32 { return &n }
	mine := tree.Attr{UID: 1000, GID: 1000}
	for _, tt := range []struct {
		name   string
		caller tree.Caller
		attr   tree.Attr
		change tree.AttrChange
		want   bool
	}{
		{"root to anybody", tree.Caller{}, mine, tree.AttrChange{UID: id(65534), GID: id(65534)}, true},
		{"owner to somebody else", tree.Caller{UID: 1000, GID: 1000}, mine, tree.AttrChange{UID: id(65534)}, false},
		{"owner to a foreign group", tree.Caller{UID: 1000, GID: 1000}, mine, tree.AttrChange{GID: id(65534)}, false},
		{"owner to the own group", tree.Caller{UID: 1000, GID: 100}, mine, tree.AttrChange{GID: id(100)}, true},
		{"no change", tree.Caller{UID: 1000, GID: 1000}, mine, tree.AttrChange{UID: id(1000), GID: id(1000)}, true},
		{"of somebody else", tree.Caller{UID: 1001, GID: 1001}, mine, tree.AttrChange{UID: id(1001)}, false},
	} {
		if got := mayGive(tt.caller, tt.attr, tt.change); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
