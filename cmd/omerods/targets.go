package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"omerods/mount"
)

var targetsCommand = command{
	name: "targets", args: "[MOUNTPOINT]", short: "lists the collections that you may save into",
	long: "Lists the collections in iRODS that you may save into, by your own rights and those of your groups,\n" +
		"the nearest first: to your home, or to MOUNTPOINT when that is a folder in irods/. What is below one\n" +
		"of them is not listed; saves go there too. Without MOUNTPOINT it is the mount of the working\n" +
		"directory, or the only one that you have. Exits with 1 when there is none.",
	example: "  omerods targets\n" +
		"  cp -r Kidney \"$(omerods targets | head -1)\"\n" +
		"  omerods targets ~/data/irods/lab/home/shared     # nearest to that\n" +
		"  omerods targets --json | jq -r '.targets[] | select(.own) | .path'",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		asJSON := flags.Bool("json", false, "prints JSON")
		return func(_ context.Context, args []string) error {
			point, err := theMount(args)
			if err != nil {
				return err
			}
			near := ""
			if len(args) == 1 {
				if _, near, err = mount.Find(args[0]); err != nil {
					return err
				}
			} else if found, below, err := mount.Find("."); err == nil && found == point {
				near = below
			}
			t, err := mount.ReadTargets(point, near)
			if err != nil {
				return err
			}
			if *asJSON {
				e := json.NewEncoder(os.Stdout)
				e.SetIndent("", "  ")
				return e.Encode(t)
			}
			fmt.Print(t.Text(point))
			switch {
			case len(t.Targets) == 0:
				fmt.Fprintf(os.Stderr, "%s may write to no collection: ask for the right to one\n", t.User)
				return exitCode(1)
			case !t.Complete:
				fmt.Fprintln(os.Stderr, "there are more")
			}
			return nil
		}
	},
}
