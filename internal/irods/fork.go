package irods

import (
	"context"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// grant lets other connections write a replica that one has open: the server
// gives it to whoever opened the data object for writing, as long as it is
// open (GET_FILE_DESCRIPTOR_INFO, iRODS 4.2.9).
type grant struct{ token, hierarchy string }

// Share lets [File.Fork] work for a file open for writing: the grant is asked
// for together with the next write, so it costs no round trip of its own.
func (f *File) Share() { f.share = true }

// Fork opens another descriptor of the same replica on a connection of its
// own, for writing at the same time as f. It is nil without an error when
// that is not possible now: before the first write after [File.Share], with a
// server that grants nothing, or when no connection is to spare; nobody is
// waited for and nobody loses a connection.
//
// The server must see all forks closed before f is: size and state of the
// data object are registered with f. Whoever made a fork closes it. The pool
// may do so earlier when somebody needs its connection; then [File.WriteAt]
// opens it again or fails with [ErrNoFork], having sent nothing.
//
// Unlike other methods it may be called while f is in use.
func (f *File) Fork(ctx context.Context) (*File, error) {
	fork := &File{client: f.client, path: f.path, flags: openWrite, write: true, origin: f}
	cn, fd, err := fork.openFork(ctx)
	if cn == nil || err != nil {
		return nil, describe(err, "open", f.path)
	}
	fork.parking = f.client.pool.park(cn, fd, fork)
	return fork, nil
}

// openFork opens the descriptor of a fork; there is no connection when none
// can be had.
func (f *File) openFork(ctx context.Context) (cn *conn, fd int, err error) {
	p := f.client.pool
	g := p.reserve(f.origin)
	if g == nil {
		return nil, 0, nil
	}
	defer func() {
		if err != nil || cn == nil {
			p.unreserve(f.origin)
		}
	}()
	if cn, err = p.spare(ctx); cn == nil || err != nil {
		return nil, 0, err
	}
	o := object{path: f.path, flags: openWrite, size: -1, keys: []pair{
		{common.RESC_HIER_STR_KW, g.hierarchy}, {common.REPLICA_TOKEN_KW, g.token}}}
	rep, err := cn.exchange(ctx, o.request(common.DATA_OBJ_OPEN_AN), nil)
	if err == nil && rep.status < 0 {
		err = statusError(rep)
		cn.rollback(ctx, f.client.Home())
	}
	if err != nil {
		p.put(cn)
		return nil, 0, err
	}
	f.pos = 0
	return cn, rep.status, nil
}

// ErrNoFork says that a fork lost its connection and finds no other one. Of
// the bytes nothing was sent.
var ErrNoFork = errorf(ErrOffline, "there is no connection to spare")

// infoRequest asks for the grant of a descriptor.
func infoRequest(fd int) (*request, error) {
	return jsonRequest(common.GET_FILE_DESCRIPTOR_INFO_APN, map[string]any{"fd": fd})
}

// granted reads the answer; a server that grants nothing is no error.
func granted(rep *reply) *grant {
	var info struct {
		Token  string `json:"replica_token"`
		Object struct {
			Hierarchy string `json:"resource_hierarchy"`
		} `json:"data_object_info"`
	}
	if rep.status < 0 || decodeJSON(rep.body, &info) != nil || info.Token == "" || info.Object.Hierarchy == "" {
		return nil
	}
	return &grant{info.Token, info.Object.Hierarchy}
}

// closeRequest closes the descriptor of a file. That of a fork leaves size
// and state of the data object to its origin, unless the origin's connection
// is lost: the object would stay locked.
func (f *File) closeRequest(fd int) (*request, error) {
	if f.origin == nil || !f.client.pool.granted(f.origin) {
		return opened(common.DATA_OBJ_CLOSE_AN, fd, 0, 0, 0), nil
	}
	return jsonRequest(common.REPLICA_CLOSE_APN, map[string]any{
		"fd": fd, "send_notification": false, "update_size": false, "update_status": false,
		"compute_checksum": false, "preserve_replica_state_table": false,
	})
}

// rank orders the closes of descriptors: forks before their origins.
func (f *File) rank() int {
	if f.origin != nil {
		return 1
	}
	return 0
}
