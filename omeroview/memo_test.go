package omeroview

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// What takes longer to ask for than a listing is kept is asked for again, as it
// may be untrue by then; what is made of a state of a pack is not made again.
func TestAgeOfAnswers(t *testing.T) {
	w := newWorld(t)
	var passed atomic.Int64
	v, err := New(Config{Client: clientOf(w), CacheDir: t.TempDir(), ListTime: time.Minute,
		Clock: func() time.Time { return time.Unix(1_000_000, 0).Add(time.Duration(passed.Load())) }})
	w.check(err)
	defer func() { w.check(v.Close()) }()
	a, err := v.account(t.Context())
	w.check(err)
	for _, c := range []struct {
		name string
		ask  func(context.Context, *account, string, func(context.Context) (int, error)) (int, error)
		want int // times that it is asked for
	}{{"listing", remember[int], 2}, {"state", rememberMade[int], 1}} {
		n := 0
		slow := func(context.Context) (int, error) {
			n++
			passed.Add(int64(2 * time.Minute))
			return n, nil
		}
		for range 2 {
			_, err := c.ask(t.Context(), a, c.name, slow)
			w.check(err)
		}
		if n != c.want {
			t.Errorf("%s: asked for %d times, want %d", c.name, n, c.want)
		}
		passed.Add(int64(time.Minute))
		_, err := c.ask(t.Context(), a, c.name, slow)
		w.check(err)
		if n != c.want+1 {
			t.Errorf("%s: asked for %d times after it was forgotten, want %d", c.name, n, c.want+1)
		}
	}
}
