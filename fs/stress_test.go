package fs_test

import (
	"fmt"
	"sync"
	"testing"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
)

// TestManyAtOnce lets programs copy, list, move and remove in the same
// folders; each works on names of its own and must not notice the others.
func TestManyAtOnce(t *testing.T) {
	src := sample(t)
	mt := memtree.New()
	mt.CopyStepBytes = 1 << 20
	dir := fstest.Mount(t, mt.Root())
	sh(t, `cp -a "$1" "$2/from"`, src, dir)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			out, err := run(t, `set -e
				cp -a "$1/from" "$1/$2.a"
				mv "$1/$2.a" "$1/$2.b"
				ls -laR "$1" > /dev/null 2>&1 || true
				find "$1/$2.b" -type f -exec sha1sum {} + > /dev/null
				diff -r "$1/from" "$1/$2.b"
				rm -r "$1/$2.b"
				test ! -e "$1/$2.b"`, dir, fmt.Sprint(i))
			if err != nil {
				t.Errorf("%d: %v\n%s", i, err, out)
			}
		})
	}
	wg.Wait()
	if got := sh(t, `ls -A "$1"`, dir); got != "from\n" {
		t.Errorf("left: %q", got)
	}
	same(t, src, dir+"/from", true)
}
