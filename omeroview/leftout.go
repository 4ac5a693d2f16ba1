package omeroview

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// lostFiles are original files that an open has found gone from the server's
// disk. Nothing tells of them before.
type lostFiles struct {
	mu  sync.Mutex // guards the field below
	ids map[int64]bool
}

func (l *lostFiles) add(id int64) (isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = make(map[int64]bool)
	}
	isNew = !l.ids[id]
	l.ids[id] = true
	return isNew
}

func (l *lostFiles) all() map[int64]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.ids)
}

// found notes that a file is gone; from now on its images are left out.
func (a *account) found(lost int64) {
	if a.v.cfg.SkipRefused && a.lost.add(lost) {
		a.memo.clear()
	}
}

// leftOut says which filesets are not shown, and why: those of which any file
// cannot be had. Without a part of its files nobody can read a fileset.
func (a *account) leftOut(ctx context.Context, sets []omero.Fileset) (map[int64]pack.LeftOutReason, error) {
	if !a.v.cfg.SkipRefused {
		return nil, nil
	}
	var files []int64
	for _, s := range sets {
		for _, e := range s.Entries {
			files = append(files, e.File.ID)
		}
	}
	why, err := a.notHad(ctx, files)
	if err != nil {
		return nil, err
	}
	left := make(map[int64]pack.LeftOutReason)
	for _, s := range sets {
		for _, e := range s.Entries {
			if r := why[e.File.ID]; r != "" {
				left[s.ID] = r
			}
		}
	}
	return left, nil
}

// notHad says which files the server does not give.
func (a *account) notHad(ctx context.Context, files []int64) (map[int64]pack.LeftOutReason, error) {
	withheld, err := a.c.BytesWithheld(ctx, omero.KindOriginalFile, files)
	if err != nil {
		return nil, err
	}
	lost := a.lost.all()
	why := make(map[int64]pack.LeftOutReason)
	for _, id := range files {
		switch {
		case withheld[id]:
			why[id] = pack.Refused
		case lost[id]:
			why[id] = pack.Lost
		}
	}
	return why, nil
}

// leftToken changes with what is left out of a pack; "" when nothing is.
func (a *account) leftToken(ctx context.Context, p packRef) (string, error) {
	if !a.v.cfg.SkipRefused {
		return "", nil
	}
	files, err := a.c.OriginalFilesIn(ctx, p.kind, p.id)
	if err != nil {
		return "", err
	}
	why, err := a.notHad(ctx, files)
	if err != nil || len(why) == 0 {
		return "", err
	}
	h := sha256.New()
	for _, id := range slices.Sorted(maps.Keys(why)) {
		fmt.Fprintf(h, "%d %s;", id, why[id])
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// split takes apart the images that are shown and those that are left out.
func (b *binaries) split(images []omero.Image) (shown, left []omero.Image) {
	if len(b.left) == 0 {
		return images, nil
	}
	for _, im := range images {
		if b.left[im.Fileset] != "" {
			left = append(left, im)
		} else {
			shown = append(shown, im)
		}
	}
	return shown, left
}

// leftOut lists the images that are left out.
func (b *documenter) leftOut() {
	in := make(map[int64][]pack.ID)
	if g := b.g.plates; g != nil {
		for _, f := range g.fields {
			in[f.Image] = append(in[f.Image], pack.NewID(pack.KindWellSample, f.ID))
		}
	} else if b.g.ref.kind != omero.KindImage {
		for _, m := range b.g.members {
			in[m.ID] = append(in[m.ID], pack.NewID(pack.KindDataset, m.Parent))
		}
	}
	for _, im := range b.g.left {
		b.doc.LeftOut = append(b.doc.LeftOut, pack.LeftOut{Image: pack.NewID(pack.KindImage, im.ID), Name: im.Name,
			Fileset: pack.NewID(pack.KindFileset, im.Fileset), In: in[im.ID], Reason: b.g.binaries.left[im.Fileset]})
	}
}
