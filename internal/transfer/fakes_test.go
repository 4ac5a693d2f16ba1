package transfer

import (
	"context"
	"io"
	"log/slog"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/pack"
)

// fakeAnnotator remembers what OMERO was told.
type fakeAnnotator struct {
	mu   sync.Mutex
	told []SaveRecord
	err  error
}

func (a *fakeAnnotator) AnnotateSave(_ context.Context, rec SaveRecord) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, rec)
	return a.err
}

// fakeOMERO is a destination in memory.
type fakeOMERO struct {
	mu        sync.Mutex
	next      int64
	filesets  map[int64]FilesetSpec
	contents  map[string]string // client path → content
	files     map[int64]string
	finished  []FinishSpec
	live      map[string]bool
	failAt    string // operation that fails
	unsure    bool
	away      int  // how many removals find no server
	marked    bool // the marks of loads stay on their objects
	images    int  // that an import makes beside what its files say
	release   chan struct{}
	mayNot    error
	placeKind string
}

func newFakeOMERO() *fakeOMERO {
	return &fakeOMERO{next: 100, filesets: map[int64]FilesetSpec{}, contents: map[string]string{}, files: map[int64]string{}, live: map[string]bool{}, placeKind: pack.KindProject}
}

func (o *fakeOMERO) Key() string                   { return "lab/ada/projects" }
func (o *fakeOMERO) Kind() string                  { return o.placeKind }
func (o *fakeOMERO) MayLoad(context.Context) error { return o.mayNot }
func (o *fakeOMERO) Exists(_ context.Context, name string) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.live[name], nil
}
func (o *fakeOMERO) ShownName(name string) string                     { return strings.ReplaceAll(name, "/", "∕") }
func (o *fakeOMERO) Destination(context.Context) (Destination, error) { return o, nil }
func (o *fakeOMERO) Changed(context.Context)                          {}
func (o *fakeOMERO) Name() string                                     { return "fake" }

func (o *fakeOMERO) Upload(ctx context.Context, spec FilesetSpec, begun func(int64)) (Upload, error) {
	if o.release != nil {
		select {
		case <-o.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next++
	id := o.next
	begun(id)
	for _, f := range spec.Files {
		b, err := io.ReadAll(io.NewSectionReader(f.Content, 0, f.Size))
		if err != nil {
			return nil, err
		}
		o.contents[f.Name] = string(b)
	}
	o.filesets[id] = spec
	return fakeUpload{o, id, len(spec.Files)}, nil
}

type fakeUpload struct {
	o     *fakeOMERO
	id    int64
	files int
}

func (u fakeUpload) Import(context.Context) (Imported, error) {
	u.o.mu.Lock()
	defer u.o.mu.Unlock()
	if u.o.failAt == "import" {
		delete(u.o.filesets, u.id)
		return Imported{}, tree.Errorf(tree.ErrIO, "the reader does not know this format")
	}
	got := Imported{Fileset: u.id}
	n := 1 + u.o.images
	if u.files > 1 {
		n++
	}
	for range n {
		u.o.next++
		got.Images = append(got.Images, u.o.next)
	}
	return got, nil
}

func (u fakeUpload) Abort(context.Context) error {
	u.o.mu.Lock()
	defer u.o.mu.Unlock()
	delete(u.o.filesets, u.id)
	return nil
}

func (o *fakeOMERO) UploadFile(_ context.Context, spec FileSpec, begun func(int64)) (int64, error) {
	b, err := io.ReadAll(io.NewSectionReader(spec.Content, 0, spec.Size))
	if err != nil {
		return 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next++
	o.files[o.next] = spec.Name + "=" + string(b)
	begun(o.next)
	return o.next, nil
}

func (o *fakeOMERO) Finish(_ context.Context, spec FinishSpec) (Finished, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failAt == "finish" {
		return Finished{}, !o.unsure, tree.Errorf(tree.ErrIO, "the server broke down")
	}
	o.finished = append(o.finished, spec)
	o.live[spec.TopName] = true
	o.next++
	return Finished{Kind: spec.Kind, ID: o.next, Marked: o.marked}, true, nil
}

func (o *fakeOMERO) Unmark(context.Context, string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away > 0 {
		o.away--
		return tree.Errorf(tree.ErrOffline, "the server is away")
	}
	o.marked = false
	return nil
}

func (o *fakeOMERO) Discard(_ context.Context, _ string, filesets, files []int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away > 0 {
		o.away--
		return tree.Errorf(tree.ErrOffline, "the server is away")
	}
	for _, id := range filesets {
		delete(o.filesets, id)
	}
	for _, id := range files {
		delete(o.files, id)
	}
	return nil
}

func testContext() context.Context {
	return tree.WithCaller(context.Background(), tree.Caller{UID: 1000, GID: 1000})
}

func newTestLoads(t *testing.T) *Loads {
	t.Helper()
	spool, err := OpenSpool(path.Join(t.TempDir(), "spool"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	journal, err := OpenJournal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ls := NewLoads(LoadsConfig{
		Spool: spool, Journal: journal, Records: NewRecords(time.Now), Logger: slog.New(slog.DiscardHandler),
		Now: time.Now, CommitWait: time.Minute,
	})
	t.Cleanup(func() {
		ls.Close(context.Background())
		journal.Close()
		if spool.Used() != 0 {
			t.Errorf("the spool still holds %d bytes", spool.Used())
		}
	})
	return ls
}

// write copies one file into a staged folder the way cp does.
func write(ctx context.Context, top tree.Dir, name string, content []byte) error {
	dir := top
	parts := strings.Split(name, "/")
	for _, p := range parts[:len(parts)-1] {
		n, err := dir.Lookup(ctx, p)
		if err != nil {
			if n, err = dir.(tree.DirMaker).Mkdir(ctx, p, 0o755); err != nil {
				return err
			}
		}
		dir = n.(tree.Dir)
	}
	_, h, err := dir.(tree.Creator).Create(ctx, parts[len(parts)-1], tree.CreateOptions{
		OpenOptions: tree.OpenOptions{Write: true}, Exclusive: true, Mode: 0o644})
	if err != nil {
		return err
	}
	defer h.Release(ctx)
	for off := 0; off < len(content); off += 4096 {
		if _, err := h.WriteAt(ctx, content[off:min(off+4096, len(content))], int64(off)); err != nil {
			return err
		}
	}
	return h.Flush(ctx)
}
