package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"omerods/internal/irods"
	"omerods/mount"
)

var initCommand = command{
	name: "init", short: "logs in to iRODS and keeps the login, as iinit does",
	long: "Asks for what is missing in irods_environment.json, logs in to iRODS, and writes that file and the\n" +
		"password file .irodsA, for this program, iCommands and python-irodsclient. Other settings in the file\n" +
		"stay, and nothing is written when the login fails. The password is asked for, or the first line of a\n" +
		"pipe, or in a file that only you can read (--password-file). The password of a PAM login goes over\n" +
		"TLS only and is not kept: .irodsA then holds the token that the server makes of it, which expires.\n\n" +
		"It exits with 1 when the login fails and says why.",
	example: "  omerods init\n" +
		"  omerods init --host data.example.org --user ada --zone lab\n" +
		"  omerods init --scheme pam_password --ttl 72\n" +
		"  pass show irods | omerods init --host data.example.org --user ada --zone lab",
	setup: func(flags *pflag.FlagSet) func(context.Context, []string) error {
		given := map[string]*string{}
		for _, f := range []struct{ flag, key, help string }{
			{"host", "irods_host", "is the host name of the server"},
			{"port", "irods_port", "is its port (1247)"},
			{"user", "irods_user_name", "is the user who logs in"},
			{"zone", "irods_zone_name", "is the user's zone"},
			{"scheme", "irods_authentication_scheme", "says how: native or pam_password"},
			{"resource", "irods_default_resource", "stores new data objects on this resource"},
			{"ca-file", "irods_ssl_ca_certificate_file", "trusts the certificates in this PEM file"},
		} {
			given[f.key] = flags.String(f.flag, "", f.help)
		}
		file := flags.String("irods-environment", "", "is the file to write (default: IRODS_ENVIRONMENT_FILE or ~/.irods/irods_environment.json)")
		password := flags.String("password-file", "", "reads the password from this file, which only you may read")
		ttl := flags.Int("ttl", 0, "asks for a PAM token that is valid for so many hours")
		plain := flags.Bool("irods-plain", false, "allows a connection without TLS to another machine")
		insecure := flags.Bool("irods-insecure", false, "lets irods_ssl_verify_server: none count; for tests")
		return func(ctx context.Context, args []string) error {
			if len(args) > 0 {
				return usagef("no arguments are needed")
			}
			if *ttl < 0 {
				return usagef("--ttl is a number of hours")
			}
			t := newTerminal()
			s := irods.Setup{
				Environment: irods.Environment{File: *file}, Given: map[string]string{},
				Ask: t.ask, AllowPlain: *plain, AllowUnverified: *insecure, PAMHours: *ttl,
				Password: func(ctx context.Context, question string) (string, error) {
					return mount.IRODSPassword(*password, os.Getenv, func() (string, error) { return t.secret(ctx, question) })
				},
			}
			for key, value := range given {
				if *value != "" {
					s.Given[key] = *value
				}
			}
			if port, ok := s.Given["irods_port"]; ok {
				if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
					return usagef("--port %s is not a port", port)
				}
			}
			done, err := s.Run(ctx)
			if err != nil {
				return err
			}
			fmt.Print(done.Text())
			return nil
		}
	},
}
