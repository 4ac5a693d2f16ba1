package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/sandbox"
)

// The password comes through a pipe, everything else by flags.
func TestInit(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Config{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	ada := box.Users()[0]
	dir := t.TempDir()
	file := filepath.Join(dir, "irods_environment.json")
	t.Setenv("HOME", dir)
	t.Chdir(dir)
	ca, err := filepath.Rel(dir, box.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"OMERODS_IRODS_PASSWORD", "IRODS_USER_PASSWORD", "IRODS_ENVIRONMENT_FILE", "IRODS_AUTHENTICATION_FILE", "IRODS_HOST"} {
		t.Setenv(name, "")
	}
	args := []string{"init", "--host", "localhost", "--port", strconv.Itoa(box.IRODSPort()), "--user", ada.Name, "--zone", sandbox.Zone,
		"--ca-file", ca, "--scheme", "pam_password", "--ttl", "3", "--irods-environment", filepath.Base(file)}
	if _, stderr, code := piped(t, "wrong\n", args...); code != 1 || !strings.Contains(stderr, "wrong password (PAM): ada#tempZone") {
		t.Errorf("a wrong password: exit code %d, %q", code, stderr)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a refused login left a file: %v", err)
	}
	out, stderr, code := piped(t, ada.Password+"\n", args...)
	if code != 0 || stderr != "" || !strings.Contains(out, "logged in as ada#tempZone@localhost") || !strings.Contains(out, "over TLS") {
		t.Errorf("exit code %d, %q, %q", code, out, stderr)
	}
	t.Chdir("/") // what was written is good from everywhere
	cfg, err := irods.LoadEnvironment(irods.Environment{File: file})
	if err != nil || cfg.TLS.CAFile != box.CAFile() || cfg.SecretFile != filepath.Join(dir, ".irodsA") || cfg.PAMToken == "" || cfg.PAMToken == ada.Password {
		t.Errorf("the token: got %q, %v", cfg.PAMToken, err)
	}
	if _, stderr, code := piped(t, "", "init", "--host", "localhost"); code != 1 || !strings.Contains(stderr, "irods_user_name is not set, and there is no terminal") {
		t.Errorf("without a terminal: exit code %d, %q", code, stderr)
	}
	if _, stderr, code := piped(t, "", "init", "--port", "many"); code != 2 || !strings.Contains(stderr, "--port many") {
		t.Errorf("no port: exit code %d, %q", code, stderr)
	}
}

// piped runs a command line with something on its standard input.
func piped(t *testing.T, input string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString(input); err != nil {
		t.Fatal(err)
	}
	w.Close()
	old := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = old }()
	return output(t, args...)
}
