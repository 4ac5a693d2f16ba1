package iceserver

import (
	"context"
	"errors"
	"fmt"

	"omerods/internal/ice"
)

// Exception is an error that becomes a user exception.
type Exception struct {
	ID     string
	Values map[string]any // by field; those left out have their zero value
}

func (e *Exception) Error() string {
	for _, name := range []string{"message", "reason"} {
		if s, ok := e.Values[name].(string); ok {
			return e.ID + ": " + s
		}
	}
	return e.ID
}

// ErrNotExist, returned by an implementation, says that the object does not
// exist (any more).
var ErrNotExist = errors.New("object does not exist")

// Impl implements the operations of an interface. The result has the out
// parameters in order and then the return value when there is one.
type Impl func(ctx context.Context, op *ice.Operation, args []any, context map[string]string) ([]any, error)

// Dispatch answers a request to an object of an interface: it checks the
// operation, the mode and the parameters, calls impl, and encodes the result
// in the encoding of the request. An *Exception becomes a user exception when
// the operation declares it or a base of it; any other error the reply of a
// server that failed. The operations that every object has (ice_ping ...) are
// answered here.
func Dispatch(ctx context.Context, defs *ice.Definitions, iface *ice.Interface, req *ice.Request, impl Impl) *ice.Reply {
	op := iface.Operation(req.Operation)
	if op == nil {
		return NotExist(ice.StatusOperationNotExist, req)
	}
	if (op.Mode == ice.Normal) != (req.Mode == ice.Normal) {
		return unknownLocal(fmt.Errorf("unexpected operation mode. expected = %d received = %d", op.Mode, req.Mode))
	}
	enc, err := ice.EncapsulationEncoding(req.Params)
	if err != nil {
		return unknownLocal(err)
	}
	args, err := defs.DecodeParamsExact(op.In, req.Params)
	if err != nil {
		return unknownLocal(err)
	}
	var results []any
	if op.Interface.ID == "::Ice::Object" {
		results = objectOperation(iface, op.Name, args)
	} else if results, err = impl(ctx, op, args, req.ContextMap()); err != nil {
		return failure(defs, op, enc, req, err)
	}
	var params, rest []byte
	if op.Sliced {
		params, err = defs.EncodeParamsSliced(enc, op.Results(), results)
	} else {
		params, rest, err = defs.EncodeParts(enc, op.Results(), results)
	}
	if err != nil {
		return unknownLocal(fmt.Errorf("result of %s: %w", op.Name, err))
	}
	return &ice.Reply{Status: ice.StatusOK, Params: params, Rest: rest}
}

// NotExist returns a reply of one of the states that something does not exist.
func NotExist(status byte, req *ice.Request) *ice.Reply {
	return &ice.Reply{Status: status, Identity: req.Identity, Facet: req.Facet, Operation: req.Operation}
}

func unknownLocal(err error) *ice.Reply {
	return &ice.Reply{Status: ice.StatusUnknownLocal, Text: "::Ice::MarshalException: " + err.Error()}
}

func objectOperation(iface *ice.Interface, name string, args []any) []any {
	switch name {
	case "ice_isA":
		id, _ := args[0].(string)
		return []any{iface.IsA(id)}
	case "ice_ids":
		return []any{iface.IDs()}
	case "ice_id":
		return []any{iface.ID}
	}
	return nil // ice_ping
}

// failure turns an error of an implementation into a reply.
func failure(defs *ice.Definitions, op *ice.Operation, enc ice.Encoding, req *ice.Request, err error) *ice.Reply {
	if errors.Is(err, ErrNotExist) {
		return NotExist(ice.StatusObjectNotExist, req)
	}
	var ex *Exception
	if !errors.As(err, &ex) {
		return &ice.Reply{Status: ice.StatusUnknown, Text: err.Error()}
	}
	known := defs.Exception(ex.ID)
	if known == nil || !op.Throwable(known) {
		return &ice.Reply{Status: ice.StatusUnknownUser, Text: "unknown user exception: " + ex.ID}
	}
	values := make([]any, len(known.AllFields()))
	for i, f := range known.AllFields() {
		v, ok := ex.Values[f.Name]
		if !ok {
			v = f.Type.Zero()
		}
		values[i] = v
	}
	params, encErr := defs.EncodeException(enc, op.Sliced, known, values)
	if encErr != nil {
		return unknownLocal(fmt.Errorf("exception of %s: %w", op.Name, encErr))
	}
	return &ice.Reply{Status: ice.StatusUserException, Params: params}
}
