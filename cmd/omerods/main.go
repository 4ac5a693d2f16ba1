// Command omerods mounts OMERO and iRODS side by side as one filesystem.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"omerods/internal/version"
)

// command is one verb of the command line.
type command struct {
	name    string
	args    string
	short   string
	long    string
	example string
	// setup defines the flags and returns what runs with the arguments left.
	setup func(flags *pflag.FlagSet) func(ctx context.Context, args []string) error
}

var commands = []command{
	initCommand, mountCommand, unmountCommand, demoCommand, sandboxCommand, statusCommand, waitCommand, whyCommand, targetsCommand, checkCommand, versionCommand,
}

// usageError is a mistake in how the program was called; it exits with 2.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "mount.omerods" {
		args = mountHelperArgs(args)
	}
	os.Exit(run(ctx, args))
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		usage(os.Stderr)
		return 2
	}
	switch args[0] {
	case "-h", "--help", "help":
		if len(args) > 1 {
			return run(ctx, []string{args[1], "--help"})
		}
		usage(os.Stdout)
		return 0
	case "--version":
		args = []string{"version"}
	}
	for _, c := range commands {
		if c.name == args[0] {
			return c.run(ctx, args[1:])
		}
	}
	fmt.Fprintf(os.Stderr, "omerods: there is no command %q; omerods --help lists them\n", args[0])
	return 2
}

func (c command) run(ctx context.Context, args []string) int {
	flags := pflag.NewFlagSet("omerods "+c.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	do := c.setup(flags)
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		c.help(os.Stdout, flags)
		return 0
	}
	if err == nil {
		err = do(ctx, flags.Args())
	} else {
		err = usageError{err}
	}
	var wrong usageError
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "omerods %s: %v\nomerods %s --help says more\n", c.name, err, c.name)
		return 2
	case errors.As(err, &code):
		return int(code)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(os.Stderr, "omerods %s: %v\n", c.name, err)
	return 1
}

// exitCode ends the program with a result that needs no message.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func usage(w io.Writer) {
	fmt.Fprintf(w, "omerods mounts OMERO and iRODS side by side: copying a project out of omero/ saves it,\n"+
		"copying a saved folder back loads it.\n\nusage: omerods COMMAND [flags] [arguments]\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.short)
	}
	t.Flush()
	fmt.Fprintf(w, "\nomerods COMMAND --help says more of each. First look: omerods demo\n")
}

func (c command) help(w io.Writer, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "usage: omerods %s\n\n%s\n", strings.TrimSpace(c.name+" [flags] "+c.args), c.long)
	if c.example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.example)
	}
	if u := flags.FlagUsages(); u != "" {
		fmt.Fprintf(w, "\nFlags:\n%s", u)
	}
}

var versionCommand = command{
	name: "version", short: "prints the version",
	long: "Prints the version of this program.",
	setup: func(*pflag.FlagSet) func(context.Context, []string) error {
		return func(context.Context, []string) error {
			fmt.Println("omerods", version.Version)
			return nil
		}
	},
}

// join is errors.Join for two errors of which the first is the reason.
func join(err, also error) error {
	if err == nil || also == nil {
		return errors.Join(err, also)
	}
	return fmt.Errorf("%w (and then: %w)", err, also)
}
