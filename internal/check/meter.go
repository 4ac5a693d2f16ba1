package check

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// meterEvery is how often a Meter shows something.
const meterEvery = 200 * time.Millisecond

// Meter shows on a terminal how far a check is, in a line that it clears at
// the end; nil when f is none.
func Meter(f *os.File) func(Progress) {
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return nil
	}
	var last time.Time
	return func(p Progress) {
		now := time.Now()
		switch {
		case p.Done:
			fmt.Fprint(f, "\r\x1b[K")
			return
		case now.Sub(last) < meterEvery:
			return
		}
		last = now
		of := ""
		if p.Total > 0 {
			of = fmt.Sprintf(" of %.1f", float64(p.Total)/1e6)
		}
		name := plain(p.Path)
		if r := []rune(name); len(r) > 40 {
			name = "…" + string(r[len(r)-39:])
		}
		fmt.Fprintf(f, "\r\x1b[K%.1f%s MB  %s", float64(p.Bytes)/1e6, of, name)
	}
}
