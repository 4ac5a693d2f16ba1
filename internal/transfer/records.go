package transfer

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

// Direction says which way a transfer goes.
type Direction string

// The directions.
const (
	ToArchive Direction = "save"
	ToOMERO   Direction = "load"
)

// State is how far a transfer is.
type State string

// The states of transfers. A save is also known by its state to everybody who
// reads the collection's metadata.
const (
	StateSaving   State = "saving"
	StateLoading  State = "loading"
	StateFinished State = "finished"
	StatePartial  State = "partial"
	StateFailed   State = "failed"
	StateRemoving State = "removing"
	StateCanceled State = "cancelled"
)

// Record is what can be said about one transfer.
type Record struct {
	ID        string    `json:"id"`
	Direction Direction `json:"direction"`
	UID       uint32    `json:"uid"`
	Path      string    `json:"path"`          // as the target's side calls it
	Tar       bool      `json:"tar,omitempty"` // Path is a .tar
	Object    string    `json:"object,omitempty"`
	Name      string    `json:"name,omitempty"`
	State     State     `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Note      string    `json:"note,omitempty"`
	Files     int       `json:"files"`
	FilesDone int       `json:"files_done"`
	Bytes     int64     `json:"bytes"`
	BytesDone int64     `json:"bytes_done"`           // that have come
	BytesSent int64     `json:"bytes_sent,omitempty"` // of a running load, that OMERO has too
	Rate      int64     `json:"rate,omitempty"`       // of a running one, bytes that come in a second, over half a minute; of a load that has all, bytes that are sent
	// SecondsLeft is 0 when it is not known.
	SecondsLeft int64     `json:"seconds_left,omitempty"`
	Started     time.Time `json:"started"`
	Changed     time.Time `json:"changed"`
}

// Running says whether the transfer has not ended.
func (r Record) Running() bool { return r.State == StateSaving || r.State == StateLoading }

// maxRecords bounds how many ended transfers are remembered.
const maxRecords = 1000

// Records is the memory of the running and the latest ended transfers.
type Records struct {
	now func() time.Time

	mu   sync.Mutex       // guards the fields below; taken after a transfer's own
	list []Record         // oldest first
	live map[string]*live // of the running ones, by their ID
}

// NewRecords returns an empty memory.
func NewRecords(now func() time.Time) *Records { return &Records{now: now, live: map[string]*live{}} }

// Put stores r under its ID, with the present time as that of the change.
func (rs *Records) Put(r Record) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.Changed = rs.now()
	if !r.Running() {
		delete(rs.live, r.ID)
	}
	for i := range rs.list {
		if rs.list[i].ID == r.ID {
			rs.list[i] = r
			return
		}
	}
	rs.list = append(rs.list, r)
	if len(rs.list) <= maxRecords {
		return
	}
	if i := slices.IndexFunc(rs.list, func(r Record) bool { return !r.Running() }); i >= 0 {
		rs.list = slices.Delete(rs.list, i, i+1)
	}
}

// All returns the transfers of one Unix user, the latest first, the running
// ones as they are at this moment.
func (rs *Records) All(uid uint32) []Record {
	rs.mu.Lock()
	var out []Record
	for _, r := range slices.Backward(rs.list) {
		if r.UID == uid {
			out = append(out, r)
		}
	}
	rs.mu.Unlock()
	for i := range out {
		rs.measure(&out[i])
	}
	return out
}

// newID returns an id that no other transfer has.
func newID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
