// Package turns compares ways to do the same thing: it lets them take turns in
// one run and gives medians, so that a ratio of two of them holds on any
// machine. Benchmarks use it.
package turns

import (
	"fmt"
	"slices"
	"time"
)

// Rounds is how often everything is measured.
const Rounds = 5

// Times are the durations of the rounds, by what was measured.
type Times map[string][]time.Duration

// Measure adds a round of what to t.
func (t Times) Measure(what string, do func()) {
	start := time.Now()
	do()
	t[what] = append(t[what], time.Since(start))
}

// Take does some things, in each round beginning with another one: what runs
// first finds other caches and another heap than what runs last.
func Take(round int, things ...func()) {
	for i := range things {
		things[(round+i)%len(things)]()
	}
}

// Median returns the duration in the middle.
func (t Times) Median(what string) time.Duration {
	d := slices.Sorted(slices.Values(t[what]))
	return d[len(d)/2]
}

// Rate is the speed of a median, in units per second.
func (t Times) Rate(what string, units int64) float64 {
	return float64(units) / t.Median(what).Seconds()
}

// Ratio is the middle of the ratios within each round: how much of the speed
// of other what has. Both met the same load of the machine in their round.
func (t Times) Ratio(what, other string) float64 {
	var r []float64
	for i, d := range t[what] {
		r = append(r, t[other][i].Seconds()/d.Seconds())
	}
	slices.Sort(r)
	return r[len(r)/2]
}

// Spread is the range of the rounds, for people to judge the median.
func (t Times) Spread(what string) string {
	return fmt.Sprintf("%s to %s", Short(slices.Min(t[what])), Short(slices.Max(t[what])))
}

// Short rounds a duration for people.
func Short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// Megabytes writes a number of bytes per second for people.
func Megabytes(rate float64) string { return fmt.Sprintf("%.0f MB/s", rate/1e6) }

// Size writes a number of bytes that is a multiple of 1 MiB for people.
func Size(bytes int64) string {
	if bytes%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", bytes>>30)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
