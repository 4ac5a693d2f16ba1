package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// errNobody says that a question cannot be asked.
var errNobody = errors.New("there is no terminal to ask at")

// terminal is where a person answers questions: they are written to standard
// error, so that standard output stays for results.
type terminal struct {
	in    *os.File
	lines *bufio.Reader
	out   io.Writer
}

func newTerminal() *terminal {
	return &terminal{in: os.Stdin, lines: bufio.NewReader(os.Stdin), out: os.Stderr}
}

// isTerminal tells whether a person is there.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// ask asks a question; where nobody is, the default is the answer.
func (t *terminal) ask(ctx context.Context, question, byDefault string) (string, error) {
	if !isTerminal(t.in) {
		if byDefault == "" {
			return "", errNobody
		}
		return byDefault, nil
	}
	if byDefault != "" {
		question += " [" + byDefault + "]"
	}
	fmt.Fprintf(t.out, "%s: ", question)
	line, err := t.line(ctx)
	if err != nil {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		return byDefault, nil
	}
	return line, nil
}

// secret reads a line that is not shown: from the person, or the first line
// of a pipe. When ctx ends first, the terminal is left as it was.
func (t *terminal) secret(ctx context.Context, question string) (string, error) {
	if isTerminal(t.in) {
		fmt.Fprintf(t.out, "%s: ", question)
		show, err := hide(t.in)
		if err != nil {
			return "", fmt.Errorf("terminal: %w", err)
		}
		defer func() {
			show()
			fmt.Fprintln(t.out)
		}()
	}
	return t.line(ctx)
}

// line reads one line, until ctx ends; the program ends then too, and with it
// the reader.
func (t *terminal) line(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := t.lines.ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		if a.err != nil && a.line == "" {
			return "", errors.New("no answer was given")
		}
		return strings.TrimRight(a.line, "\r\n"), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// hide stops a terminal from showing what is typed, until show is called.
func hide(f *os.File) (show func(), err error) {
	old, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	silent := *old
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSF, &silent); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETSF, old) }, nil
}

// size returns the lines and columns of a terminal, 0 for what is none.
func size(f *os.File) (lines, columns int) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(w.Row), int(w.Col)
}

// line is one line of a terminal that is written again and again.
type line struct {
	out  *os.File
	used bool
}

func newLine(out *os.File) *line { return &line{out: out} }

// shown tells whether somebody sees it.
func (l *line) shown() bool { return isTerminal(l.out) }

func (l *line) show(text string) {
	if _, columns := size(l.out); columns > 0 {
		if r := []rune(text); len(r) >= columns {
			text = string(r[:columns-2]) + "…"
		}
	}
	fmt.Fprintf(l.out, "\r\x1b[K%s", text)
	l.used = true
}

func (l *line) clear() {
	if l.used {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
}
