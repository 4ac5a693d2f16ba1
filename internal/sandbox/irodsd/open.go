package irodsd

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
	"omerods/internal/sandbox/irodsd/wire"
)

// Open flags as they travel: Linux values.
const (
	flagWrite     = 0x1
	flagReadWrite = 0x2
	flagCreate    = 0x40
	flagExclusive = 0x80
	flagTruncate  = 0x200
)

const (
	firstDescriptor = 3
	maxDescriptors  = 1024 // per connection
)

// descriptor is an open replica.
type descriptor struct {
	fd      int
	path    string
	flags   int
	kv      wire.KeyVals
	replica catalog.Replica // as it was when opened
	file    *os.File
	offset  int64
	writing *writing // nil when open for reading
	expect  int64    // bytes that the client announced
	limit   int64    // bytes the object may have, by its owner's quota; -1 without
}

func (d *descriptor) canRead() bool  { return d.flags&(flagWrite|flagReadWrite) != flagWrite }
func (d *descriptor) canWrite() bool { return d.flags&(flagWrite|flagReadWrite) != 0 }

// objectCreate is API 601: create, or truncate what is there.
func (s *session) objectCreate(req *request) (*reply, error) {
	return s.open(req, flagReadWrite|flagCreate|flagTruncate)
}

// objectOpen is API 602.
func (s *session) objectOpen(req *request) (*reply, error) {
	return s.open(req, int(req.in.Int("openFlags")))
}

func (s *session) open(req *request, flags int) (*reply, error) {
	d, err := s.openObject(req, req.in.Str("objPath"), flags)
	if err != nil {
		return nil, err
	}
	return &reply{info: int32(d.fd)}, nil
}

// openObject opens a data object and gives it a descriptor.
func (s *session) openObject(req *request, p string, flags int) (*descriptor, error) {
	p, err := s.logical(p)
	if err != nil {
		return nil, err
	}
	if len(s.files) >= maxDescriptors {
		return nil, status.FileDescOutOfRange
	}
	d := &descriptor{path: p, flags: flags, kv: req.kv, limit: -1}
	d.expect = max(req.in.Int("dataSize"), wire.Number(req.kv["dataSize"]), req.stream.N)
	// A use of a ticket is counted, so then even reading is an update.
	run := s.view
	if s.ticket != "" {
		run = s.update
	}
	if !d.canWrite() && flags&(flagCreate|flagTruncate) == 0 {
		err = run(req, func(t *catalog.Tx, a catalog.Actor) error { return s.openRead(t, a, d) })
	} else {
		err = s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
			err := s.openWrite(t, a, d)
			if err == nil {
				err = s.openData(d)
			}
			return err
		})
	}
	if err == nil && d.file == nil {
		err = s.openData(d)
	}
	if err != nil {
		// Nothing of the update stays.
		if d.writing != nil {
			s.srv.writers.leave(d.replica.ID, d.writing)
		}
		if d.file != nil {
			_ = d.file.Close()
		}
		return nil, err
	}
	d.fd = firstDescriptor
	for s.files[d.fd] != nil {
		d.fd++
	}
	s.files[d.fd] = d
	return d, nil
}

// find looks up the object to open.
func (s *session) find(t *catalog.Tx, a catalog.Actor, p string) ([]catalog.Replica, error) {
	reps, err := t.Visible(a, p)
	if errors.Is(err, status.UnknownFile) {
		return nil, status.ObjectPathDoesNotExist
	}
	return reps, err
}

func (s *session) openRead(t *catalog.Tx, a catalog.Actor, d *descriptor) error {
	reps, err := s.find(t, a, d.path)
	if err != nil {
		return err
	}
	if err := t.NeedObject(a, reps[0], catalog.LevelRead); err != nil {
		return err
	}
	if d.replica, err = choose(reps, d.kv); err != nil {
		return err
	}
	if locked(reps) {
		if d.writing = s.srv.writers.join(d.replica.ID, d.kv["replicaToken"]); d.writing == nil {
			return status.Hierarchy
		}
	}
	return t.CountTicket(a, d.replica.ID, d.path, catalog.LevelRead, 0)
}

// openWrite finds or creates the object and puts it into the intermediate
// state, or joins those who write it already.
func (s *session) openWrite(t *catalog.Tx, a catalog.Actor, d *descriptor) error {
	reps, err := s.find(t, a, d.path)
	if errors.Is(err, status.ObjectPathDoesNotExist) && d.flags&flagCreate != 0 {
		return s.createObject(t, a, d)
	}
	if err != nil {
		return err
	}
	if d.flags&flagExclusive != 0 && d.flags&flagCreate != 0 {
		return status.FileOpen.With(syscall.EEXIST)
	}
	if err := t.NeedObject(a, reps[0], catalog.LevelWrite); err != nil {
		return err
	}
	if d.replica, err = choose(reps, d.kv); err != nil {
		return err
	}
	if err := s.quota(t, d); err != nil {
		return err
	}
	if locked(reps) {
		if d.writing = s.srv.writers.join(d.replica.ID, d.kv["replicaToken"]); d.writing == nil {
			return status.Hierarchy
		}
		return nil
	}
	if err := t.CountTicket(a, d.replica.ID, d.path, catalog.LevelWrite, d.expect); err != nil {
		return err
	}
	d.writing = s.srv.writers.start(d.replica.ID, d.path, d.replica.Number, reps)
	d.replica.State = catalog.Intermediate
	if err := t.SaveReplica(d.replica); err != nil {
		return err
	}
	return t.SetSiblings(d.replica, catalog.WriteLocked)
}

func (s *session) createObject(t *catalog.Tx, a catalog.Actor, d *descriptor) error {
	resc, err := s.resource(t, d.kv)
	if err != nil {
		return err
	}
	d.replica, err = t.CreateObject(a, d.path, d.kv["dataType"], resc, catalog.Intermediate,
		func(id int64) string { return s.srv.vault.path(resc.Name, id, 0) })
	if errors.Is(err, status.AlreadyExists) {
		// It is there but the user may not see it.
		return status.NoAccess
	}
	if err != nil {
		return err
	}
	if err := t.CountTicket(a, d.replica.CollID, d.replica.Coll, catalog.LevelCreate, d.expect); err != nil {
		return err
	}
	d.flags |= flagTruncate
	d.writing = s.srv.writers.start(d.replica.ID, d.path, 0, nil)
	return s.quota(t, d)
}

// quota finds how long the object may get.
func (s *session) quota(t *catalog.Tx, d *descriptor) error {
	left, limited, err := t.QuotaLeft(d.replica.OwnerName, d.replica.OwnerZone, d.replica.RescID, d.replica.ID)
	if limited {
		d.limit = max(left, 0)
	}
	if err == nil && limited && d.expect > d.limit {
		return status.QuotaExceeded
	}
	return err
}

// resource returns the resource that a request names, or the default.
func (s *session) resource(t *catalog.Tx, kv wire.KeyVals) (catalog.Resource, error) {
	for _, key := range []string{"destRescName", "rescName", "defRescName"} {
		if kv[key] != "" {
			resc, err := t.Resource(kv[key])
			if err != nil {
				return resc, err
			}
			return leaf(t, resc)
		}
	}
	if hier := kv["resc_hier"]; hier != "" {
		return t.Resource(hier[strings.LastIndex(hier, ";")+1:])
	}
	return t.Resource(s.srv.cfg.Resource)
}

// choose picks the replica that the keywords name, or the first good one.
func choose(reps []catalog.Replica, kv wire.KeyVals) (catalog.Replica, error) {
	if n, err := strconv.Atoi(kv["replNum"]); err == nil {
		for _, r := range reps {
			if r.Number == n {
				return r, nil
			}
		}
		return catalog.Replica{}, status.ReplicaDoesNotExist
	}
	if hier := kv["resc_hier"]; hier != "" {
		for _, r := range reps {
			if r.Hier == hier {
				return r, nil
			}
		}
		return catalog.Replica{}, status.ReplicaDoesNotExist
	}
	for _, key := range []string{"rescName", "destRescName"} {
		for _, r := range reps {
			if root, _, _ := strings.Cut(r.Hier, ";"); kv[key] != "" && (root == kv[key] || r.Resc == kv[key]) {
				return r, nil
			}
		}
	}
	return best(reps), nil
}

// locked tells whether any replica is open for writing.
func locked(reps []catalog.Replica) bool {
	for _, r := range reps {
		if r.Locked() {
			return true
		}
	}
	return false
}

// openData opens the replica's file.
func (s *session) openData(d *descriptor) error {
	flags := os.O_RDONLY
	if d.canWrite() {
		flags = os.O_RDWR
	}
	if d.flags&flagTruncate != 0 && d.canWrite() {
		flags |= os.O_TRUNC
		s.srv.writers.touched(d.writing)
	}
	f, err := s.srv.vault.open(d.replica.Path, flags, d.canWrite())
	d.file = f
	return err
}

// descriptor returns an open descriptor of a request.
func (s *session) descriptor(fd int64) (*descriptor, error) {
	if fd < firstDescriptor || fd >= firstDescriptor+maxDescriptors {
		return nil, status.FileDescOutOfRange
	}
	d := s.files[int(fd)]
	if d == nil {
		return nil, status.BadDescriptor
	}
	return d, nil
}
