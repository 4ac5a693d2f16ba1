package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// newPTY returns the two ends of a new terminal.
func newPTY(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

// echoes tells whether the terminal shows what is typed.
func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// typing writes to the keyboard once the question has been asked.
type typing struct {
	bytes.Buffer
	once func()
}

func (w *typing) Write(p []byte) (int, error) {
	if w.once != nil && bytes.HasPrefix(p, []byte("Password")) {
		defer w.once()
		w.once = nil
	}
	return w.Buffer.Write(p)
}

func TestPasswordsAreNotShown(t *testing.T) {
	keyboard, screen := newPTY(t)
	typed := make(chan struct{})
	out := &typing{}
	tt := &terminal{in: screen, lines: bufio.NewReader(screen), out: out}
	out.once = func() {
		go func() {
			defer close(typed)
			for echoes(t, screen) { // typing ahead would be thrown away
			}
			_, _ = keyboard.WriteString(" pass word \n")
		}()
	}
	got, err := tt.secret(t.Context(), "Password")
	<-typed
	if err != nil || got != " pass word " {
		t.Errorf("got %q, %v; want the line as it is", got, err)
	}
	if !echoes(t, screen) {
		t.Error("the terminal stays silent afterwards")
	}
	if out.String() != "Password: \n" {
		t.Errorf("shown: %q", out)
	}
}

func TestGivenUpQuestions(t *testing.T) {
	_, screen := newPTY(t)
	tt := &terminal{in: screen, lines: bufio.NewReader(screen), out: &bytes.Buffer{}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tt.secret(ctx, "Password"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !echoes(t, screen) {
		t.Error("the terminal stays silent afterwards")
	}
}

func TestPasswordsFromAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, _ = w.WriteString("secret\r\nrest\n")
	w.Close()
	out := &bytes.Buffer{}
	tt := &terminal{in: r, lines: bufio.NewReader(r), out: out}
	if got, err := tt.secret(t.Context(), "Password"); err != nil || got != "secret" || out.Len() > 0 {
		t.Errorf("got %q, %v, shown %q", got, err, out)
	}
	if got, err := tt.ask(t.Context(), "Port", "1247"); err != nil || got != "1247" {
		t.Errorf("a question with a default: got %q, %v", got, err)
	}
	if _, err := tt.ask(t.Context(), "Host", ""); !errors.Is(err, errNobody) {
		t.Errorf("a question without a terminal: got %v", err)
	}
}
