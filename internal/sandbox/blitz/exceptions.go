package blitz

import (
	"context"
	"errors"
	"fmt"

	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/store"
)

// The exceptions of the services; see Fail.
const (
	APIUsage           = "::omero::ApiUsageException"
	Validation         = "::omero::ValidationException"
	QueryError         = "::omero::QueryException"
	SecurityViolation  = "::omero::SecurityViolation"
	GroupViolation     = "::omero::GroupSecurityViolation"
	ReadOnlyGroup      = "::omero::ReadOnlyGroupSecurityViolation"
	PermissionMismatch = "::omero::PermissionMismatchGroupSecurityViolation"
	OptimisticLock     = "::omero::OptimisticLockException"
	Internal           = "::omero::InternalException"
	ResourceProblem    = "::omero::ResourceError"
	RemovedSession     = "::omero::RemovedSessionException"
	Overuse            = "::omero::OverUsageException"
	ShuttingDown       = "::omero::ShutdownInProgress"
)

// Fail returns a user exception of a class derived from ::omero::ServerError.
func Fail(id, format string, args ...any) *iceserver.Exception {
	return &iceserver.Exception{ID: id, Values: map[string]any{
		"message":              fmt.Sprintf(format, args...),
		"serverExceptionClass": "ome.conditions." + shortName(id),
	}}
}

// errGone says that an object was closed while a request waited for it.
var errGone = iceserver.ErrNotExist

// translate turns the error of a method into what the client gets.
func (s *Server) translate(op string, err error) error {
	var ex *iceserver.Exception
	var graph *graphError
	var query *hql.Error
	var broken *store.ConstraintError
	switch {
	case errors.As(err, &ex), errors.As(err, &graph), errors.Is(err, iceserver.ErrNotExist):
		return err
	case errors.As(err, &query):
		return Fail(QueryError, "%s", query.Error())
	case errors.As(err, &broken):
		return Fail(Validation, "could not save: %s", broken.Error())
	case errors.Is(err, store.ErrClosed), errors.Is(err, errClosing):
		return Fail(ShuttingDown, "the server is shutting down")
	case errors.Is(err, context.Canceled):
		return Fail(Internal, "cancelled")
	}
	s.log.Error("unexpected", "operation", op, "err", err)
	return Fail(Internal, "%v", err)
}
