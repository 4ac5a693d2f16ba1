package ice

import (
	"errors"
	"fmt"
)

// ErrTooLarge is returned for a message that exceeds the limit of its
// connection. It was not sent.
var ErrTooLarge = errors.New("message exceeds the size limit")

// ProtocolError is a violation of the Ice protocol or encoding by the peer.
type ProtocolError struct{ Text string }

func (e *ProtocolError) Error() string { return "ice protocol: " + e.Text }

// UserException is an exception that the operation of a server threw.
type UserException struct {
	IDs       []string   // all type ids on the wire, most derived first
	Exception *Exception // the most derived one that is defined here, or nil
	Values    []any      // parallel to Exception.AllFields()
}

func (e *UserException) Error() string {
	text := "exception"
	if len(e.IDs) > 0 {
		text = e.IDs[0]
	}
	for _, name := range []string{"message", "reason"} {
		if s, ok := e.Get(name).(string); ok && s != "" {
			return text + ": " + s
		}
	}
	return text
}

// Get returns the value of a field, nil when the exception does not have it.
func (e *UserException) Get(field string) any {
	if e.Exception == nil {
		return nil
	}
	i, ok := e.Exception.index[field]
	if !ok {
		return nil
	}
	return e.Values[i]
}

// IsA reports whether the exception is of the type or derived from it. A type
// id that came over the wire counts even when it is not defined here.
func (e *UserException) IsA(id string) bool {
	for _, known := range e.IDs {
		if known == id {
			return true
		}
	}
	return e.Exception.IsA(id)
}

// RequestFailedError is a reply of status 2 to 4: there is no such object,
// facet or operation.
type RequestFailedError struct {
	Status    byte
	Identity  Identity
	Facet     []string
	Operation string
}

func (e *RequestFailedError) Error() string {
	what := "object"
	switch e.Status {
	case StatusFacetNotExist:
		what = "facet"
	case StatusOperationNotExist:
		what = "operation"
	}
	return fmt.Sprintf("%s does not exist: %s of %s", what, e.Operation, e.Identity.redacted())
}

// UnknownError is a reply of status 5 to 7: the server failed in a way that
// the operation does not declare. The text is for logs.
type UnknownError struct {
	Status byte
	Text   string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("server error (status %d): %s", e.Status, e.Text)
}

// ConnectionLostError says that the connection ended before a reply came.
type ConnectionLostError struct {
	// Sent is true when the server may have executed the request. It is false
	// when nothing of it was written, or when the server closed the connection
	// gracefully, which promises that it did not.
	Sent bool
	Err  error
}

func (e *ConnectionLostError) Error() string { return fmt.Sprintf("connection lost: %v", e.Err) }

func (e *ConnectionLostError) Unwrap() error { return e.Err }
