//go:build peer

package irods

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox"
)

// What omerods init writes, the library logs in by, with TLS, and with a
// password as with a token of PAM; what the library writes, the mount does.
func TestKeptLogins(t *testing.T) {
	password := box.Users()[0].Password
	for _, tt := range []struct{ name, library, scheme, write string }{
		{"password", newest, "native", password}, {"password, Debian's", debian, "native", ""}, {"PAM", newest, "pam_password", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			env := irods.Environment{
				File:   filepath.Join(dir, "irods_environment.json"),
				Getenv: func(k string) string { return map[string]string{"HOME": "/nonexistent"}[k] },
			}
			s := irods.Setup{
				Environment: env,
				Given: map[string]string{"irods_host": "localhost", "irods_port": strconv.Itoa(box.IRODSPort()), "irods_user_name": user,
					"irods_zone_name": sandbox.Zone, "irods_authentication_scheme": tt.scheme, "irods_ssl_ca_certificate_file": box.CAFile()},
				Password: func(context.Context, string) (string, error) { return password, nil },
			}
			done, err := s.Run(t.Context())
			if err != nil || !done.TLS {
				t.Fatalf("got %+v, %v; want a login over TLS", done, err)
			}
			secret := filepath.Join(dir, ".irodsA")
			if tt.write != "" { // something else, so that it is seen to be written
				if err := irods.WriteSecret(filepath.Join(dir, "other"), "x", 1); err != nil {
					t.Fatal(err)
				}
				secret = filepath.Join(dir, "other")
			}
			var got struct{ Seen string }
			python(t, tt.library, "kept.py", job{"environment": env.File, "coll": home, "write": tt.write, "secret": secret}, &got)
			if got.Seen != home {
				t.Errorf("got %q", got.Seen)
			}
			env.Getenv = func(k string) string { return map[string]string{"IRODS_AUTHENTICATION_FILE": secret}[k] }
			cfg, err := irods.LoadEnvironment(env)
			if err != nil {
				t.Fatal(err)
			}
			c, err := irods.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Connect(t.Context()); err != nil {
				t.Errorf("by the file afterwards: %v", err)
			}
		})
	}
}
