package irods

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/cyverse/go-irodsclient/irods/common"
)

// The classes of errors; test with errors.Is.
var (
	ErrNotFound     = errors.New("not found")
	ErrDenied       = errors.New("permission denied")
	ErrExists       = errors.New("already exists")
	ErrNotEmpty     = errors.New("collection not empty")
	ErrBusy         = errors.New("in use by another writer")
	ErrQuota        = errors.New("quota exceeded")
	ErrNoSpace      = errors.New("no space left on the resource")
	ErrInvalid      = errors.New("invalid argument")
	ErrBadName      = errors.New("name not possible in iRODS")
	ErrNameTooLong  = errors.New("path too long for iRODS")
	ErrValueTooLong = errors.New("value too long for iRODS")
	ErrChecksum     = errors.New("checksum mismatch")
	ErrNotSupported = errors.New("not supported by the server")

	// ErrLogin says that the server refused the user.
	ErrLogin = errors.New("login refused")
	// ErrInsecure says that the connection would not have been safe.
	ErrInsecure = errors.New("connection not safe")
	// ErrOffline says that no connection could be made.
	ErrOffline = errors.New("server unreachable")
	// ErrLost says that the connection broke during the call, so that its
	// outcome is unknown.
	ErrLost = errors.New("connection lost")
	// ErrServer is any other answer of the server.
	ErrServer = errors.New("server error")
)

// Error is a failed call.
type Error struct {
	Op, Path string
	Class    error
	// Code is the server's status, 0 when the server did not answer. Its last
	// three digits may be an errno of the storage.
	Code int
	// Reason is one sentence for people, without operation and path.
	Reason string
	Err    error // the cause, may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Path != "" {
			b.WriteString(" " + e.Path)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Reason)
	if e.Code != 0 {
		fmt.Fprintf(&b, " (%s, %d)", e.Name(), e.Code)
	}
	return b.String()
}

// Name returns iRODS' own name of the code.
func (e *Error) Name() string {
	return common.GetIRODSErrorString(common.ErrorCode(e.Code))
}

// Unwrap gives the class and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}

// Code returns the server's status in err, 0 when there is none.
func Code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func errorf(class error, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Class: class, Reason: err.Error(), Err: errors.Unwrap(err)}
}

// describe adds what was tried to an error of this package that does not say
// so yet.
func describe(err error, op, path string) error {
	var e *Error
	if err == nil || !errors.As(err, &e) || e.Op != "" {
		return err
	}
	c := *e
	c.Op, c.Path = op, path
	return &c
}

// statusError turns a negative status into an error.
func statusError(rep *reply) *Error {
	k := classify(rep.status)
	reason := k.reason
	if rep.message != "" {
		reason += ": " + rep.message
	}
	return &Error{Class: k.class, Code: rep.status, Reason: reason}
}

// interrupted returns the error of a call whose context ended.
func interrupted(ctx context.Context) error {
	return errorf(context.Cause(ctx), "the call was given up")
}

type known struct {
	class  error
	reason string
}

// statuses are the codes with a meaning of their own; the errno in the last
// three digits has been taken off.
var statuses = map[common.ErrorCode]known{
	common.CAT_NO_ROWS_FOUND:                      {ErrNotFound, "there is nothing of that name, or it may not be seen"},
	common.CAT_UNKNOWN_COLLECTION:                 {ErrNotFound, "there is no such collection, or it may not be seen"},
	common.CAT_UNKNOWN_FILE:                       {ErrNotFound, "there is no such data object, or it may not be seen"},
	common.CAT_NOT_A_DATAOBJ_AND_NOT_A_COLLECTION: {ErrNotFound, "there is nothing of that name"},
	common.USER_FILE_DOES_NOT_EXIST:               {ErrNotFound, "there is nothing of that name, or it may not be seen"},
	common.OBJ_PATH_DOES_NOT_EXIST:                {ErrNotFound, "there is no such data object"},
	common.CAT_NO_ACCESS_PERMISSION:               {ErrDenied, "the rights there do not allow it"},
	common.SYS_NO_API_PRIV:                        {ErrDenied, "this user may not do that"},
	common.SYS_NO_PATH_PERMISSION:                 {ErrDenied, "the rights there do not allow it"},
	common.SYS_NO_DATA_OBJ_PERMISSION:             {ErrDenied, "the rights there do not allow it"},
	common.SYS_DELETE_DISALLOWED:                  {ErrDenied, "the server's policy forbids removing it"},
	common.SYS_NOT_ALLOWED:                        {ErrDenied, "the server does not allow it"},
	common.CANT_RM_NON_EMPTY_HOME_COLL:            {ErrDenied, "a home collection cannot be removed"},
	common.OVERWRITE_WITHOUT_FORCE_FLAG:           {ErrExists, "a data object of that name exists"},
	common.CATALOG_ALREADY_HAS_ITEM_BY_THAT_NAME:  {ErrExists, "that name exists, perhaps as something that you may not see"},
	common.CAT_NAME_EXISTS_AS_COLLECTION:          {ErrExists, "a collection of that name exists"},
	common.CAT_NAME_EXISTS_AS_DATAOBJ:             {ErrExists, "a data object of that name exists"},
	common.CAT_COLLECTION_NOT_EMPTY:               {ErrNotEmpty, "the collection is not empty"},
	common.LOCKED_DATA_OBJECT_ACCESS:              {ErrBusy, "the data object is being written by somebody else"},
	common.INTERMEDIATE_REPLICA_ACCESS:            {ErrBusy, "the data object is being written by somebody else"},
	common.HIERARCHY_ERROR:                        {ErrBusy, "no copy of the data object is usable now; it may be being written"},
	common.SYS_RESC_QUOTA_EXCEEDED:                {ErrQuota, "the quota on the resource is used up"},
	common.USER_FILE_TOO_LARGE:                    {ErrNoSpace, "the resource has not got the free space for it that its administrator asks for"},
	common.USER_INPUT_PATH_ERR:                    {ErrInvalid, "the server does not accept the path"},
	common.INVALID_OBJECT_NAME:                    {ErrBadName, "the server does not accept the name"},
	common.SAME_SRC_DEST_PATHS_ERR:                {ErrInvalid, "source and destination are the same"},
	common.CAT_INVALID_ARGUMENT:                   {ErrInvalid, "the server does not accept an argument"},
	common.SYS_INVALID_INPUT_PARAM:                {ErrInvalid, "the server does not accept an argument"},
	common.SYS_INVALID_ZONE_NAME:                  {ErrNotFound, "the server does not know that zone"},
	common.USER_PACKSTRUCT_INPUT_ERR:              {ErrNameTooLong, "the path is longer than iRODS can hold"},
	common.USER_STRLEN_TOOLONG:                    {ErrNameTooLong, "the path is longer than the server's storage can hold"},
	common.USER_CHKSUM_MISMATCH:                   {ErrChecksum, "the server received other bytes than were sent"},
	common.CAT_INVALID_AUTHENTICATION:             {ErrLogin, "wrong password"},
	common.CAT_PASSWORD_EXPIRED:                   {ErrLogin, "the password or token has expired"},
	common.CAT_INVALID_USER:                       {ErrLogin, "the server does not know the user"},
	common.CAT_INVALID_CLIENT_USER:                {ErrLogin, "the server does not know the user to act for"},
	common.SYS_PROXYUSER_NO_PRIV:                  {ErrLogin, "the service account may not act for other users"},
	common.PAM_AUTH_PASSWORD_FAILED:               {ErrLogin, "wrong password (PAM)"},
	common.PAM_AUTH_PASSWORD_INVALID_TTL:          {ErrLogin, "the server does not let a PAM login last that long"},
	common.PAM_AUTH_NOT_BUILT_INTO_SERVER:         {ErrLogin, "the server has no PAM logins"},
	common.PLUGIN_ERROR_MISSING_SHARED_OBJECT:     {ErrLogin, "the server does not know the authentication scheme"},
	common.SYS_USER_NOT_ALLOWED_TO_CONN:           {ErrLogin, "the server lets this user not connect from here"},
	common.SYS_UNMATCHED_API_NUM:                  {ErrNotSupported, "the server does not know this call"},
	common.SYS_RESC_DOES_NOT_EXIST:                {ErrInvalid, "the resource does not exist"},
	common.SYS_RESC_IS_DOWN:                       {ErrOffline, "the resource is down"},
	common.SYS_EXCEED_CONNECT_CNT:                 {ErrOffline, "the server has too many connections"},
}

// storage are the errno values that storage errors carry.
var storage = map[syscall.Errno]known{
	syscall.ENOSPC:       {ErrNoSpace, "the storage of the resource is full"},
	syscall.EDQUOT:       {ErrQuota, "the quota on the storage is used up"},
	syscall.EACCES:       {ErrDenied, "the storage does not allow it"},
	syscall.EPERM:        {ErrDenied, "the storage does not allow it"},
	syscall.EEXIST:       {ErrExists, "that name exists on the storage"},
	syscall.ENOENT:       {ErrServer, "the file is missing on the storage"},
	syscall.ENAMETOOLONG: {ErrNameTooLong, "the path is longer than the server's storage can hold"},
	syscall.EROFS:        {ErrDenied, "the storage is read-only"},
}

// classify finds the class of a negative status and a sentence about it.
func classify(status int) known {
	code, sub := common.SplitIRODSErrorCode(common.ErrorCode(status))
	if k, ok := statuses[code]; ok {
		return k
	}
	if k, ok := storage[syscall.Errno(-sub)]; ok && sub != 0 {
		return k
	}
	if code <= -890000 && code >= -899000 {
		return known{ErrDenied, "the ticket does not allow it"}
	}
	return known{ErrServer, "the server reported an error"}
}
