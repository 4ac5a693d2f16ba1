package omero

import (
	"errors"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// TestServerBehindRouterIsLost has texts of Ice 3.7's router, and of 3.6 where
// they differ.
func TestServerBehindRouterIsLost(t *testing.T) {
	const lost = "src/Ice/StreamSocket.cpp:243: ::Ice::ConnectionLostException:\nconnection lost: recv() returned zero"
	const refused = "src/Ice/Network.cpp:2714: ::Ice::ConnectionRefusedException:\nconnection refused: Connection refused"
	for _, r := range []struct {
		err             error
		dead, mayBeDone bool
	}{
		{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: lost}, true, true},
		{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: "TcpTransceiver.cpp:248: Ice::ConnectionLostException:\nx"}, true, true},
		{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: refused}, true, false},
		{notSent{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: lost}}, true, false},
		{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: "ConnectionI.cpp:1: ::Ice::MemoryLimitException:\nx"}, false, false},
		{&ice.UnknownError{Status: ice.StatusUnknownLocal, Text: "::Ice::MarshalException: no\n::Ice::ConnectionLostException"}, false, false},
		{&ice.UnknownError{Status: ice.StatusUnknown, Text: lost}, false, false},
	} {
		if dead, mayBeDone := linkLost(r.err); dead != r.dead || mayBeDone != r.mayBeDone {
			t.Errorf("%v: got %v, %v, want %v, %v", r.err, dead, mayBeDone, r.dead, r.mayBeDone)
		}
	}
}

// TestRouterTroubleIsNoRefusal has a login that fails because the router does
// not reach the server: another attempt may succeed.
func TestRouterTroubleIsNoRefusal(t *testing.T) {
	for _, id := range []string{"::Glacier2::PermissionDeniedException", "::Glacier2::CannotCreateSessionException"} {
		ex := slice.Definitions().Exception(id)
		got := wrap("log in", &ice.UserException{IDs: []string{id}, Exception: ex, Values: []any{"internal server error"}})
		if !errors.Is(got, Offline) {
			t.Errorf("%s: got %v, want that the server is unreachable", id, got)
		}
	}
}
