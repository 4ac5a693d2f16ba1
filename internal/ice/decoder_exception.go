package ice

import "strings"

// exception reads a user exception, its type ids from the most derived one.
func (d *decoder) exception() *UserException {
	ex := &UserException{}
	if d.enc == Encoding10 {
		d.exception10(ex)
	} else {
		d.exception11(ex)
	}
	return ex
}

func (d *decoder) exception10(ex *UserException) {
	usesClasses := d.bool()
	var next *Exception
	for d.err == nil && !d.chainEnded(ex, next) {
		id := d.string()
		length := int(d.int())
		if d.err != nil {
			return
		}
		if length < 4 || length-4 > d.end-d.pos {
			d.fail("slice of %d bytes", length)
			return
		}
		next = d.exceptionSlice(ex, id, next, d.pos+length-4, nil)
	}
	if usesClasses {
		d.pendingInstances()
	}
}

// chainEnded reports whether no further slice of an exception follows in
// encoding 1.0. Only a known chain says so itself. Behind an unknown one come
// either the end or batches of instances, which do not look like a type id.
func (d *decoder) chainEnded(ex *UserException, next *Exception) bool {
	if ex.Exception != nil {
		return next == nil
	}
	if len(ex.IDs) == 0 {
		return false
	}
	rest := d.buf[d.pos:d.end]
	return len(rest) < 3 || !strings.HasPrefix(string(rest[1:3]), "::")
}

// exceptionSlice reads a slice whose end is known and returns the exception
// that should come next. Slices that are not defined here are skipped.
func (d *decoder) exceptionSlice(ex *UserException, id string, next *Exception, end int, optionals *bool) *Exception {
	ex.IDs = append(ex.IDs, id)
	known := d.defs.exceptions[id]
	switch {
	case known == nil:
		d.pos = end
		return next
	case ex.Exception == nil:
		d.startException(ex, known)
	case !next.IsA(id):
		d.fail("slice of %s in %s", id, ex.Exception.ID)
		return nil
	}
	own := ex.Values[known.firstOwn():len(known.all)]
	// An exception has no place to note another shape of its members.
	var scratch Object
	d.members(&scratch, known.Fields, own, end, optionals)
	if scratch.Mismatch {
		d.loose = d.loose[:len(d.loose)-1]
		for i, f := range known.Fields {
			own[i] = tidy(f.Type, own[i])
		}
	}
	return known.Base
}

func (d *decoder) startException(ex *UserException, known *Exception) {
	ex.Exception = known
	ex.Values = make([]any, len(known.all))
	for i, f := range known.all {
		if !f.Optional {
			ex.Values[i] = f.Type.Zero()
		}
	}
}

func (d *decoder) exception11(ex *UserException) {
	var next *Exception
	for d.err == nil {
		flags := d.byte()
		id := d.string()
		if d.err != nil {
			return
		}
		hasOptionals := flags&flagOptionals != 0
		switch {
		case flags&flagLength != 0:
			members, after := d.sliceTable(flags)
			if d.err != nil {
				return
			}
			d.pos = members.pos
			next = d.exceptionSlice(ex, id, next, members.end, &hasOptionals)
			d.pos = after
			d.indirect, d.sliced = nil, false
		case flags&flagIndirection != 0:
			d.fail("indirection table of a slice without a length")
		default:
			next = d.compactException(ex, id, next, hasOptionals)
		}
		if flags&flagLast != 0 {
			return
		}
	}
}

// compactException reads a slice of the compact format. One that is not
// defined here cannot be skipped; its name is all that remains.
func (d *decoder) compactException(ex *UserException, id string, next *Exception, hasOptionals bool) *Exception {
	ex.IDs = append(ex.IDs, id)
	known := d.defs.exceptions[id]
	switch {
	case known == nil:
		d.fail("exception %s is not known here and cannot be skipped", id)
		return nil
	case ex.Exception == nil:
		d.startException(ex, known)
	case known != next:
		d.fail("slice of %s in %s", id, ex.Exception.ID)
		return nil
	}
	own := ex.Values[known.firstOwn():len(known.all)]
	d.fields(known.Fields, own)
	if hasOptionals {
		d.optionals(known.Fields, own, true)
	}
	return known.Base
}
