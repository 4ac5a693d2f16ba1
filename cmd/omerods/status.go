package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"omerods/mount"
)

var statusCommand = command{
	name: "status", args: "[MOUNTPOINT]", short: "shows connections, saves and loads",
	long: "Shows the connections of a mount, and its running and past saves and loads: files, bytes, the rate over\n" +
		"the last half minute, and the time left at that rate. Without\n" +
		"MOUNTPOINT it is the mount of the working directory, or the only one that you have.\n\n" +
		"With --watch it is shown anew every second until Ctrl-C; where there is no terminal, a line is\n" +
		"printed for each save or load that has come further.",
	example: "  omerods status ~/data\n  omerods status --watch\n  omerods status --watch ~/data >> saves.log\n" +
		"  omerods status --json ~/data | jq '.transfers[0]'",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		watch := flags.BoolP("watch", "w", false, "shows it again every second")
		asJSON := flags.Bool("json", false, "prints JSON; with --watch one line each time")
		return func(ctx context.Context, args []string) error {
			point, err := theMount(args)
			if err != nil {
				return err
			}
			if *watch {
				return watchStatus(ctx, point, *asJSON)
			}
			s, err := mount.ReadStatus(point)
			if err != nil {
				return err
			}
			if *asJSON {
				e := json.NewEncoder(os.Stdout)
				e.SetIndent("", "  ")
				return e.Encode(s)
			}
			fmt.Print(s.Text())
			return nil
		}
	},
}

func watchStatus(ctx context.Context, point string, asJSON bool) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var log mount.Watcher
	for {
		s, err := mount.ReadStatus(point)
		if err != nil {
			return err
		}
		switch {
		case asJSON:
			err = json.NewEncoder(os.Stdout).Encode(s)
		case isTerminal(os.Stdout):
			// From the top, each line to its end, then all below: a screen that
			// was cleared first would flicker.
			text := s.WatchText(size(os.Stdout))
			_, err = fmt.Print("\x1b[H" + strings.ReplaceAll(text, "\n", "\x1b[K\n") + "\x1b[J")
		default:
			for _, l := range log.Lines(s) {
				if _, err = fmt.Println(l); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// theMount is the mount that a command without an argument means.
func theMount(args []string) (string, error) {
	switch len(args) {
	case 0:
	case 1:
		point, _, err := mount.Find(args[0])
		return point, err
	default:
		return "", usagef("at most one mount point")
	}
	if point, _, err := mount.Find("."); err == nil {
		return point, nil
	}
	all, err := mount.Mounts()
	if err != nil {
		return "", err
	}
	// The mounts of others on this machine cannot be looked at.
	points := slices.DeleteFunc(all, func(point string) bool {
		_, err := mount.ReadStatus(point)
		return errors.Is(err, fs.ErrPermission)
	})
	switch len(points) {
	case 0:
		return "", fmt.Errorf("nothing is mounted")
	case 1:
		return points[0], nil
	}
	return "", usagef("there are several mounts: %v", points)
}

var whyCommand = command{
	name: "why", args: "PATH", short: "explains the last error at PATH",
	long: "Explains the last error at PATH or below it, whole, with what to do about it. PATH need not exist.\n" +
		"Exits with 1 when nothing is known to have failed there.",
	example: "  cp -r data/irods/zone/home/ada/Kidney data/omero/lab/ada/projects/ || omerods why data/omero/lab/ada/projects/Kidney",
	setup: func(*pflag.FlagSet) func(context.Context, []string) error {
		return func(_ context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("one path is needed")
			}
			text, ok, err := mount.Why(args[0])
			if err != nil {
				return err
			}
			if !ok {
				fmt.Printf("nothing is known to have failed at %s\n", args[0])
				return exitCode(1)
			}
			fmt.Println(text)
			return nil
		}
	},
}
