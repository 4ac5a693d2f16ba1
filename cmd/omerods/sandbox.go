package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"omerods/internal/sandbox"
	"omerods/mount"
)

var sandboxCommand = command{
	name: "sandbox", short: "runs an OMERO and an iRODS server for trying things out",
	long: "Runs an OMERO server and an iRODS server on loopback until Ctrl-C, with a small sample study, and\n" +
		"prints the settings to reach them. They speak the protocols of the real ones; other clients can use them.",
	example: "  omerods sandbox\n  omerods sandbox --images ~/microscopy --state ~/omerods-sandbox",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		cfg := sandboxFlags(flags)
		flags.IntVar(&cfg.OMEROPort, "omero-port", 0, "listens on this port for OMERO (default: a free one)")
		flags.IntVar(&cfg.IRODSPort, "irods-port", 0, "listens on this port for iRODS (default: a free one)")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("no arguments are needed")
			}
			s, err := sandbox.Start(ctx, *cfg)
			if err != nil {
				return err
			}
			if err := printSandbox(os.Stdout, s); err != nil {
				return join(err, s.Close())
			}
			fmt.Println("\nCtrl-C ends it.")
			<-ctx.Done()
			return s.Close()
		}
	},
}

func sandboxFlags(flags *pflag.FlagSet) *sandbox.Config {
	cfg := &sandbox.Config{}
	flags.StringVar(&cfg.Images, "images", "", "starts with the images of this folder as a project, instead of the sample study")
	flags.StringVar(&cfg.StateDir, "state", "", "keeps everything in this folder between runs (default: nothing is kept)")
	flags.StringVar(&cfg.BinaryAccess, "binary-access", "", "sets omero.policy.binary_access, such as +read,+write,+image,+plate (default: OMERO's, without +plate)")
	return cfg
}

// printSandbox tells how to reach the servers.
func printSandbox(w io.Writer, s *sandbox.Sandbox) error {
	fmt.Fprintf(w, "OMERO  %s\niRODS  localhost:%d, zone %s\ncertificate of both: %s\n\nusers:\n",
		s.OMEROAddress(), s.IRODSPort(), sandbox.Zone, s.CAFile())
	for _, u := range s.Users() {
		settings, err := s.WriteSettings(u)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %-10s password %-14s omerods mount --config %s MOUNTPOINT\n", u.Name, u.Password, settings.Config)
	}
	for _, n := range s.Notes() {
		fmt.Fprintf(w, "  %s: %s\n", n.Path, n.What)
	}
	return nil
}

var demoCommand = command{
	name: "demo", args: "[MOUNTPOINT]", short: "runs sandbox servers with sample data and mounts them",
	long: "Runs an OMERO and an iRODS server with sample data, and mounts both at MOUNTPOINT (a new folder\n" +
		"below the temporary one when it is left out). Ctrl-C ends it all.",
	example: "  omerods demo\n  omerods demo --images ~/microscopy ~/omerods-demo",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		cfg := sandboxFlags(flags)
		level := flags.String("log-level", "warn", "says how much is logged: debug, info, warn or error")
		return func(ctx context.Context, args []string) error {
			if len(args) > 1 {
				return usagef("at most one mount point")
			}
			var l slog.Level
			if err := l.UnmarshalText([]byte(*level)); err != nil {
				return usagef("log-level %q is none of debug, info, warn, error", *level)
			}
			logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
			cfg.Logger = logger
			return demo(ctx, *cfg, logger, args)
		}
	},
}

func demo(ctx context.Context, cfg sandbox.Config, logger *slog.Logger, args []string) (err error) {
	s, err := sandbox.Start(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = join(err, s.Close()) }()
	point := ""
	if len(args) == 1 {
		point = args[0]
		if err := os.MkdirAll(point, 0o755); err != nil {
			return err
		}
	} else {
		dir, err := os.MkdirTemp("", "omerods-demo-")
		if err != nil {
			return err
		}
		defer os.Remove(dir)
		point = dir
	}
	if point, err = filepath.Abs(point); err != nil {
		return err
	}
	ada := s.Users()[0]
	settings, err := s.WriteSettings(ada)
	if err != nil {
		return err
	}
	mc := mount.Default()
	if err := mount.Load(&mc, settings.Config, func(string) string { return "" }); err != nil {
		return err
	}
	mc.Mountpoint = point
	start := time.Now()
	m, err := mount.Start(ctx, mc, logger)
	if err != nil {
		return err
	}
	fmt.Printf("mounted at %s after %s, as %s\n\n", point, time.Since(start).Round(time.Millisecond), ada.Name)
	if err := printSandbox(os.Stdout, s); err != nil {
		return join(err, m.Stop())
	}
	projects := filepath.Join(point, "omero", ada.Group, ada.Name, "projects")
	home := filepath.Join(point, "irods", sandbox.Zone, "home", ada.Name)
	project := "Kidney"
	if cfg.Images != "" {
		project = filepath.Base(cfg.Images)
	}
	fmt.Printf("\nTry:\n  ls -l %q\n  cp -r %q %q            # a save\n  cp -r %q %q   # a load\n  omerods status %q\n\nCtrl-C ends it all.\n",
		projects, filepath.Join(projects, project), home+"/",
		filepath.Join(home, project), filepath.Join(projects, project+" again"), point)
	return m.Serve(ctx)
}
