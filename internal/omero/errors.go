package omero

import (
	"context"
	"errors"
	"strings"
	"time"

	"omerods/internal/ice"
)

// Class says what kind of failure an [Error] is. It is an error itself, so
// that errors.Is(err, omero.NotFound) works.
type Class int

// The classes of failures.
const (
	Internal    Class = iota // the server's fault, or one nobody classified
	NotFound                 // no such object, or one that the user may not see
	Denied                   // the user's rights do not suffice
	LoginFailed              // wrong password, expired, no such session
	Exists                   // breaks a unique constraint
	Invalid                  // refused as wrong
	CrossGroup               // would connect objects of two groups
	ReadOnly                 // the group or the server takes no changes
	Busy                     // try again later
	Conflict                 // changed by somebody else meanwhile
	NoSpace                  // the server's disk is full
	Offline                  // not reachable, or the connection was lost
	Checksum                 // what arrived is not what was sent
	BadPath                  // a path that the repository refuses
	Unsupported              // the server does not know the request
	Timeout                  // the server gave up waiting
	Gone                     // the object is there, but its file is not, or not whole
)

var classNames = [...]string{
	"server error", "not found", "permission denied", "login failed", "already exists",
	"invalid request", "crosses groups", "read-only", "busy", "changed meanwhile", "no space left",
	"server unreachable", "checksum mismatch", "path refused", "not supported by the server", "timed out",
	"gone from the server's disk",
}

func (c Class) Error() string {
	if c < 0 || int(c) >= len(classNames) {
		return "unknown failure"
	}
	return classNames[c]
}

// Error is a failed call.
type Error struct {
	Class   Class
	Op      string // what was tried
	Message string // one line of the server's own words, may be empty
	// Unsure is set when the request was sent and no answer came: the server
	// may or may not have done it.
	Unsure bool
	Err    error // the cause, may be nil

	retryAfter time.Duration
}

func (e *Error) Error() string {
	s := e.Class.Error()
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Message != "" {
		s += ": " + e.Message
	} else if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Unsure {
		s += " (the server may have done it)"
	}
	return s
}

// Unwrap gives both the class and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}

func failure(class Class, op, message string) *Error {
	return &Error{Class: class, Op: op, Message: message}
}

// exceptionClasses maps the type ids of the server's exceptions; the most
// derived one that is listed decides.
var exceptionClasses = map[string]Class{
	"::omero::SessionException":                         Offline,
	"::omero::RemovedSessionException":                  Offline,
	"::omero::SessionTimeoutException":                  Offline,
	"::omero::ShutdownInProgress":                       Offline,
	"::omero::InternalException":                        Internal,
	"::omero::ResourceError":                            Internal,
	"::omero::NoProcessorAvailable":                     Busy,
	"::omero::ConcurrencyException":                     Busy,
	"::omero::OptimisticLockException":                  Conflict,
	"::omero::LockTimeout":                              Timeout,
	"::omero::cmd::LockTimeout":                         Timeout,
	"::omero::ApiUsageException":                        Invalid,
	"::omero::OverUsageException":                       Busy,
	"::omero::QueryException":                           Invalid,
	"::omero::ValidationException":                      Invalid,
	"::omero::ChecksumValidationException":              Checksum,
	"::omero::FilePathNamingException":                  BadPath,
	"::omero::SecurityViolation":                        Denied,
	"::omero::GroupSecurityViolation":                   CrossGroup,
	"::omero::PermissionMismatchGroupSecurityViolation": Denied,
	"::omero::ReadOnlyGroupSecurityViolation":           ReadOnly,
	"::omero::grid::UnregisteredFileException":          NotFound,
	"::omero::AuthenticationException":                  LoginFailed,
	"::omero::ExpiredCredentialException":               LoginFailed,
	"::omero::WrappedCreateSessionException":            LoginFailed,
	"::Glacier2::CannotCreateSessionException":          LoginFailed,
	"::Glacier2::PermissionDeniedException":             LoginFailed,
	"::Glacier2::SessionNotExistException":              Offline,
	"::omero::ServerError":                              Internal,
}

// wrap classifies what a call returned; op says what was tried.
func wrap(op string, err error) error {
	var done *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	e := &Error{Op: op, Err: err}
	var user *ice.UserException
	var gone *ice.RequestFailedError
	var unknown *ice.UnknownError
	var lost *ice.ConnectionLostError
	switch {
	case errors.As(err, &user):
		e.classify(user)
	case errors.As(err, &gone):
		e.Class, e.Message = NotFound, "object gone: "+gone.Operation
		if gone.Status != ice.StatusObjectNotExist {
			e.Class, e.Message = Unsupported, "no operation "+gone.Operation
		}
	case errors.As(err, &unknown):
		e.Class, e.Message = Internal, firstLine(unknown.Text)
	case errors.As(err, &lost):
		e.Class = Offline
	default:
		e.Class = Internal
	}
	return e
}

func (e *Error) classify(u *ice.UserException) {
	e.Class = Internal
	for _, id := range u.IDs {
		if c, ok := exceptionClasses[id]; ok {
			e.Class = c
			break
		}
	}
	e.Message = firstLine(exceptionText(u, "message", "reason"))
	text := strings.ToLower(e.Message)
	switch {
	case e.Class == LoginFailed && text == routerTrouble:
		e.Class = Offline
	case e.Class == Invalid && containsAny(text, "unique", "duplicate key", "already exists"):
		e.Class = Exists
	case e.Class == Invalid && u.IsA("::omero::ValidationException") &&
		containsAny(text, "not found", "no row", "cannot find", "cannot read", "unknown file"):
		e.Class = NotFound
	case e.Class == Internal && containsAny(text, "cannot find path", "filenotfound", "no such file"):
		e.Class = Gone
	case e.Class == Internal && containsAny(text, "no space", "disk full", "disk space"):
		e.Class = NoSpace
	}
	if ms, ok := u.Get("backOff").(int64); ok {
		e.retryAfter = time.Duration(ms) * time.Millisecond
	}
	if wait, ok := u.Get("concurrency").(bool); ok && wait {
		e.Class = Busy
	}
}

// asUser finds the exception of the server in an error, nil when there is none.
func asUser(err error) *ice.UserException {
	var user *ice.UserException
	if errors.As(err, &user) {
		return user
	}
	return nil
}

func exceptionText(u *ice.UserException, fields ...string) string {
	for _, f := range fields {
		if s, ok := u.Get(f).(string); ok && s != "" {
			return s
		}
	}
	if len(u.IDs) > 0 {
		return u.IDs[0]
	}
	return ""
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// firstLine keeps stack traces of the server away from people.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.TrimSpace(s)
}
