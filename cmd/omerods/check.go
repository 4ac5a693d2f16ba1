package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"omerods/internal/check"
)

var checkCommand = command{
	name: "check", args: "PACK…", short: "verifies packs: folders, tars or zips",
	long: "Verifies packs: that transfer.xml can be read, that every file it lists is there with its size and sum,\n" +
		"and that the parts of the pack agree. PACK is a folder, a tar or a zip, of omerods or of\n" +
		"omero-cli-transfer, in a mount or not; every byte of it is read once, and nothing is written.\n\n" +
		"Prints a line for each problem, beginning with the pack and the place in it, and exits with\n" +
		"  0  when every pack is sound\n" +
		"  1  when one is not\n" +
		"  2  when one could not be checked: it is no pack, or not all of it could be read",
	example: "  omerods check ~/data/irods/zone/home/ada/Kidney\n" +
		"  omerods check --quiet *.tar || echo 'look at these'\n" +
		"  omerods check --json Kidney.tar | jq .verdict",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		asJSON := flags.Bool("json", false, "prints the reports as JSON, one after the other")
		quiet := flags.BoolP("quiet", "q", false, "prints what is wrong and nothing else")
		return func(ctx context.Context, args []string) error {
			if len(args) == 0 {
				return usagef("a pack is needed")
			}
			worst := check.Sound
			for _, path := range args {
				var opts check.Options
				if !*quiet && !*asJSON {
					opts.Progress = check.Meter(os.Stderr)
				}
				r, err := check.Pack(ctx, path, opts)
				if err != nil {
					fmt.Fprintf(os.Stderr, "omerods check: %v\n", err)
					return exitCode(check.Unchecked.ExitCode())
				}
				if *asJSON {
					e := json.NewEncoder(os.Stdout)
					e.SetIndent("", "  ")
					err = e.Encode(r)
				} else {
					_, err = fmt.Print(r.Text(*quiet))
				}
				if err != nil {
					return err
				}
				worst = worst.Or(r.Verdict)
			}
			if worst == check.Sound {
				return nil
			}
			return exitCode(worst.ExitCode())
		}
	},
}
