package iceserver

import (
	"context"
	"sync"
)

// loans are the buffers that the handler of one request has taken. They are
// free when the reply was written.
type loans struct{ taken []*[]byte }

type loansKey struct{}

func withLoans(ctx context.Context) (context.Context, *loans) {
	l := new(loans)
	return context.WithValue(ctx, loansKey{}, l), l
}

// maxLoan is up to which size, in bytes, buffers are kept for other requests.
const maxLoan = 5 << 20

var buffers sync.Pool

// Buffer returns n bytes of any content that a handler may use until its reply
// was sent, and put into it. It is called by the goroutine of the handler
// only; ctx is that of the handler.
func Buffer(ctx context.Context, n int) []byte {
	l, ok := ctx.Value(loansKey{}).(*loans)
	if !ok || n > maxLoan {
		return make([]byte, n)
	}
	b, _ := buffers.Get().(*[]byte)
	if b == nil || cap(*b) < n {
		fresh := make([]byte, n)
		b = &fresh
	}
	l.taken = append(l.taken, b)
	return (*b)[:n]
}

func (l *loans) end() {
	for _, b := range l.taken {
		buffers.Put(b)
	}
	l.taken = nil
}
