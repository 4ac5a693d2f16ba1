package irodsview_test

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/transfer"
)

func TestArchive(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	if err := w.PutObject(ctx, home+"/f", "alice", strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	avu := transfer.AVU{Name: "omerods::state", Value: "saving"}
	if err := w.view.ChangeAVUs(ctx, home, nil, []transfer.AVU{avu}); err != nil {
		t.Fatal(err)
	}
	got, err := w.view.CollectionAVUs(ctx, []string{home, path.Dir(home), "/" + w.cfg.Zone}, "omerods::")
	if err != nil || len(got) != 1 || len(got[home]) != 1 || got[home][0] != avu {
		t.Errorf("metadata: %v, %v", got, err)
	}
	if _, err := w.view.Stat(ctx, home+"/none"); !errors.Is(err, tree.ErrNotFound) {
		t.Errorf("stat of nothing: %v", err)
	}
	info, err := w.view.Stat(ctx, home+"/f")
	if err != nil || info.Size != 5 || info.IsCollection {
		t.Errorf("stat: %+v, %v", info, err)
	}
	h, err := w.view.Open(ctx, home+"/f")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Release(ctx)
	buf := make([]byte, 10)
	if n, err := h.ReadAt(ctx, buf, 1); err != nil || string(buf[:n]) != "ello" {
		t.Errorf("read: %q, %v", buf[:n], err)
	}
	if name := w.view.Name(ctx, home+"/f"); !strings.HasPrefix(name, fmt.Sprintf("irods://alice#%s@127.0.0.1:", w.cfg.Zone)) || !strings.HasSuffix(name, home+"/f") {
		t.Errorf("name: %q", name)
	}
}
