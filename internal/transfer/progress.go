package transfer

import (
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// progress is how much of a running transfer is done at this moment, in bytes.
type progress struct {
	// done are the bytes that have come: of a save into the archive, of a load
	// into the spool. sent are those of a load that OMERO has.
	done, sent int64
}

// sample is one look at a running transfer.
type sample struct {
	at time.Time
	progress
}

// rateOver is how far back the rate looks: long enough to be steady over files
// of all sizes, short enough to show that nothing comes any more.
const rateOver = 30 * time.Second

// live is what belongs to a running transfer besides its record.
type live struct {
	now     func() progress
	samples []sample // oldest first; only the first may be older than rateOver
}

// Live names the function that tells how far a running transfer is. It is
// forgotten when the record's state is an end.
func (rs *Records) Live(id string, now func() progress) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.live[id] = &live{now: now}
}

// measure fills in what is known of a running transfer at this moment.
func (rs *Records) measure(r *Record) {
	rs.mu.Lock()
	l := rs.live[r.ID]
	rs.mu.Unlock()
	if l == nil || !r.Running() {
		return
	}
	p := l.now() // takes the transfer's own lock, so ours is not held
	r.BytesDone = max(r.BytesDone, p.done)
	r.BytesSent = p.sent
	rs.mu.Lock()
	defer rs.mu.Unlock()
	now := rs.now()
	if len(l.samples) == 0 {
		l.samples = []sample{{at: r.Started}}
	}
	if n := len(l.samples); now.Sub(l.samples[n-1].at) >= rateOver/100 {
		l.samples = append(l.samples, sample{now, p})
	}
	for len(l.samples) > 2 && now.Sub(l.samples[1].at) >= rateOver {
		l.samples = l.samples[1:]
	}
	first := l.samples[0]
	took := now.Sub(first.at).Seconds()
	if took <= 0 {
		return
	}
	came, sent := float64(p.done-first.done)/took, float64(p.sent-first.sent)/took
	r.Rate = int64(max(came, 0))
	work, left := came, r.Bytes-p.done
	if r.Direction == ToOMERO {
		// Each byte comes and is sent, which may go on at the same time or not.
		work, left = came+sent, left+r.Bytes-p.sent
		if p.done >= r.Bytes {
			r.Rate = int64(max(sent, 0))
		}
	}
	if work >= 1 && left > 0 && r.Bytes > 0 {
		r.SecondsLeft = max(1, int64(float64(left)/work))
	}
}

// Through tells whether all bytes that are known of are where they go.
func (r Record) Through() bool {
	return r.Bytes > 0 && r.BytesDone >= r.Bytes && (r.Direction == ToArchive || r.BytesSent >= r.Bytes)
}

// writingTeller is an Archive that tells how much of the files below a
// collection that are being written has come, by their path.
type writingTeller interface {
	Writing(collection string) map[string]int64
}

// progress tells how far the save is, with the files that are on their way.
func (sv *save) progress() progress {
	writing := map[string]int64{}
	if t, ok := sv.of.cfg.Archive.(writingTeller); ok {
		writing = t.Writing(sv.collection())
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	done := sv.record.BytesDone
	for p, n := range writing {
		// A program's temporary name is in no manifest.
		if e := sv.expect(p); e == nil || !e.here {
			if e != nil && e.Size >= 0 {
				n = min(n, e.Size)
			}
			done += n
		}
	}
	return progress{done: min(done, max(sv.record.Bytes, sv.record.BytesDone))}
}

// progress tells how far the load is, with the files that are on their way.
func (l *Load) progress() progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := progress{done: l.record.BytesDone, sent: l.sentBytes.Load()}
	if l.top == nil {
		return p
	}
	for path, f := range l.written() {
		n := f.content.Size()
		switch w := l.wanted[path]; {
		case f.arrived:
			n = 0
		case w == nil && !strings.HasPrefix(f.name, "."): // else the temporary name of a program
			n = 0
		case w != nil && w.here:
			n = 0
		case w != nil && w.Size >= 0:
			n = min(n, w.Size)
		}
		p.done += n
	}
	p.done = min(p.done, max(l.record.Bytes, l.record.BytesDone))
	return p
}

// counted counts the bytes of a file that are read to be sent, each once.
type counted struct {
	io.ReaderAt
	mark, total *atomic.Int64 // of the file, of the load
}

func (c counted) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, off)
	for end := off + int64(n); ; {
		old := c.mark.Load()
		if end <= old {
			break
		}
		if c.mark.CompareAndSwap(old, end) {
			c.total.Add(end - old)
			break
		}
	}
	return n, err
}
