package omero

import (
	"errors"
	"strings"

	"omerods/internal/ice"
)

// routerTrouble is the reason that Glacier2 gives for a refused login when it
// does not reach the server that checks passwords and makes sessions. It says
// nothing about the password.
const routerTrouble = "internal server error"

// What a router says of its own connection to the server is the name of an
// exception in the text of a reply of status 5.
var (
	serverUnreached = []string{
		"Ice::ConnectionRefusedException", "Ice::ConnectFailedException", "Ice::ConnectTimeoutException",
		"Ice::NoEndpointException", "Ice::DNSException", "Ice::CloseConnectionException",
	}
	serverVanished = []string{
		"Ice::ConnectionLostException", "Ice::ConnectionTimeoutException", "Ice::TimeoutException",
		"Ice::InvocationTimeoutException", "Ice::CommunicatorDestroyedException",
	}
)

// serverLost says whether the router has lost the server behind it, and whether
// that may have executed the request before. The connection to the router is
// good then, but the session is not.
func serverLost(err error) (dead, mayBeDone bool) {
	var unknown *ice.UnknownError
	if !errors.As(err, &unknown) || unknown.Status != ice.StatusUnknownLocal {
		return false, false
	}
	text := firstLine(unknown.Text)
	for _, name := range serverUnreached {
		if strings.Contains(text, name) {
			return true, false
		}
	}
	for _, name := range serverVanished {
		if strings.Contains(text, name) {
			return true, true
		}
	}
	return false, false
}
