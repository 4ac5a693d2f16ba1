package transfer

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	now := time.Unix(1000, 0)
	rs := NewRecords(func() time.Time { return now })
	var done int64
	r := Record{ID: "a", Direction: ToArchive, State: StateSaving, Bytes: 1000, Started: now}
	rs.Put(r)
	rs.Live("a", func() progress { return progress{done: done} })
	look := func() Record { return rs.All(0)[0] }

	if r := look(); r.Rate != 0 || r.SecondsLeft != 0 {
		t.Errorf("at the start: got %+v", r)
	}
	for range 100 { // 5 a second, asked ten times as often
		now, done = now.Add(100*time.Millisecond), done+1
		if done%2 == 0 {
			look()
		}
	}
	if r := look(); r.Rate != 10 || r.SecondsLeft != 90 || r.BytesDone != 100 {
		t.Errorf("after 10 s: got %+v; want 10 a second, 90 s left", r)
	}
	// The rate of long ago does not count.
	for range 40 {
		now, done = now.Add(time.Second), done+2
		look()
	}
	if r := look(); r.Rate != 2 {
		t.Errorf("slower: got %d a second, want 2", r.Rate)
	}
	now = now.Add(40 * time.Second)
	look()
	now = now.Add(40 * time.Second)
	if r := look(); r.Rate != 0 || r.SecondsLeft != 0 {
		t.Errorf("nothing comes: got %+v", r)
	}
	if n := len(rs.live["a"].samples); n > 200 {
		t.Errorf("%d samples are kept", n)
	}
	r.State = StateFinished
	rs.Put(r)
	if len(rs.live) != 0 {
		t.Error("an ended transfer is still measured")
	}
}

// A load is through when OMERO has it, not when it is in the spool.
func TestRateOfALoad(t *testing.T) {
	for p, want := range map[progress]struct{ rate, left int64 }{
		{done: 500}:              {50, 30}, // 500 are to come and 1,000 to be sent, 50 a second
		{done: 500, sent: 250}:   {50, 16}, // 75 a second
		{done: 1000, sent: 100}:  {10, 8},  // all has come; of the time both ways took
		{done: 1000, sent: 1000}: {100, 0},
		{}:                       {0, 0},
	} {
		now := time.Unix(1000, 0)
		rs := NewRecords(func() time.Time { return now })
		rs.Put(Record{ID: "a", Direction: ToOMERO, State: StateLoading, Bytes: 1000, Started: now})
		rs.Live("a", func() progress { return p })
		now = now.Add(10 * time.Second)
		r := rs.All(0)[0]
		if r.BytesDone != p.done || r.BytesSent != p.sent || r.Rate != want.rate || r.SecondsLeft != want.left || r.Through() != (p.sent == 1000) {
			t.Errorf("%+v: got %+v, want %+v", p, r, want)
		}
	}
}
