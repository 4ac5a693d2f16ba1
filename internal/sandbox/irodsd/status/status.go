// Package status names the iRODS status codes that the sandbox server answers
// with. A code is an error; a failed system call adds its errno in the last
// three digits (-510000 - 17 is an open that found the file already there).
package status

import (
	"errors"
	"fmt"
	"syscall"
)

// Code is one iRODS status: negative, a multiple of 1000, minus an errno.
type Code int32

// The codes in use, from the public table of iRODS errors (rodsErrorTable).
const (
	HeaderRead             Code = -4000
	APINumberUnknown       Code = -12000
	NoAPIPrivilege         Code = -13000
	PackInstruct           Code = -15000
	FileDescOutOfRange     Code = -19000
	InvalidServerHost      Code = -21000
	InvalidZoneName        Code = -26000
	CopyLength             Code = -27000
	InvalidRescInput       Code = -32000
	InvalidPortalOpr       Code = -33000
	ProxyUserNoPrivilege   Code = -39000
	CopyAlreadyInResource  Code = -46000
	ResourceDoesNotExist   Code = -78000
	QuotaExceeded          Code = -110000
	InvalidInputParam      Code = -130000
	LibraryError           Code = -167000
	InternalError          Code = -154000
	ReplicaDoesNotExist    Code = -164000
	NoGoodReplica          Code = -166000
	NotAllowed             Code = -169000
	UserStringTooLong      Code = -306000
	UserPackStruct         Code = -308000
	UserFileDoesNotExist   Code = -310000
	OverwriteWithoutForce  Code = -312000
	ChecksumMismatch       Code = -314000
	UserInputPath          Code = -317000
	SameSourceDest         Code = -339000
	BadDescriptor          Code = -345000
	CannotRemoveHome       Code = -354000
	ObjectPathDoesNotExist Code = -358000
	LockedObject           Code = -406000
	FileOpen               Code = -510000
	FileRead               Code = -512000
	FileWrite              Code = -513000
	FileStat               Code = -516000
	FileSeek               Code = -518000
	CatalogSQL             Code = -806000
	NoRowsFound            Code = -808000
	AlreadyExists          Code = -809000
	UnknownCollection      Code = -814000
	InvalidArgument        Code = -816000
	UnknownFile            Code = -817000
	NoAccess               Code = -818000
	SuccessButNoInfo       Code = -819000
	InvalidUserType        Code = -820000
	CollectionNotEmpty     Code = -821000
	UnknownColumn          Code = -823000
	InvalidAuthentication  Code = -826000
	InvalidUser            Code = -827000
	InvalidZone            Code = -828000
	InvalidGroup           Code = -829000
	InvalidResource        Code = -831000
	InvalidClientUser      Code = -832000
	ExistsAsCollection     Code = -833000
	ExistsAsObject         Code = -834000
	ResourceNotEmpty       Code = -835000
	NeitherObjectNorColl   Code = -836000
	LastReplica            Code = -838000
	PasswordExpired        Code = -840000
	UnknownSpecificQuery   Code = -853000
	StatementTableFull     Code = -860000
	TicketInvalid          Code = -890000
	TicketExpired          Code = -891000
	TicketUsesExceeded     Code = -892000
	TicketUserExcluded     Code = -893000
	TicketHostExcluded     Code = -894000
	TicketGroupExcluded    Code = -895000
	TicketWriteUses        Code = -896000
	TicketWriteBytes       Code = -897000
	PAMPasswordFailed      Code = -993000
	InvalidTTL             Code = -994000
	Hierarchy              Code = -1803000
	UnknownAuthScheme      Code = -1827000
)

// Error makes a code usable as an error.
func (c Code) Error() string { return fmt.Sprintf("iRODS status %d", int32(c)) }

// With subtracts an errno from the code.
func (c Code) With(errno syscall.Errno) Code { return c - Code(errno) }

// Detailed is a code with the text that the reply's error part carries.
type Detailed struct {
	Code Code
	Text string
}

func (d *Detailed) Error() string { return fmt.Sprintf("%v: %s", d.Code, d.Text) }

// Unwrap lets errors.Is and errors.As find the code.
func (d *Detailed) Unwrap() error { return d.Code }

// Errorf returns the code with a text for the reply's error part.
func Errorf(c Code, format string, args ...any) error {
	return &Detailed{Code: c, Text: fmt.Sprintf(format, args...)}
}

// Of returns the code and text to answer err with. An error that carries no
// code is the server's own fault and becomes fallback.
func Of(err error, fallback Code) (Code, string) {
	var d *Detailed
	if errors.As(err, &d) {
		return d.Code, d.Text
	}
	var c Code
	if errors.As(err, &c) {
		return c, ""
	}
	return fallback, ""
}
