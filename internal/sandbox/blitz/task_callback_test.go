package blitz

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"omerods/internal/ice"
)

// listenIn puts a relay before the server and returns what the server asks of
// its clients.
func (f *fixture) listenIn() <-chan *ice.Request {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	asked := make(chan *ice.Request, 100)
	server := net.JoinHostPort(f.addr.Host, f.scalarText(int64(f.addr.Port)))
	var wg sync.WaitGroup
	f.t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			wg.Go(func() { io.Copy(behind, client); behind.Close() })
			wg.Go(func() {
				defer client.Close()
				br := bufio.NewReader(io.TeeReader(behind, client))
				for {
					m, err := ice.ReadMessage(br, 1<<20)
					if err != nil {
						return
					}
					for _, r := range m.Requests {
						asked <- r
					}
				}
			})
		}
	})
	f.addr.Port = l.Addr().(*net.TCPAddr).Port
	return asked
}

// TestCallbacks registers an object of a client with a request and looks at
// what the server sends to it.
func TestCallbacks(t *testing.T) {
	f := serve(t, Config{})
	proceed := make(chan bool)
	f.HandleRequests("::omero::cmd::Delete2", func(_ context.Context, c *Call, _ *ice.Object, task *Task) (*ice.Object, error) {
		for i := range 2 {
			<-proceed
			task.Step(i + 1)
		}
		<-proceed
		return c.Server.defs.New("::omero::cmd::OK"), nil
	})
	asked := f.listenIn()
	c := f.login("ada", "write")
	router := &ice.Proxy{Identity: routerIdentity}
	const routerType = "::Glacier2::Router"
	category := c.must(router, routerType, "getCategoryForClient").(string)
	if again := c.must(router, routerType, "getCategoryForClient"); len(category) != 20 || again != category {
		t.Errorf("got categories %q and %q, want one of 20 characters", category, again)
	}
	if other := f.login("ada", "write").must(router, routerType, "getCategoryForClient"); other == category {
		t.Errorf("two clients have the category %q", category)
	}
	server := c.must(router, routerType, "getServerProxy").(*ice.Proxy)
	if server.Category != category {
		t.Errorf("the server's proxy has the category %q, want %q", server.Category, category)
	}
	callback := func(name, category string) *ice.Proxy {
		return &ice.Proxy{Identity: ice.Identity{Name: name, Category: category}, Endpoints: server.Endpoints}
	}
	out, err := c.factory("submit", f.defs.New("::omero::cmd::Delete2"))
	if err != nil {
		t.Fatal(err)
	}
	handle := out[0].(*ice.Proxy)
	c.must(handle, handleType, "addCallback", callback("mine", category))
	c.must(handle, handleType, "addCallback", callback("removed", category))
	c.must(handle, handleType, "addCallback", callback("nobody's", "no such category"))
	c.must(handle, handleType, "removeCallback", callback("removed", category))
	if _, err := c.ask(handle, handleType, "addCallback", nil); err == nil {
		t.Error("a null callback was accepted")
	}

	iface := f.defs.Interface(callbackType)
	next := func(operation string) []any {
		t.Helper()
		r := <-asked
		if r.ID != 0 || r.Identity != (ice.Identity{Name: "mine", Category: category}) || r.Operation != operation || len(r.Context) != 0 {
			t.Fatalf("got request %d %v.%s %v, want a oneway %s", r.ID, r.Identity, r.Operation, r.Context, operation)
		}
		if enc, _ := ice.EncapsulationEncoding(r.Params); enc != ice.Encoding10 {
			t.Errorf("got encoding %s, want 1.0, in which the callback was sent", enc)
		}
		args, err := f.defs.DecodeParamsExact(iface.Operation(operation).In, r.Params)
		if err != nil {
			t.Fatal(err)
		}
		return args
	}
	for i := range 2 {
		proceed <- true
		if args := next("step"); args[0] != int32(i+1) || args[1] != int32(5) {
			t.Errorf("got step %v of %v, want %d of 5", args[0], args[1], i+1)
		}
	}
	finished := func() {
		t.Helper()
		args := next("finished")
		rsp, status := args[0].(*ice.Object), args[1].(*ice.Object)
		if flags := status.Get("flags").([]any); !rsp.IsA("::omero::cmd::OK") || len(flags) != 1 || flags[0] != stateSuccess {
			t.Errorf("got %s with %v, want an OK", rsp.Class.ID, flags)
		}
	}
	proceed <- true
	finished()
	c.must(handle, handleType, "close")
	finished() // closing says it once more
	select {
	case r := <-asked:
		t.Errorf("got %v.%s as well", r.Identity, r.Operation)
	default:
	}
}
