package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"omerods/internal/transfer"
	"omerods/mount"
)

var waitCommand = command{
	name: "wait", args: "PATH", short: "waits for the save or load at PATH and exits with its result",
	long: "Waits until the save or load at PATH has ended, says how, and exits with\n" +
		"  0  when it is finished: everything is there and verified\n" +
		"  1  when it failed or was given up\n" +
		"  2  when the command was called wrongly\n" +
		"  3  when it is partial: something is missing, and the same copy again goes on with it\n" +
		"  4  when there is none at PATH\n" +
		"  5  when it is still running after --timeout\n" +
		"  6  when that could not be found out\n" +
		"It may have ended already, and a save may be that of another mount: its state is in iRODS. PATH may\n" +
		"lie inside of it. A copy that has just been started has --begin to begin. The result is printed, and\n" +
		"on a terminal the progress before it.",
	example: "  cp -r ~/data/omero/lab/ada/projects/Kidney ~/data/irods/zone/home/ada/ & omerods wait ~/data/irods/zone/home/ada/Kidney\n" +
		"  omerods wait --timeout 2h ~/data/omero/lab/ada/projects/Kidney2 || omerods why ~/data/omero/lab/ada/projects/Kidney2\n" +
		"  omerods wait --json ~/data/irods/zone/home/ada/Kidney | jq .state",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		timeout := flags.Duration("timeout", 0, "stops waiting after this time, such as 90s or 2h (default: never)")
		begin := flags.Duration("begin", 15*time.Second, "gives a save or load so long to begin")
		asJSON := flags.Bool("json", false, "prints the result as JSON")
		quiet := flags.BoolP("quiet", "q", false, "prints nothing, but errors")
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("one path is needed")
			}
			opts := mount.WaitOptions{Begin: *begin, Timeout: *timeout}
			line := newLine(os.Stderr)
			if !*quiet && !*asJSON && line.shown() {
				opts.Progress = func(r transfer.Record) { line.show(mount.ProgressText(r)) }
			}
			r, err := mount.Wait(ctx, args[0], opts)
			line.clear()
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					fmt.Fprintf(os.Stderr, "omerods wait: %v\n", err)
				}
				return exitCode(mount.WaitUnknown)
			}
			switch {
			case *asJSON:
				e := json.NewEncoder(os.Stdout)
				e.SetIndent("", "  ")
				err = e.Encode(r)
			case !*quiet:
				_, err = fmt.Println(r.Text())
			}
			if err != nil || r.Code == mount.WaitFinished {
				return err
			}
			return exitCode(r.Code)
		}
	},
}
