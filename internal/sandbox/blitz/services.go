package blitz

import (
	"context"
	"sort"
	"strings"
	"sync"

	"omerods/internal/ice"
)

// Call is a request to an object on behalf of a session.
type Call struct {
	Server  *Server
	Session *Session
	// Operation and Args are what is called; the arguments have the Go types
	// that package ice documents.
	Operation string
	Args      []any
	// Context is that of the request.
	Context map[string]string

	self ice.Identity
}

// Self returns the identity of the object that is called.
func (c *Call) Self() ice.Identity { return c.self }

// Arg returns an argument, or the zero value when it is nil.
func Arg[T any](c *Call, i int) T {
	v, _ := c.Args[i].(T)
	return v
}

// Method implements an operation. The result has the out parameters in order
// and then the return value. Errors made by Fail reach the client as user
// exceptions; those of package store and package hql are translated; any other
// becomes an InternalException.
type Method func(ctx context.Context, c *Call) ([]any, error)

// Servant implements the operations of an object.
type Servant interface {
	// Method returns the implementation of an operation that the interface of
	// the object declares, nil when the servant has none.
	Method(operation string) Method
}

// Closer is a servant that holds something until the client closes it or its
// session ends. Close is called once and not during an operation.
type Closer interface {
	Close(ctx context.Context) error
}

// Methods is a servant made of functions.
type Methods map[string]Method

// Method implements Servant.
func (m Methods) Method(operation string) Method { return m[operation] }

// Service is something that a session gives out.
type Service struct {
	// Interface is its Slice type, such as "::omero::api::IQuery".
	Interface string
	// Name is its name in identities, such as "omero.api.IQuery".
	Name string
	// Getter is the operation of the ServiceFactory that returns it, such as
	// "getQueryService".
	Getter string
	// Stateful services have one servant for each call of the getter, whose
	// operations run one after the other. Of others there is one for each
	// session. The operations close, activate, passivate and
	// getCurrentEventContext of stateful services are there already; close
	// closes the servant.
	Stateful bool
	// New makes a servant for the session of the call.
	New func(c *Call) (Servant, error)
}

// Register adds a service. It is called before Serve.
func (s *Server) Register(svc Service) {
	if s.defs.Interface(svc.Interface) == nil {
		panic("blitz: no interface " + svc.Interface) // a mistake of the program
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services[svc.Name] = &svc
	if svc.Getter != "" {
		s.getters[svc.Getter] = &svc
	}
}

// AddGlobal makes an object that belongs to no session, such as a repository.
// A client reaches it after its session called Admit, and each request must
// name its session in the context entry omero.session.uuid.
func (s *Server) AddGlobal(id ice.Identity, iface string, servant Servant) *ice.Proxy {
	s.mu.Lock()
	s.globals[id] = &object{iface: s.defs.Interface(iface), servant: servant}
	s.mu.Unlock()
	return s.proxy(id)
}

// object is an active object.
type object struct {
	iface    *ice.Interface
	servant  Servant
	stateful bool

	busy   sync.Mutex // serialises the operations of a stateful object
	closed bool       // guarded by busy
}

// close closes the servant, once.
func (o *object) close(ctx context.Context) error {
	o.busy.Lock()
	defer o.busy.Unlock()
	if o.closed {
		return nil
	}
	o.closed = true
	if c, ok := o.servant.(Closer); ok {
		return c.Close(ctx)
	}
	return nil
}

// Activate makes an object of the session under a name; the category of its
// identity is the session's. Its operations run one after the other when
// stateful is true. An operation "close" of the interface that the servant
// does not implement closes and removes the object.
func (s *Session) Activate(name, iface string, servant Servant, stateful bool) *ice.Proxy {
	id := ice.Identity{Name: name, Category: s.UUID}
	s.mu.Lock()
	s.objects[id] = &object{iface: s.srv.defs.Interface(iface), servant: servant, stateful: stateful}
	s.mu.Unlock()
	return s.srv.proxy(id)
}

// Deactivate removes an object of the session and closes its servant. It must
// not be called by an operation of that object when it is stateful.
func (s *Session) Deactivate(ctx context.Context, id ice.Identity) error {
	s.mu.Lock()
	o := s.objects[id]
	delete(s.objects, id)
	s.mu.Unlock()
	if o == nil {
		return nil
	}
	return o.close(ctx)
}

// Admit lets the session's clients reach a global object.
func (s *Session) Admit(id ice.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted[id] = true
}

func (s *Session) object(id ice.Identity) *object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[id]
}

// open returns a proxy for a service, a new object for a stateful one.
func (s *Session) open(c *Call, svc *Service) (*ice.Proxy, error) {
	name := svc.Name
	if svc.Stateful {
		name = newUUID() + svc.Name
	} else if o := s.object(ice.Identity{Name: name, Category: s.UUID}); o != nil {
		return s.srv.proxy(ice.Identity{Name: name, Category: s.UUID}), nil
	}
	servant, err := svc.New(c)
	if err != nil {
		return nil, err
	}
	return s.Activate(name, svc.Interface, servant, svc.Stateful), nil
}

// active returns the names of the session's objects.
func (s *Session) active() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.objects))
	for id := range s.objects {
		names = append(names, id.Name)
	}
	sort.Strings(names)
	return names
}

// builtin returns the operations that stateful objects have by themselves.
func (o *object) builtin(op *ice.Operation) Method {
	if !o.iface.IsA("::omero::api::StatefulServiceInterface") && op.Name != "close" {
		return nil
	}
	switch op.Name {
	case "close":
		return func(ctx context.Context, c *Call) ([]any, error) {
			return nil, c.Session.Deactivate(ctx, c.self)
		}
	case "activate", "passivate":
		return func(context.Context, *Call) ([]any, error) { return nil, nil }
	case "getCurrentEventContext":
		return eventContextMethod
	}
	return nil
}

// invoke runs an operation of an object.
func (o *object) invoke(ctx context.Context, op *ice.Operation, c *Call) ([]any, error) {
	m := o.servant.Method(op.Name)
	if m == nil {
		if m = o.builtin(op); m == nil {
			return nil, Fail(APIUsage, "%s.%s is not offered by this server", shortName(o.iface.ID), op.Name)
		}
		return m(ctx, c)
	}
	if o.stateful {
		o.busy.Lock()
		defer o.busy.Unlock()
		if o.closed {
			return nil, errGone
		}
	}
	return m(ctx, c)
}

// shortName is the last part of a type id.
func shortName(id string) string { return id[strings.LastIndexByte(id, ':')+1:] }

// one wraps a single return value.
func one(v any, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	return []any{v}, nil
}
