package tree

import "context"

// Caller is the process a request is made for.
type Caller struct {
	UID, GID uint32
	// TID is the thread that made the system call, 0 when the kernel does not
	// say (write-back, release).
	TID uint32
}

type callerKey struct{}

// WithCaller puts the caller into the context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request that ctx belongs to; ok is
// false for work that no process asked for.
func CallerFrom(ctx context.Context) (c Caller, ok bool) {
	c, ok = ctx.Value(callerKey{}).(Caller)
	return c, ok
}
