package turns

import (
	"os"
	"syscall"
	"testing"
)

// small is for a quick look whether the benchmarks work.
var small = os.Getenv("OMERODS_BENCH_SMALL") != ""

// Shrink returns the size for a real run, or with OMERODS_BENCH_SMALL=1 that
// for a quick look.
func Shrink[T any](large, quick T) T {
	if small {
		return quick
	}
	return large
}

// Dir is a folder for the data of servers until the end of b: in that of
// OMERODS_BENCH_DIR or in memory where there is room for twice the bytes that
// are needed, so that no disk is measured; else a temporary one.
func Dir(b *testing.B, need int64) string {
	b.Helper()
	for _, dir := range []string{os.Getenv("OMERODS_BENCH_DIR"), "/dev/shm"} {
		var st syscall.Statfs_t
		if dir == "" || syscall.Statfs(dir, &st) != nil || int64(st.Bavail)*st.Bsize < 2*need {
			continue
		}
		tmp, err := os.MkdirTemp(dir, "omerods-bench-")
		if err != nil {
			continue
		}
		b.Cleanup(func() {
			if err := os.RemoveAll(tmp); err != nil {
				b.Error(err)
			}
		})
		return tmp
	}
	return b.TempDir()
}
