package transfer

import (
	"context"
	"errors"
	"testing"

	"omerods/fs/tree"
)

func TestRenamedTarLoads(t *testing.T) {
	p := newTestPack(t)
	for _, temporary := range []string{".Kidney.tar.Xa9bQ1", "Kidney.tar.part", ".goutputstream-ABC123", "ziAb12cd"} {
		for _, open := range []bool{false, true} { // GLib renames what is still open
			for format, content := range map[string][]byte{".tar": tarOf(t, "", p.names(true), p.files), ".zip": zipOf(t, p.names(true), p.files)} {
				ls, o := newTestLoads(t), newFakeOMERO()
				h := create(t, ls, o, temporary)
				ctx := testContext()
				if _, err := h.WriteAt(ctx, content, 0); err != nil {
					t.Fatal(err)
				}
				rename := func() {
					if there, err := ls.RenameTar(ctx, o, temporary, "Kidney"+format); !there || err != nil {
						t.Errorf("%s: rename: %v, %v", temporary, there, err)
					}
				}
				if open {
					rename()
				}
				if err := h.Flush(ctx); err != nil {
					t.Errorf("%s: %v", temporary, err)
				}
				h.Release(ctx)
				if !open {
					if len(o.finished) != 0 {
						t.Errorf("%s: loaded under its temporary name", temporary)
					}
					rename()
				}
				p.checkLoaded(t, o)
				if ls.TarAlias(ctx, o, "Kidney"+format) == nil || ls.TarAlias(ctx, o, temporary) != nil {
					t.Errorf("%s: the path that is left is not the new one", temporary)
				}
				if path := ls.cfg.Records.All(1000)[0].Path; path != o.Key()+"/Kidney"+format {
					t.Errorf("%s: the record names %s", temporary, path)
				}
			}
		}
	}
}

func TestNamesOfArchives(t *testing.T) {
	for file, want := range map[string]string{
		"P.tar": "P", "P.zip": "P", "a b.tar": "a b", "P.tar.tar": "P.tar",
		".P.tar.Xa9bQ1": "P", "P.tar.part": "P", "P.zip.crdownload": "P", "P.tar.1a2b3c4d.partial": "P",
	} {
		if object, _, err := tarName(file); err != nil || object != want {
			t.Errorf("%s: got %q, %v, want %q", file, object, err, want)
		}
	}
	for _, file := range []string{"P.tar.gz", "P.tgz", "P.TAR.XZ", "P.tar.md5", "P", ".tar", ".DS_Store", "P.tif", "P.7z"} {
		if _, _, err := tarName(file); !errors.Is(err, tree.ErrInvalid) {
			t.Errorf("%s: got %v, want invalid", file, err)
		}
	}
}

func TestArchiveRefusals(t *testing.T) {
	ctx := testContext()
	create := func(ls *Loads, o *fakeOMERO, file string) error {
		_, _, err := ls.CreateTar(ctx, o, file, tree.CreateOptions{OpenOptions: tree.OpenOptions{Write: true}, Exclusive: true})
		return err
	}
	ls, o := newTestLoads(t), newFakeOMERO()
	o.live["Kidney"] = true
	if err := create(ls, o, "Kidney.tar"); !errors.Is(err, tree.ErrExists) {
		t.Errorf("a name that exists: got %v", err)
	}
	// Programs would look for another temporary name for ever.
	if err := create(ls, o, ".Kidney.tar.AbCdEf"); !errors.Is(err, tree.ErrNotPermitted) {
		t.Errorf("a temporary name for one that exists: got %v", err)
	}
	begin(t, ls, o, "Staged")
	if err := create(ls, o, "Staged.tar"); !errors.Is(err, tree.ErrExists) {
		t.Errorf("a folder of that name is being written: got %v", err)
	}
	if err := create(ls, o, "One.tar"); err != nil {
		t.Fatal(err)
	}
	if err := create(ls, o, "One.tar"); !errors.Is(err, tree.ErrExists) {
		t.Errorf("an archive that is being written: got %v", err)
	}
	if _, err := ls.Begin(ctx, o, "One", 0o755); !errors.Is(err, tree.ErrExists) {
		t.Errorf("a folder for which an archive is being written: got %v", err)
	}
	other := tree.WithCaller(context.Background(), tree.Caller{UID: 1001})
	if ls.StagedTar(other, o, "One.tar") != nil || len(ls.ListTars(other, o)) != 0 {
		t.Error("another user sees the archive")
	}
	if there, err := ls.RemoveTar(ctx, o, "One.tar"); !there || err != nil {
		t.Errorf("remove: %v, %v", there, err)
	}
	if ls.StagedTar(ctx, o, "One.tar") != nil {
		t.Error("the archive is still there after its removal")
	}
	o.mayNot = tree.Errorf(tree.ErrDenied, "not yours")
	if err := create(ls, o, "Two.tar"); !errors.Is(err, tree.ErrDenied) {
		t.Errorf("no right: got %v", err)
	}
}
