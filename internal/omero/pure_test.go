package omero

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

func TestAddresses(t *testing.T) {
	for in, want := range map[string]ice.Address{
		"omero.example.org":            {Scheme: "ssl", Host: "omero.example.org", Port: 4064},
		"omero.example.org:14064":      {Scheme: "ssl", Host: "omero.example.org", Port: 14064},
		"tcp://localhost":              {Scheme: "tcp", Host: "localhost", Port: 4063},
		"wss://web.example.org/omero/": {Scheme: "wss", Host: "web.example.org", Port: 443, Path: "/omero/"},
		"ws://[::1]:8080":              {Scheme: "ws", Host: "::1", Port: 8080, Path: "/"},
	} {
		if got, err := parseAddress(in); err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "ssl://", "http://x", "ssl://x/path", "x:0", "x:70000", "ssl://a@x", "ssl://x?y"} {
		if got, err := parseAddress(in); err == nil {
			t.Errorf("%q: got %+v, want an error", in, got)
		}
	}
}

func TestPasswordsStayOffOpenLines(t *testing.T) {
	for in, ok := range map[string]bool{
		"tcp://127.0.0.1": true, "tcp://[::1]": true, "tcp://localhost": true, "ws://localhost": true,
		"tcp://omero.example.org": false, "ws://192.0.2.1": false, "ssl://omero.example.org": true,
	} {
		a, err := parseAddress(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkPlain(a, false); (err == nil) != ok {
			t.Errorf("%s: got %v", in, err)
		}
		if err := checkPlain(a, true); err != nil {
			t.Errorf("%s, allowed by name: %v", in, err)
		}
	}
}

func TestConnectNeedsToKnowWhereAndWho(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no address":     {User: "ada"},
		"bad address":    {Addresses: []string{"http://x"}, User: "ada"},
		"nobody":         {Addresses: []string{"localhost"}},
		"open line":      {Addresses: []string{"tcp://192.0.2.1"}, User: "ada", Password: "secret-word"},
		"no authorities": {Addresses: []string{"localhost:1"}, User: "ada", TLS: TLS{Mode: TLSAuthority}},
		"bad pin":        {Addresses: []string{"localhost:1"}, User: "ada", TLS: TLS{Mode: TLSPinned, Key: "12"}},
		"bad mode":       {Addresses: []string{"localhost:1"}, User: "ada", TLS: TLS{Mode: "x"}},
	} {
		_, err := Connect(t.Context(), cfg)
		if !errors.Is(err, Invalid) {
			t.Errorf("%s: got %v, want an Invalid", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: the password is in %q", name, err)
		}
	}
}

func TestClassesOfExceptions(t *testing.T) {
	defs := slice.Definitions()
	exception := func(id, message string) error {
		e := defs.Exception(id)
		if e == nil {
			t.Fatalf("no exception %s", id)
		}
		u := &ice.UserException{Exception: e}
		for x := e; x != nil; x = x.Base {
			u.IDs = append(u.IDs, x.ID)
		}
		for _, f := range e.AllFields() {
			v := f.Type.Zero()
			if f.Name == "message" || f.Name == "reason" {
				v = message
			}
			u.Values = append(u.Values, v)
		}
		return u
	}
	for _, tt := range []struct {
		err  error
		want Class
	}{
		{exception("::omero::SecurityViolation", "no"), Denied},
		{exception("::omero::GroupSecurityViolation", "no"), CrossGroup},
		{exception("::omero::ReadOnlyGroupSecurityViolation", "no"), ReadOnly},
		{exception("::omero::ValidationException", "could not execute: unique constraint"), Exists},
		{exception("::omero::ValidationException", "No row with the given identifier: not found"), NotFound},
		{exception("::omero::ValidationException", "null"), Invalid},
		{exception("::omero::OptimisticLockException", ""), Conflict},
		{exception("::omero::ResourceError", "No space left on device"), NoSpace},
		{exception("::omero::ResourceError", "x"), Internal},
		{exception("::omero::RemovedSessionException", ""), Offline},
		{exception("::omero::FilePathNamingException", ""), BadPath},
		{exception("::Glacier2::PermissionDeniedException", "Password check failed"), LoginFailed},
		{&ice.UserException{IDs: []string{"::site::NewSecurity", "::omero::SecurityViolation", "::omero::ServerError"}}, Denied},
		{&ice.UserException{IDs: []string{"::unheard::Of"}}, Internal},
		{&ice.RequestFailedError{Status: ice.StatusObjectNotExist}, NotFound},
		{&ice.RequestFailedError{Status: ice.StatusOperationNotExist}, Unsupported},
		{&ice.UnknownError{Text: "a\nstack"}, Internal},
		{&ice.ConnectionLostError{Err: errors.New("x")}, Offline},
		{errors.New("x"), Internal},
	} {
		got := wrap("try", tt.err)
		if !errors.Is(got, tt.want) || !errors.Is(got, tt.err) {
			t.Errorf("%v: got %v, want class %v", tt.err, got, tt.want)
		}
		if strings.Contains(got.Error(), "\n") {
			t.Errorf("%q has several lines", got)
		}
	}
	if err := wrap("try", context.Canceled); err != context.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestPermissionsAreSpelled(t *testing.T) {
	for bits, want := range map[int64]string{-120: "rw----", -56: "rwr---", -40: "rwra--", -8: "rwrw--"} {
		if got := permissionText(bits); got != want {
			t.Errorf("%d: got %q, want %q", bits, got, want)
		}
	}
}

func TestRelativePaths(t *testing.T) {
	for _, tt := range []struct{ in, want []string }{
		{[]string{"/home/ada/a.tif"}, []string{"a.tif"}},
		{[]string{"a.tif"}, []string{"a.tif"}},
		{[]string{"/d/s.vsi", "/d/_s_/stack1/frame.ets"}, []string{"s.vsi", "_s_/stack1/frame.ets"}},
		{[]string{"/d/ab/x", "/d/a/y"}, []string{"ab/x", "a/y"}},
		{[]string{"/x", "/d/y"}, []string{"x", "d/y"}},
		{[]string{"../../etc/passwd", "x"}, []string{"etc/passwd", "x"}},
	} {
		var entries []FilesetEntry
		for _, p := range tt.in {
			entries = append(entries, FilesetEntry{ClientPath: p})
		}
		if got := RelativePaths(entries); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestServersOfAnotherModelAreRefused(t *testing.T) {
	for v, ok := range map[string]bool{"5.6.18-ice36-b1": true, "5.6.0": true, "5.7.1": true, "5.5.1": true, "5.4.0-ice36": true, "5.3.5": false, "6.0.0": false, "": false, "5": false, "5.x": false} {
		if err := checkVersion(v); (err == nil) != ok || err != nil && !errors.Is(err, Unsupported) {
			t.Errorf("%q: got %v", v, err)
		}
	}
}

// Every member that queries and new objects name exists in the model.
func TestUnitsAreThoseOfTheModel(t *testing.T) {
	defs := slice.Definitions()
	for class, symbols := range unitSymbols {
		enum := "Units" + class
		values := defs.Enum("::omero::model::enums::" + enum).Values
		for name := range symbols {
			if _, ok := values[name]; !ok {
				t.Errorf("%s has no %s", enum, name)
			}
		}
		if len(symbols) != len(values) {
			t.Errorf("%s: got %d units, want %d", enum, len(symbols), len(values))
		}
	}
}
