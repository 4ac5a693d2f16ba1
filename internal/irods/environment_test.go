package irods_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/irods"
)

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironment(t *testing.T) {
	home := t.TempDir()
	uid := 4711
	write(t, filepath.Join(home, ".irods", "irods_environment.json"), []byte(`{
		"irods_host": "data.example", "irods_port": 2247, "irods_user_name": "ada", "irods_zone_name": "labZone",
		"irods_client_server_policy": "CS_NEG_REQUIRE", "irods_ssl_verify_server": "cert",
		"irods_encryption_key_size": 32, "irods_default_resource": "fast", "irods_cwd": "/x", "unknown": [1]}`))
	if err := irods.WriteSecret(filepath.Join(home, ".irods", ".irodsA"), "pass word/1", uid); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"HOME": home, "IRODS_HOST": "other.example"}
	env := irods.Environment{UID: &uid, Getenv: func(k string) string { return vars[k] }}

	c, err := irods.LoadEnvironment(env)
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "other.example" || c.Port != 2247 || c.User != "ada" || c.Zone != "labZone" || c.Resource != "fast" ||
		c.Password != "pass word/1" || c.TLS.Policy != irods.TLSRequire || c.TLS.Verify != irods.VerifyCert || c.TLS.KeyBytes != 32 {
		t.Errorf("got %+v", c)
	}

	// python-irodsclient's way to say whose file it is.
	env.UID = nil
	vars["IRODS_AUTHENTICATION_UID"] = "4711"
	if c, err = irods.LoadEnvironment(env); err != nil || c.Password != "pass word/1" {
		t.Errorf("irods_authentication_uid: got %q, %v", c.Password, err)
	}
	vars["IRODS_AUTHENTICATION_SCHEME"] = "PAM_password"
	if c, err = irods.LoadEnvironment(env); err != nil || c.PAMToken != "pass word/1" || c.Password != "" {
		t.Errorf("pam: got %q, %q, %v; want the file's secret as token", c.PAMToken, c.Password, err)
	}
	vars["IRODS_PORT"] = "many"
	if _, err = irods.LoadEnvironment(env); err == nil || !strings.Contains(err.Error(), "irods_port") {
		t.Errorf("a bad port: got %v", err)
	}
	delete(vars, "IRODS_PORT")
	for _, bad := range []string{"", ".", ".abcde", ".abcde!xyz", "garbage that is long"} {
		write(t, filepath.Join(home, ".irods", ".irodsA"), []byte(bad))
		if _, err = irods.LoadEnvironment(env); err == nil {
			t.Errorf("password file %q: got no error", bad)
		}
	}
}

func TestWherePasswordsAre(t *testing.T) {
	home := t.TempDir()
	secret := func(file, text string) {
		t.Helper()
		if err := irods.WriteSecret(file, text, os.Getuid()); err != nil {
			t.Fatal(err)
		}
	}
	secret(filepath.Join(home, ".irods", ".irodsA"), "home")
	secret(filepath.Join(home, "named"), "named")
	secret(filepath.Join(home, "beside", ".irodsA"), "beside")
	write(t, filepath.Join(home, "beside", "env.json"), []byte(`{}`))
	write(t, filepath.Join(home, "alone", "env.json"), []byte(`{"irods_ssl_ca_certificate_file": "~/ca.pem"}`))
	for _, tt := range []struct {
		vars map[string]string
		want string
	}{
		{nil, "home"},
		{map[string]string{"IRODS_ENVIRONMENT_FILE": home + "/beside/env.json"}, "beside"},
		{map[string]string{"IRODS_ENVIRONMENT_FILE": home + "/alone/env.json"}, "home"},
		{map[string]string{"IRODS_ENVIRONMENT_FILE": "~/beside/env.json", "IRODS_AUTHENTICATION_FILE": "~/named"}, "named"},
		{map[string]string{"IRODS_USER_PASSWORD": "given"}, "given"},
	} {
		c, err := irods.LoadEnvironment(irods.Environment{Getenv: func(k string) string {
			if k == "HOME" {
				return home
			}
			return tt.vars[k]
		}})
		if err != nil || c.Password != tt.want {
			t.Errorf("%v: got %q, %v; want %q", tt.vars, c.Password, err, tt.want)
		}
	}
}

func TestOlderVariables(t *testing.T) {
	vars := map[string]string{"HOME": "/nonexistent", "irodsSSLCACertificateFile": "/ca.pem", "irodsSSLVerifyServer": "cert",
		"irodsSSLCACertificatePath": "/old", "IRODS_SSL_CA_CERTIFICATE_PATH": "~/new"}
	c, err := irods.LoadEnvironment(irods.Environment{Getenv: func(k string) string { return vars[k] }})
	if err != nil || c.TLS.CAFile != "/ca.pem" || c.TLS.Verify != "cert" || c.TLS.CADir != "/nonexistent/new" {
		t.Errorf("got %+v, %v", c.TLS, err)
	}
}

func TestEnvironmentMissing(t *testing.T) {
	env := irods.Environment{Getenv: func(k string) string { return map[string]string{"HOME": "/nonexistent"}[k] }}
	c, err := irods.LoadEnvironment(env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := irods.New(c); err == nil || !strings.Contains(err.Error(), "irods_host") {
		t.Errorf("got %v, want irods_host named", err)
	}
	env.File = "/nonexistent/environment.json"
	if _, err := irods.LoadEnvironment(env); err == nil {
		t.Error("a file that was named and is missing: got no error")
	}
}
