package irods

import (
	"context"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// getBytes is the largest data object that a server of default settings sends
// as the answer to one request.
const getBytes = 32 << 20

// Get returns the whole content of a data object in one request. It is meant
// for small ones, whose bytes fit into memory; a large one is ErrInvalid.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	if err := CheckPath(path); err != nil {
		return nil, describe(err, "read", path)
	}
	r := object{path: path, oper: common.OPER_TYPE_GET_DATA_OBJ}.request(common.DATA_OBJ_GET_AN)
	r.wantStream = getBytes
	var data []byte
	err := c.with(ctx, "read", path, repeatable, func(cn *conn) error {
		rep, err := cn.exchange(ctx, r, nil)
		if err != nil {
			return err
		}
		if rep.status < 0 {
			return statusError(rep)
		}
		out, err := unpack(rep.body)
		if err != nil {
			return err
		}
		// A server that has more to send opens the data object and waits for
		// connections to another port. Without this one it gives up.
		if out.num("l1descInx") > 0 {
			cn.broken = true
			return errorf(ErrInvalid, "it is too large to be read at once")
		}
		data = rep.stream
		return nil
	})
	return data, err
}
