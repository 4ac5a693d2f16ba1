package irods

import (
	"context"
	"strings"
	"time"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// Mkdir makes one collection. ErrExists says that the name is taken,
// ErrNotFound that the parent is missing.
func (c *Client) Mkdir(ctx context.Context, path string) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "make collection", path)
	}
	_, err := c.change(ctx, "make collection", path, once, collection(common.COLL_CREATE_AN, path))
	return err
}

// Rmdir removes an empty collection for good.
func (c *Client) Rmdir(ctx context.Context, path string) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "remove collection", path)
	}
	_, err := c.change(ctx, "remove collection", path, once,
		collection(common.RM_COLL_AN, path, pair{common.FORCE_FLAG_KW, ""}))
	return err
}

// Remove removes a data object: to the user's trash, or for good.
func (c *Client) Remove(ctx context.Context, path string, forGood bool) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "remove", path)
	}
	o := object{path: path}
	if forGood {
		o.keys = []pair{{common.FORCE_FLAG_KW, ""}}
	}
	r := o.request(common.DATA_OBJ_UNLINK_AN)
	r.slow = true
	_, err := c.change(ctx, "remove", path, once, r)
	return err
}

// Rename gives a data object or collection another path. An existing
// destination is ErrExists; with replace an existing data object there is
// removed for good in the same step, which servers before 4.3 do not do.
func (c *Client) Rename(ctx context.Context, from, to string, isCollection, replace bool) error {
	r, err := renaming(from, to, isCollection, replace)
	if err == nil {
		_, err = c.change(ctx, "rename", from, once, r)
	}
	return err
}

// RenameAt renames a data object, as [Client.Rename] does without replacing,
// and sets its modification time before, in the same round trip. Whether the
// time was set matters to nobody but those who look for it, so its failure is
// not one of the call: kept tells.
func (c *Client) RenameAt(ctx context.Context, from, to string, modified time.Time) (kept bool, err error) {
	ren, err := renaming(from, to, false, false)
	if err != nil {
		return false, err
	}
	touch, err := touching(from, modified)
	if err != nil {
		return false, err
	}
	err = c.with(ctx, "rename", from, once, func(cn *conn) error {
		reps, err := cn.exchangeAll(ctx, nil, touch, ren)
		if err != nil {
			return err
		}
		kept = reps[0].status >= 0
		if reps[1].status < 0 {
			err = statusError(reps[1])
			cn.rollback(ctx, c.Home())
		}
		return err
	})
	return kept && err == nil, err
}

func renaming(from, to string, isCollection, replace bool) (*request, error) {
	for _, p := range []string{from, to} {
		if err := CheckPath(p); err != nil {
			return nil, describe(err, "rename", p)
		}
	}
	// The server would do half of it before it refuses.
	if from == to || strings.HasPrefix(to, from+"/") {
		return nil, describe(errorf(ErrInvalid, "it cannot become %s, which is itself or below it", to), "rename", from)
	}
	// By the type of a data object the server would leave out two things: to
	// refuse an object that somebody is writing, and to heed the force flag
	// (rsDataObjRename). Without a type it does both.
	kind := common.OPER_TYPE_NONE
	if isCollection {
		kind = common.OPER_TYPE_RENAME_COLL
	}
	dest := object{path: to, oper: kind}
	if replace {
		dest.keys = []pair{{common.FORCE_FLAG_KW, ""}}
	}
	r := twoObjects(common.DATA_OBJ_RENAME_AN, object{path: from, oper: kind}, dest)
	r.slow = isCollection
	return r, nil
}

func twoObjects(api common.APINumber, from, to object) *request {
	var p packer
	p.begin("DataObjCopyInp_PI")
	from.pack(&p)
	to.pack(&p).end("DataObjCopyInp_PI")
	return newRequest(api, p.String())
}

// Copy copies a data object inside the server. With replace an existing
// destination keeps its id, metadata and rights and gets the new content.
func (c *Client) Copy(ctx context.Context, from, to string, replace bool) error {
	for _, p := range []string{from, to} {
		if err := CheckPath(p); err != nil {
			return describe(err, "copy", p)
		}
	}
	dest := object{path: to, oper: common.OPER_TYPE_COPY_DATA_OBJ_DEST, keys: c.destination()}
	if replace {
		dest.keys = []pair{{common.FORCE_FLAG_KW, ""}}
	}
	r := twoObjects(common.DATA_OBJ_COPY_AN, object{path: from, oper: common.OPER_TYPE_COPY_DATA_OBJ_SRC}, dest)
	r.slow = true
	_, err := c.change(ctx, "copy", from, once, r)
	return err
}

// destination are the keywords that say where new data goes.
func (c *Client) destination() []pair {
	if c.cfg.Resource == "" {
		return nil
	}
	return []pair{{common.DEST_RESC_NAME_KW, c.cfg.Resource}}
}

// Put stores a small data object in one request; the server registers its
// checksum and verifies that it is sum, the bytes' SHA-256. An existing path
// is ErrExists.
func (c *Client) Put(ctx context.Context, path string, data, sum []byte) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "store", path)
	}
	text := FormatSHA256(sum)
	o := object{path: path, size: int64(len(data)), flags: openWrite, oper: common.OPER_TYPE_PUT_DATA_OBJ, keys: append(c.destination(),
		pair{common.DATA_TYPE_KW, "generic"}, pair{common.DATA_INCLUDED_KW, ""},
		// With the keyword that registers a sum beside it nothing is verified.
		pair{common.VERIFY_CHKSUM_KW, text})}
	r := o.request(common.DATA_OBJ_PUT_AN)
	r.stream = data
	_, err := c.change(ctx, "store", path, once, r)
	return err
}

// Checksum returns the checksum of a data object. The server computes and
// registers it if there is none, or if compute is set.
func (c *Client) Checksum(ctx context.Context, path string, compute bool) (string, error) {
	if err := CheckPath(path); err != nil {
		return "", describe(err, "checksum", path)
	}
	o := object{path: path}
	if compute {
		o.keys = []pair{{common.FORCE_CHKSUM_KW, ""}}
	}
	r := o.request(common.DATA_OBJ_CHKSUM_AN)
	r.slow = true
	rep, err := c.call(ctx, "checksum", path, repeatable, r)
	if err != nil {
		return "", err
	}
	out, err := unpack(rep.body)
	if err != nil {
		return "", describe(err, "checksum", path)
	}
	return out.get("myStr"), nil
}

// Truncate cuts a data object, or extends it with zeros. Nobody may have it
// open.
func (c *Client) Truncate(ctx context.Context, path string, size int64) error {
	if err := CheckPath(path); err != nil {
		return describe(err, "truncate", path)
	}
	_, err := c.change(ctx, "truncate", path, repeatable, object{path: path, size: size}.request(common.DATA_OBJ_TRUNCATE_AN))
	return err
}

// Touch sets the modification time of a data object or collection, in whole
// seconds, which is all that iRODS keeps. It makes nothing that is not there.
func (c *Client) Touch(ctx context.Context, path string, t time.Time) error {
	r, err := touching(path, t)
	if err == nil {
		_, err = c.change(ctx, "touch", path, repeatable, r)
	}
	return err
}

func touching(path string, t time.Time) (*request, error) {
	if err := CheckPath(path); err != nil {
		return nil, describe(err, "touch", path)
	}
	r, err := jsonRequest(common.TOUCH_APN, map[string]any{
		"logical_path": path,
		"options":      map[string]any{"no_create": true, "seconds_since_epoch": t.Unix()},
	})
	if err != nil {
		return nil, describe(errorf(ErrInvalid, "%w", err), "touch", path)
	}
	return r, nil
}
