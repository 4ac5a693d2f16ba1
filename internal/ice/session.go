package ice

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// RouterIdentity is the object of a Glacier2 router in an OMERO server and in
// every other that is configured like it.
var RouterIdentity = Identity{Name: "router", Category: "OMERO.Glacier2"}

const routerInterface = "::Glacier2::Router"

// Credentials are what a session is created with.
type Credentials struct {
	User, Password string
	Context        map[string]string // of the request that creates the session

	// Encoding is that of all later requests; zero stands for 1.0, in which
	// classes that are not known here can be skipped.
	Encoding Encoding
}

// Session is a Glacier2 session over one connection. Many goroutines may use
// it at once. It ends with its connection, which it does not own.
type Session struct {
	conn  *Conn
	defs  *Definitions
	enc   Encoding // of all calls but the login
	proxy *Proxy

	mu      sync.Mutex // guards the fields below
	context map[string]string
	routes  map[Identity]*route
}

// route is the announcement of an object to the router.
type route struct {
	done chan struct{} // closed when the router has answered
	err  error
}

// Login creates a session. Wrong credentials are a *UserException.
//
// The request is sent in encoding 1.1, in which an exception arrives whole.
func Login(ctx context.Context, conn *Conn, defs *Definitions, cred Credentials) (*Session, error) {
	s := &Session{conn: conn, defs: defs, enc: cred.Encoding, routes: make(map[Identity]*route)}
	if s.enc == (Encoding{}) {
		s.enc = Encoding10
	}
	op := s.routerOperation("createSession")
	if op == nil {
		return nil, fmt.Errorf("the definitions have no %s", routerInterface)
	}
	router := &Proxy{Identity: RouterIdentity}
	results, err := s.invoke(ctx, router, op, Encoding11, []any{cred.User, cred.Password}, cred.Context)
	if err != nil {
		return nil, err
	}
	p, ok := results[0].(*Proxy)
	if !ok {
		return nil, &ProtocolError{Text: "the router gave no session"}
	}
	s.proxy = p
	s.context = maps.Clone(cred.Context)
	return s, nil
}

func (s *Session) routerOperation(name string) *Operation {
	if i := s.defs.Interface(routerInterface); i != nil {
		return i.Operation(name)
	}
	return nil
}

// Proxy returns the session object.
func (s *Session) Proxy() *Proxy { return s.proxy }

// Conn returns the connection of the session.
func (s *Session) Conn() *Conn { return s.conn }

// Definitions returns the definitions of the session.
func (s *Session) Definitions() *Definitions { return s.defs }

// SetContext sets the entries that are added to the context of each call. It
// starts as the context of the credentials.
func (s *Session) SetContext(context map[string]string) {
	context = maps.Clone(context)
	s.mu.Lock()
	s.context = context
	s.mu.Unlock()
}

// Call calls an operation of an object through the router and returns the out
// parameters in order and then the return value when there is one. Entries of
// context win over those of SetContext.
//
// The errors are *UserException, *RequestFailedError, *UnknownError,
// *ConnectionLostError, *ProtocolError and that of ctx.
func (s *Session) Call(ctx context.Context, p *Proxy, op *Operation, args []any, context map[string]string) ([]any, error) {
	reply, err := s.request(ctx, p, op, args, context)
	if err != nil {
		return nil, err
	}
	return s.defs.DecodeReply(op, reply)
}

// CallBytes is Call for an operation whose only result is a byte sequence. The
// memory is lent: release, which need not be called, says that nobody looks at
// the bytes any more. It is nil when there is an error.
func (s *Session) CallBytes(ctx context.Context, p *Proxy, op *Operation, args []any, context map[string]string) (data []byte, release func(), err error) {
	reply, err := s.request(ctx, p, op, args, context)
	if err != nil {
		return nil, nil, err
	}
	results, err := s.defs.DecodeReply(op, reply)
	if err != nil {
		return nil, nil, err
	}
	data, ok := []byte(nil), len(results) == 1
	if ok {
		data, ok = results[0].([]byte)
	}
	if !ok {
		return nil, nil, fmt.Errorf("%s does not return bytes alone", op.Name)
	}
	return data, reply.Release, nil
}

// request sends a request through the router and returns its reply.
func (s *Session) request(ctx context.Context, p *Proxy, op *Operation, args []any, context map[string]string) (*Reply, error) {
	if p == nil {
		return nil, fmt.Errorf("%s of a nil proxy", op.Name)
	}
	merged := s.merged(context)
	// The router may have forgotten the object meanwhile. It says so before
	// anything is executed.
	for try := 1; ; try++ {
		if err := s.announce(ctx, p, merged); err != nil {
			return nil, err
		}
		reply, err := s.exchange(ctx, p, op, s.enc, args, merged)
		if err == nil && try < maxAnnouncements && reply.failed() && reply.Operation == addProxyOperation {
			s.forgetRoute(p.Identity)
			continue
		}
		return reply, err
	}
}

const (
	// addProxyOperation is the operation that a router names when it does not
	// know the object.
	addProxyOperation = "ice_add_proxy"
	maxAnnouncements  = 3
)

// CallName is Call with the names of the interface and operation.
func (s *Session) CallName(ctx context.Context, p *Proxy, interfaceID, opName string, context map[string]string, args ...any) ([]any, error) {
	i := s.defs.Interface(interfaceID)
	if i == nil {
		return nil, fmt.Errorf("no interface %s", interfaceID)
	}
	op := i.Operation(opName)
	if op == nil {
		return nil, fmt.Errorf("%s has no operation %s", interfaceID, opName)
	}
	return s.Call(ctx, p, op, args, context)
}

// IsA asks the object itself whether it has an interface.
func (s *Session) IsA(ctx context.Context, p *Proxy, interfaceID string) (bool, error) {
	results, err := s.Call(ctx, p, objectOperations["ice_isA"], []any{interfaceID}, nil)
	if err != nil {
		return false, err
	}
	yes, _ := results[0].(bool)
	return yes, nil
}

// Ping asks the object to answer.
func (s *Session) Ping(ctx context.Context, p *Proxy) error {
	_, err := s.Call(ctx, p, objectOperations["ice_ping"], nil, nil)
	return err
}

// Refresh keeps the router from ending the session for lack of use.
func (s *Session) Refresh(ctx context.Context) error {
	return s.callRouter(ctx, "refreshSession")
}

// Destroy ends the session. The connection remains, but the router closes it
// when it is used again.
func (s *Session) Destroy(ctx context.Context) error {
	return s.callRouter(ctx, "destroySession")
}

func (s *Session) callRouter(ctx context.Context, name string) error {
	router := &Proxy{Identity: RouterIdentity}
	_, err := s.invoke(ctx, router, s.routerOperation(name), s.enc, nil, s.merged(nil))
	return err
}

func (s *Session) merged(own map[string]string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[string]string, len(s.context)+len(own))
	maps.Copy(m, s.context)
	maps.Copy(m, own)
	return m
}

// invoke sends one request and decodes its reply.
func (s *Session) invoke(ctx context.Context, p *Proxy, op *Operation, enc Encoding, args []any, context map[string]string) ([]any, error) {
	reply, err := s.exchange(ctx, p, op, enc, args, context)
	if err != nil {
		return nil, err
	}
	return s.defs.DecodeReply(op, reply)
}

// exchange sends one request and returns its reply.
func (s *Session) exchange(ctx context.Context, p *Proxy, op *Operation, enc Encoding, args []any, context map[string]string) (*Reply, error) {
	encode := s.defs.EncodeParams
	if op.Sliced {
		encode = s.defs.EncodeParamsSliced
	}
	params, err := encode(enc, op.In, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	req := &Request{Identity: p.Identity, Operation: op.Name, Mode: op.Mode, Params: params}
	if p.Facet != "" {
		req.Facet = []string{p.Facet}
	}
	for _, k := range slices.Sorted(maps.Keys(context)) {
		req.Context = append(req.Context, ContextEntry{k, context[k]})
	}
	return s.conn.Invoke(ctx, req)
}

// failed reports whether the request did not reach an operation.
func (r *Reply) failed() bool {
	return r.Status == StatusObjectNotExist || r.Status == StatusFacetNotExist || r.Status == StatusOperationNotExist
}

// DecodeReply returns the results of an operation, or the error that a reply
// stands for.
func (d *Definitions) DecodeReply(op *Operation, r *Reply) ([]any, error) {
	switch r.Status {
	case StatusOK:
		results, err := d.DecodeParams(op.results, r.Params)
		if err != nil {
			return nil, fmt.Errorf("result of %s: %w", op.Name, err)
		}
		return results, nil
	case StatusUserException:
		ex, err := d.DecodeException(r.Params)
		if err != nil {
			return nil, fmt.Errorf("exception of %s: %w", op.Name, err)
		}
		return nil, ex
	case StatusObjectNotExist, StatusFacetNotExist, StatusOperationNotExist:
		return nil, &RequestFailedError{Status: r.Status, Identity: r.Identity, Facet: r.Facet, Operation: r.Operation}
	}
	return nil, &UnknownError{Status: r.Status, Text: r.Text}
}
