package irodsd

import (
	"strconv"

	"omerods/internal/sandbox/irodsd/catalog"
	"omerods/internal/sandbox/irodsd/status"
)

// ticketAdmin is API 723.
func (s *session) ticketAdmin(req *request) (*reply, error) {
	if req.in.Child("KeyValPair_PI") == nil {
		return nil, status.PackInstruct
	}
	arg := func(n int) string { return req.in.Str("arg" + strconv.Itoa(n)) }
	if arg(1) == "session" {
		// Whether it exists shows at the first access.
		s.ticket = arg(2)
		return nil, nil
	}
	return nil, s.update(req, func(t *catalog.Tx, a catalog.Actor) error {
		switch arg(1) {
		case "create":
			p, err := s.logical(arg(4))
			if err != nil {
				return err
			}
			return t.CreateTicket(a, arg(2), arg(3), p)
		case "delete":
			return t.DeleteTicket(a, arg(2))
		case "mod":
			switch arg(3) {
			case "add", "remove":
				return t.RestrictTicket(a, arg(2), arg(3) == "add", arg(4), arg(5))
			}
			return t.LimitTicket(a, arg(2), arg(3), arg(4))
		}
		return status.InvalidArgument
	})
}
