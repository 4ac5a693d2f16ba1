//go:build peer

package ice_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// echoServer does in Go what server.py does in Python.
type echoServer struct {
	defs   *ice.Definitions
	port   int // of tcp or ssl
	wsPort int // of ws or wss

	mu    sync.Mutex // guards the fields below
	held  map[string][]*heldCall
	notes []string
	left  map[string]int32
	calls int32
	mine  ice.Endpoint
}

type heldCall struct {
	number int32
	order  chan int32
}

// serveEcho runs the sandbox's Ice server until the end of the test.
func serveEcho(t *testing.T, cfg iceserver.Config) *echoServer {
	t.Helper()
	return serveKnowing(t, cfg, allDefs())
}

func serveKnowing(t *testing.T, cfg iceserver.Config, defs *ice.Definitions) *echoServer {
	t.Helper()
	plain, ws := listen(t), listen(t)
	e := &echoServer{defs: defs, held: make(map[string][]*heldCall), left: make(map[string]int32),
		port: plain.Addr().(*net.TCPAddr).Port, wsPort: ws.Addr().(*net.TCPAddr).Port}
	kind := int16(ice.EndpointTCP)
	if cfg.TLS != nil {
		kind = ice.EndpointSSL
	}
	e.mine = ice.NewTCPEndpoint(kind, "127.0.0.1", e.port)
	cfg.Handler = e.handle
	cfg.MaxConcurrent = 300
	s := iceserver.New(cfg)
	done := make(chan error, 2)
	go func() { done <- s.Serve(plain) }()
	go func() { done <- s.ServeWebSocket(ws) }()
	t.Cleanup(func() {
		s.Close()
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return e
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serverTLS is the server's side of a certificate made by certificate.
func serverTLS(t *testing.T, dir string, versions ...uint16) *tls.Config {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(dir+"/server.crt", dir+"/server.key")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if len(versions) > 0 {
		cfg.MinVersion, cfg.MaxVersion = slices.Min(versions), slices.Max(versions)
	}
	return cfg
}

func (e *echoServer) handle(ctx context.Context, c *iceserver.Conn, req *ice.Request) *ice.Reply {
	known := req.Identity == ice.Identity{Name: "echo"} || req.Identity.Category == "many"
	if !known {
		return iceserver.NotExist(ice.StatusObjectNotExist, req)
	}
	if f := strings.Join(req.Facet, ""); f != "" && f != "side" {
		return iceserver.NotExist(ice.StatusFacetNotExist, req)
	}
	return iceserver.Dispatch(ctx, e.defs, e.defs.Interface(echoID), req,
		func(ctx context.Context, op *ice.Operation, args []any, context map[string]string) ([]any, error) {
			switch op.Name {
			case "whoAmI":
				return []any{cmpOr(strings.Join(req.Facet, ""), req.Identity.Name)}, nil
			case "contextOf":
				d := ice.Dict{}
				for k, v := range context {
					d = append(d, ice.Pair{Key: k, Value: v})
				}
				return []any{d}, nil
			case "leave", "leaveAgain":
				return e.leave(c, args[0].(string), args[1].(bool))
			}
			return e.invoke(ctx, op.Name, args)
		})
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (e *echoServer) leave(c *iceserver.Conn, key string, gracefully bool) ([]any, error) {
	e.mu.Lock()
	e.left[key]++
	n := e.left[key]
	e.mu.Unlock()
	if n == 1 && gracefully {
		c.Close()
	} else if n == 1 {
		c.Abort()
	}
	return []any{n}, nil
}

func (e *echoServer) invoke(ctx context.Context, op string, args []any) ([]any, error) {
	switch op {
	case "echoBasics", "echoSequences", "echoDictionaries":
		return []any{args[0], args[0]}, nil
	case "echoEach":
		a := slices.Delete(slices.Clone(args), 6, 7)
		return append(a, args[6]), nil
	case "echoNode", "echoSliced":
		return args, nil
	case "echoAny":
		return []any{args[1], args[2], args[0]}, nil
	case "describe":
		return []any{describe(args[0])}, nil
	case "build", "buildSliced":
		return []any{build(allDefs())}, nil
	case "hide", "hideSliced":
		return []any{hide(args[0].(bool))}, nil
	case "fail", "failSliced":
		return nil, failure(args[0].(int32))
	case "failUndeclared":
		return nil, &iceserver.Exception{ID: "::peer::Unrelated"}
	case "failUnexpectedly":
		return nil, errors.New("nobody expects this")
	case "crash":
		panic("the server broke")
	case "blob":
		return []any{pattern(int(args[0].(int64)))}, nil
	case "measure":
		return []any{int64(len(args[0].([]byte)))}, nil
	case "hold":
		return e.hold(ctx, args[0].(string), args[1].(int32), int(args[2].(int32)))
	case "another":
		id := ice.Identity{Name: fmt.Sprint(args[0]), Category: "many"}
		return []any{&ice.Proxy{Identity: id, Endpoints: []ice.Endpoint{e.mine}}}, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch op {
	case "waiting":
		return []any{int32(len(e.held[args[0].(string)]))}, nil
	case "note":
		e.notes = append(e.notes, args[0].(string))
		return nil, nil
	case "notes":
		return []any{slices.Clone(e.notes)}, nil
	case "count":
		e.calls++
		return []any{e.calls}, nil
	}
	return nil, iceserver.ErrNotExist
}

// hold answers when enough calls of the group are there, the last one first.
func (e *echoServer) hold(ctx context.Context, group string, number int32, of int) ([]any, error) {
	mine := &heldCall{number: number, order: make(chan int32, 1)}
	e.mu.Lock()
	e.held[group] = append(e.held[group], mine)
	if all := e.held[group]; len(all) == of {
		delete(e.held, group)
		for i, h := range all {
			h.order <- int32(len(all) - 1 - i)
		}
	}
	e.mu.Unlock()
	select {
	case order := <-mine.order:
		return []any{order, number}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failure is the exception of a level.
func failure(level int32) error {
	where := build(allDefs())
	v := map[string]any{}
	switch level {
	case 1:
		v["reason"] = "base"
		return &iceserver.Exception{ID: "::peer::Base", Values: v}
	case 2:
		v["reason"], v["code"] = "middle", int32(-7)
		return &iceserver.Exception{ID: "::peer::Middle", Values: v}
	case 3:
		v["reason"], v["code"], v["where"], v["path"] = "bottom", int32(8), where, []string{"x", "y"}
		return &iceserver.Exception{ID: "::peer::Bottom", Values: v}
	}
	v["reason"], v["code"], v["where"], v["path"], v["depth"] = "deepest", int32(9), where, []string{"z"}, int64(1)<<40
	return &iceserver.Exception{ID: "::peer::Deepest", Values: v}
}
