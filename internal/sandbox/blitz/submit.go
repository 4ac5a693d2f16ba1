package blitz

import (
	"context"
	"errors"
	"fmt"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// submit starts a request and returns its handle, nil when the server knows no
// such request.
func submit(_ context.Context, c *Call) ([]any, error) {
	req := Arg[*ice.Object](c, 0)
	if req == nil || req.Class == nil {
		return []any{nil}, nil
	}
	fn := c.Server.request(req)
	if fn == nil {
		return []any{nil}, nil
	}
	// A bad group is told at once and not by the response.
	if err := c.View(nobody); err != nil {
		return nil, err
	}
	p, err := c.Start(req, c.Server.stepsOf(req), fn)
	if err != nil {
		return nil, err
	}
	return []any{p}, nil
}

func (s *Server) request(req *ice.Object) RequestFunc {
	if req == nil || req.Class == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[req.Class.ID]
}

// stepsOf is the length of a request in steps.
func (s *Server) stepsOf(req *ice.Object) int {
	if req.IsA("::omero::cmd::DoAll") {
		list, _ := req.Get("requests").([]any)
		return max(len(list), 1)
	}
	if req.IsA("::omero::cmd::GraphModify2") {
		return 5
	}
	return 1
}

// errResponse is the ERR for an error.
func (s *Server) errResponse(req *ice.Object, err error) *ice.Object {
	var graph *graphError
	if errors.As(err, &graph) {
		return s.defs.New("::omero::cmd::GraphException").
			Set("category", req.Class.ID).Set("name", "graph-fail").Set("message", graph.message).
			Set("parameters", ice.Dict{{Key: "message", Value: graph.message}})
	}
	params := ice.Dict{{Key: "message", Value: err.Error()}}
	name := "unknown"
	var ex *iceserver.Exception
	if errors.As(err, &ex) {
		name = shortName(ex.ID)
		if text, ok := ex.Values["message"].(string); ok {
			params[0].Value = text
		}
		params = append(params, ice.Pair{Key: "exception", Value: ex.ID})
	}
	return s.Err(req, name, params)
}

// Err returns an ::omero::cmd::ERR.
func (s *Server) Err(req *ice.Object, name string, params ice.Dict) *ice.Object {
	return s.defs.New("::omero::cmd::ERR").Set("category", req.Class.ID).Set("name", name).Set("parameters", params)
}

// doAll runs several requests one after the other and stops at the first that
// fails. Each is a transaction of its own.
func doAll(ctx context.Context, c *Call, req *ice.Object, t *Task) (*ice.Object, error) {
	list, _ := req.Get("requests").([]any)
	contexts, _ := req.Get("contexts").([]any)
	var responses, states []any
	for i, v := range list {
		part, _ := v.(*ice.Object)
		fn := c.Server.request(part)
		if fn == nil {
			return nil, Fail(APIUsage, "request %d is of no known type", i)
		}
		t.Step(i)
		sub := *c
		if i < len(contexts) {
			sub.Context = merge(c.Context, contexts[i])
		}
		rsp, err := fn(ctx, &sub, part, t)
		if err != nil {
			return nil, fmt.Errorf("request %d: %w", i, err)
		}
		if rsp.IsA("::omero::cmd::ERR") {
			return rsp, nil
		}
		responses = append(responses, rsp)
		states = append(states, c.Server.defs.New("::omero::cmd::Status").Set("flags", []any{stateSuccess}).Set("category", part.Class.ID))
	}
	return c.Server.defs.New("::omero::cmd::DoAllRsp").Set("responses", responses).Set("status", states), nil
}

func merge(base map[string]string, over any) map[string]string {
	out := make(map[string]string, len(base))
	for k, v := range base {
		out[k] = v
	}
	d, _ := over.(ice.Dict)
	for _, e := range d {
		out[e.Key.(string)] = e.Value.(string)
	}
	return out
}
