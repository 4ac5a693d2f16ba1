package omero

import (
	"context"
	"errors"
	"fmt"

	"omerods/internal/ice"
)

// busyTries is how often a call that changes nothing is made while the server
// says that it is busy.
const busyTries = 3

// call calls an operation of a stateless service and returns its results.
func (c *Client) call(ctx context.Context, s service, op string, args ...any) ([]any, error) {
	iface := c.defs.Interface(s.iface)
	if iface == nil || iface.Operation(op) == nil {
		return nil, failure(Unsupported, op, "not in the definitions")
	}
	return c.retry(ctx, iface.Operation(op), func(l *link) ([]any, error) {
		p, err := l.proxy(ctx, s)
		if err != nil {
			return nil, notSent{err}
		}
		return l.sess.Call(ctx, p, iface.Operation(op), args, l.requestContext(ctx))
	})
}

// linkTries is how often something that changes nothing is tried, each time on
// another connection, when connections break under it. One that breaks takes
// all requests along that are under way on it, so a second break soon after the
// first is no rarity.
const linkTries = 4

// notSent marks an error that came before the operation itself was sent.
type notSent struct{ error }

func (n notSent) Unwrap() error { return n.error }

// retry runs do on a link. A link that turns out to be dead is replaced when
// the operation changes nothing or was never sent.
func (c *Client) retry(ctx context.Context, op *ice.Operation, do func(*link) ([]any, error)) ([]any, error) {
	links := 0
	for try := 1; ; try++ {
		l, err := c.acquire(ctx)
		if err != nil {
			return nil, err
		}
		res, err := do(l)
		if err == nil {
			return res, nil
		}
		dead, mayBeDone := linkLost(err)
		if dead {
			l.fail()
			safe := !mayBeDone || op.Mode != ice.Normal
			if links++; safe && links < linkTries && ctx.Err() == nil {
				c.log.Warn("omero: connection lost, trying again", "op", op.Name, "err", err)
				continue
			}
			return nil, &Error{Class: Offline, Op: op.Name, Err: err, Unsure: mayBeDone && op.Mode == ice.Normal}
		}
		err = wrap(op.Name, err)
		var e *Error
		if op.Mode != ice.Normal && try < busyTries && errors.As(err, &e) && e.Class == Busy {
			if err := pause(ctx, clampWait(e.retryAfter)); err != nil {
				return nil, err
			}
			continue
		}
		return nil, err
	}
}

// linkLost says whether an error means that connection or session are gone,
// and whether the request may have been executed nevertheless.
func linkLost(err error) (dead, mayBeDone bool) {
	var before notSent
	early := errors.As(err, &before)
	var lost *ice.ConnectionLostError
	if errors.As(err, &lost) {
		return true, lost.Sent && !early
	}
	if dead, mayBeDone := serverLost(err); dead {
		return true, mayBeDone && !early
	}
	// A session that is gone refuses requests; it executes none.
	var user *ice.UserException
	if errors.As(err, &user) && (user.IsA("::omero::SessionException") || user.IsA("::Glacier2::SessionNotExistException")) {
		return true, false
	}
	var gone *ice.RequestFailedError
	return errors.As(err, &gone) && gone.Status == ice.StatusObjectNotExist, false
}

// on calls an operation of an object that belongs to one link; it is never
// repeated.
func (c *Client) on(ctx context.Context, l *link, p *ice.Proxy, iface, op string, args ...any) ([]any, error) {
	o, err := c.operation(iface, op)
	if err != nil {
		return nil, err
	}
	res, err := l.sess.Call(ctx, p, o, args, l.requestContext(ctx))
	return res, l.failed(iface, o, err)
}

// bytesOn is on for an operation that returns bytes. Their memory is lent
// until free is called.
func (c *Client) bytesOn(ctx context.Context, l *link, p *ice.Proxy, iface, op string, args ...any) (data []byte, free func(), err error) {
	o, err := c.operation(iface, op)
	if err != nil {
		return nil, nil, err
	}
	data, free, err = l.sess.CallBytes(ctx, p, o, args, l.requestContext(ctx))
	return data, free, l.failed(iface, o, err)
}

func (c *Client) operation(iface, op string) (*ice.Operation, error) {
	if i := c.defs.Interface(iface); i != nil {
		if o := i.Operation(op); o != nil {
			return o, nil
		}
	}
	return nil, failure(Unsupported, op, "not in the definitions")
}

// failed makes the error of a call over the link, nil for none.
func (l *link) failed(iface string, op *ice.Operation, err error) error {
	if err == nil {
		return nil
	}
	dead, mayBeDone := linkLost(err)
	var gone *ice.RequestFailedError
	if errors.As(err, &gone) && iface != factoryInterface && iface != repositoryInterface {
		dead = false // only that object is gone, not the session
	}
	if dead {
		l.fail()
		return &Error{Class: Offline, Op: op.Name, Err: err, Unsure: mayBeDone && op.Mode == ice.Normal}
	}
	return wrap(op.Name, err)
}

// again says whether something failed because a connection or a session was
// gone and has surely not been done.
func again(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Class == Offline && !e.Unsure
}

// result returns the only result of a call as a T.
func result[T any](op string, res []any, err error) (T, error) {
	var zero T
	if err != nil {
		return zero, err
	}
	if len(res) == 0 {
		return zero, failure(Internal, op, "empty answer")
	}
	v, ok := res[len(res)-1].(T)
	if !ok {
		return zero, failure(Internal, op, fmt.Sprintf("unexpected answer %T", res[len(res)-1]))
	}
	return v, nil
}
