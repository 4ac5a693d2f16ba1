package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"omerods/mount"
)

// backgroundVariable tells a program that it is a background mount: it says on
// descriptor 3 that it is ready, or why not, and reads secrets from
// descriptor 4. Those do not stay in its environment, where /proc shows them.
const backgroundVariable = "OMERODS_BACKGROUND"

var mountCommand = command{
	name: "mount", args: "MOUNTPOINT", short: "mounts OMERO and iRODS",
	long: "Mounts OMERO and iRODS at MOUNTPOINT and returns when the mount is ready; the program stays in\n" +
		"the background until the mount is taken away. Settings come from flags, from OMERODS_* variables of\n" +
		"the same names (OMERODS_OMERO_USER) and from omerods.yaml, in this order. Secrets are no flags:\n" +
		"OMERODS_OMERO_PASSWORD, OMERODS_OMERO_SESSION_KEY, OMERODS_IRODS_PASSWORD, or files only you can read\n" +
		"(--omero-password-file, --omero-session-file). Without any, the session of 'omero login' is joined and stays open:\n" +
		"the last one, or the last one of --omero-user on --omero-server.",
	example: "  omero login ada@omero.example.org && omerods mount ~/data\n" +
		"  omerods mount --omero-server omero.example.org --omero-user ada --omero-password-file ~/.omero-password ~/data\n" +
		"  OMERODS_OMERO_SESSION_KEY=... omerods mount --omero-server wss://omero.example.org/omero-ws ~/data\n" +
		"  omerods mount -f --config ./omerods.yaml /mnt/data",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		given := mount.Default()
		file := flags.String("config", "", "reads the settings from this file (default ~/.config/omerods/omerods.yaml)")
		mount.AddFlags(flags, &given)
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("one mount point is needed")
			}
			if os.Getenv(backgroundVariable) != "" {
				if err := takeSecrets(); err != nil {
					return err
				}
			}
			cfg := mount.Default()
			if err := mount.Load(&cfg, *file, os.Getenv); err != nil {
				return err
			}
			if err := mount.Merge(&cfg, flags); err != nil {
				return err
			}
			point, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			cfg.Mountpoint = point
			if err := cfg.Validate(); err != nil {
				return err
			}
			if cfg.Foreground || os.Getenv(backgroundVariable) != "" {
				return serve(ctx, cfg)
			}
			return background(ctx, cfg)
		}
	},
}

// mountHelperArgs turns what mount(8) passes to a helper, SOURCE POINT
// [-sfnv] [-o OPTIONS], into our own arguments. Options of ours are given
// without dashes: -o omero-user=ada,config=/etc/omerods.yaml.
func mountHelperArgs(args []string) []string {
	out := []string{"mount"}
	var points []string
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-o" && i+1 < len(args):
			i++
			for o := range strings.SplitSeq(args[i], ",") {
				switch o {
				case "", "rw", "defaults", "noauto", "user", "users", "_netdev", "nofail", "dev", "suid", "exec", "nodev", "nosuid", "noexec":
				case "allow_other":
					out = append(out, "--allow-other")
				default:
					out = append(out, "--"+o)
				}
			}
		case strings.HasPrefix(a, "-"):
		default:
			points = append(points, a)
		}
	}
	if len(points) > 1 {
		points = points[1:]
	}
	return append(append(out, "--"), points...)
}

// serve mounts and stays until the mount is taken away or the program is told
// to stop.
func serve(ctx context.Context, cfg mount.Config) error {
	inBackground := os.Getenv(backgroundVariable) != ""
	var ready *os.File
	if inBackground {
		ready = os.NewFile(3, "ready")
	}
	logger, closeLog, err := openLog(cfg, inBackground)
	if err != nil {
		return tell(ready, inBackground, err)
	}
	defer closeLog()
	m, err := mount.Start(ctx, cfg, logger)
	if err := tell(ready, inBackground, err); err != nil {
		return err
	}
	return m.Serve(ctx)
}

// tell reports to the waiting parent, if there is one.
func tell(ready *os.File, inBackground bool, err error) error {
	if !inBackground {
		return err
	}
	defer ready.Close()
	if err != nil {
		fmt.Fprintf(ready, "%v\n", err)
		return err
	}
	fmt.Fprintln(ready, "ready")
	return nil
}

// background starts the program again without a terminal and waits until it
// has mounted.
func background(ctx context.Context, cfg mount.Config) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command(self, os.Args[1:]...)
	if filepath.Base(os.Args[0]) == "mount.omerods" {
		cmd.Args[0] = os.Args[0]
	}
	env, secrets := splitSecrets(os.Environ())
	sr, sw, err := os.Pipe()
	if err != nil {
		return err
	}
	defer sr.Close()
	cmd.Env = append(env, backgroundVariable+"=1")
	cmd.ExtraFiles = []*os.File{w, sr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		w.Close()
		sw.Close()
		return err
	}
	w.Close()
	// A pipe holds more than all secrets together.
	if _, err := io.WriteString(sw, strings.Join(secrets, "\x00")); err != nil {
		return err
	}
	sw.Close()
	answer := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(bufio.NewReader(r))
		answer <- strings.TrimSpace(string(text))
	}()
	select {
	case <-ctx.Done():
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return ctx.Err()
	case text := <-answer:
		switch text {
		case "ready":
			return cmd.Process.Release()
		case "":
			return fmt.Errorf("the mount ended before it was ready: %v", cmd.Wait())
		}
		_ = cmd.Wait()
		return errors.New(text)
	}
}

// splitSecrets takes the variables that hold secrets out of an environment.
func splitSecrets(env []string) (rest, secrets []string) {
	secret := map[string]bool{"IRODS_USER_PASSWORD": true, "IRODS_PAM_TOKEN": true, "IRODS_TICKET": true}
	for _, o := range mount.Options {
		if o.Secret {
			secret[o.Variable()] = true
		}
	}
	for _, v := range env {
		if name, _, _ := strings.Cut(v, "="); secret[name] {
			secrets = append(secrets, v)
		} else {
			rest = append(rest, v)
		}
	}
	return rest, secrets
}

// takeSecrets reads what splitSecrets took out. Setenv changes only what this
// program sees of its environment.
func takeSecrets() error {
	f := os.NewFile(4, "secrets")
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	for v := range strings.SplitSeq(string(text), "\x00") {
		if name, value, ok := strings.Cut(v, "="); ok {
			if err := os.Setenv(name, value); err != nil {
				return fmt.Errorf("secrets: %w", err)
			}
		}
	}
	return nil
}

func openLog(cfg mount.Config, inBackground bool) (*slog.Logger, func(), error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, nil, fmt.Errorf("log-level %q is none of debug, info, warn, error", cfg.LogLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogFile == "" && !inBackground {
		return slog.New(slog.NewTextHandler(os.Stderr, opts)), func() {}, nil
	}
	path := cfg.LogFile
	if path == "" {
		path = filepath.Join(cfg.StateDir, "omerods.log")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, nil, fmt.Errorf("log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("log: %w", err)
	}
	return slog.New(slog.NewTextHandler(f, opts)), func() { f.Close() }, nil
}

var unmountCommand = command{
	name: "unmount", args: "MOUNTPOINT", short: "takes a mount away",
	long: "Takes the mount at MOUNTPOINT away and waits until its program has ended: running loads that\n" +
		"have everything are finished, others are given up and removed, running saves are marked as partial.",
	example: "  omerods unmount ~/data\n  omerods unmount --lazy ~/data      # although somebody still uses it",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		lazy := flags.Bool("lazy", false, "detaches the mount although it is in use")
		wait := flags.Duration("wait", time.Minute, "waits so long for the mount's program to end")
		return func(ctx context.Context, args []string) error {
			if len(args) != 1 {
				return usagef("one mount point is needed")
			}
			return mount.Unmount(ctx, args[0], *lazy, *wait)
		}
	},
}
