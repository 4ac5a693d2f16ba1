// Package identity says who a Unix user is on the two servers. A request's
// Unix user is looked up once per request and travels in its context; nobody
// without an entry gets anybody's rights.
package identity

import (
	"context"
	"errors"
	"fmt"
)

// Person is one user under each of the names they have.
type Person struct {
	UID   uint32 // the Unix user
	OMERO string // OMERO's user name
	IRODS string // iRODS' name#zone
}

// ErrUnknown is returned for a Unix user whom the map does not know.
var ErrUnknown = errors.New("this user is not known here")

// Map finds the person behind a Unix user.
type Map interface {
	// Person returns ErrUnknown (wrapped, with the reason) for a user who has
	// no entry. It never returns somebody else.
	Person(ctx context.Context, uid uint32) (Person, error)
}

// Owner is the map of a mount that belongs to one person: that Unix user and
// nobody else, root included.
type Owner struct {
	person Person
}

// NewOwner returns the map of a mount that belongs to p alone.
func NewOwner(p Person) Owner { return Owner{person: p} }

// Person returns the owner for the owner's uid and ErrUnknown for all others.
func (o Owner) Person(_ context.Context, uid uint32) (Person, error) {
	if uid != o.person.UID {
		return Person{}, fmt.Errorf("uid %d: %w; the mount belongs to uid %d", uid, ErrUnknown, o.person.UID)
	}
	return o.person, nil
}
