package irods

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Setup makes the files by which this program, iCommands and
// python-irodsclient log in: irods_environment.json and .irodsA.
type Setup struct {
	Environment Environment
	// Given are settings by their names in irods_environment.json. They win
	// over the file and the variables, and are written.
	Given map[string]string
	// Ask returns the answer to a question; the default stands for an empty
	// one. It fails when there is nobody to ask.
	Ask func(ctx context.Context, question, byDefault string) (string, error)
	// Password returns the secret of the login.
	Password func(ctx context.Context, question string) (string, error)

	AllowPlain, AllowUnverified bool
	// PAMHours is how long the token of a PAM login shall serve; 0 leaves it
	// to the server.
	PAMHours int
}

// SetupResult is what a Setup has done.
type SetupResult struct {
	Client  string // who is at which server
	By      string // who logged in, when it is somebody else
	Version string // of the server
	TLS     bool
	PAM     bool
	Wrote   []string // files
	Dropped []string // settings that would have hidden the new password
	TooLong bool     // for iCommands
}

// The settings without which nobody can log in, in the order of asking.
var needed = []struct{ key, question, byDefault string }{
	{"irods_host", "Host name of the iRODS server", ""},
	{"irods_port", "Port", "1247"},
	{"irods_user_name", "User name", ""},
	{"irods_zone_name", "Zone", ""},
}

// secretKeys are settings that win over .irodsA.
var secretKeys = []string{"irods_user_password", "irods_pam_token"}

// Run asks for what is missing, logs in, and only then writes: what it
// replaces is as it was when the login fails.
func (s Setup) Run(ctx context.Context) (SetupResult, error) {
	var result SetupResult
	if s.Environment.Getenv == nil {
		s.Environment.Getenv = os.Getenv
	}
	env := s.Environment
	getenv := env.Getenv
	given := maps.Clone(s.Given)
	if given == nil {
		given = map[string]string{}
	}
	// What is written is read from other folders.
	for _, k := range []string{"irods_ssl_ca_certificate_file", "irods_ssl_ca_certificate_path", "irods_authentication_file"} {
		if v, ok := given[k]; ok {
			abs, err := filepath.Abs(env.expand(v))
			if err != nil {
				return result, err
			}
			given[k] = abs
		}
	}
	env.Getenv = func(name string) string {
		if v, ok := given[strings.ToLower(name)]; ok && name == strings.ToUpper(name) {
			return v
		}
		return getenv(name)
	}
	env.noSecret = true
	file, err := filepath.Abs(env.file())
	if err != nil {
		return result, err
	}
	keys, err := readKeys(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return result, err
	}
	for _, n := range needed {
		known := settings{keys: keys, getenv: env.Getenv}
		if known.text(n.key) != "" {
			continue
		}
		answer, err := s.Ask(ctx, n.question, n.byDefault)
		if err != nil {
			return result, errorf(ErrInvalid, "%s is not set, and %w", n.key, err)
		}
		given[n.key] = strings.TrimSpace(answer)
	}
	env.File, env.mayMiss = file, true
	cfg, err := LoadEnvironment(env)
	if err != nil {
		return result, err
	}
	cfg.AllowPlain, cfg.AllowUnverified = s.AllowPlain, s.AllowUnverified
	cfg.PAMHours = orElse(s.PAMHours, cfg.PAMHours)
	cfg.MaxConnections, cfg.Password, cfg.PAMToken = 1, "", ""
	if err := cfg.Validate(); err != nil {
		return result, err
	}
	if s.PAMHours > 0 && !cfg.pam() {
		return result, errorf(ErrInvalid, "only a PAM login gets a token that lasts some hours; irods_authentication_scheme is %s", orElse(cfg.Scheme, "native"))
	}
	if cfg.User != "anonymous" { // who has no password
		question := "iRODS password of "
		if cfg.pam() {
			question = "PAM password of "
		}
		if cfg.Password, err = s.Password(ctx, question+cfg.User+"#"+cfg.Zone); err != nil {
			return result, err
		}
		if cfg.Password == "" {
			return result, errorf(ErrLogin, "no password was given")
		}
	}
	c, err := New(cfg)
	if err != nil {
		return result, err
	}
	defer c.Close()
	if err := c.Connect(ctx); err != nil {
		return result, err
	}
	result.Client, result.Version, result.TLS, result.PAM = c.String(), c.Version(), c.Encrypted(), cfg.pam()
	if full := cfg.withDefaults(); full.ClientUser != full.User || full.ClientZone != full.Zone {
		result.By = full.User + "#" + full.Zone
	}
	secret := cfg.Password
	if cfg.pam() {
		secret = c.Token()
	}
	return result, s.write(&result, env, keys, given, cfg, secret)
}

// write stores the settings that the file lacks or that were given, and the
// secret.
func (s Setup) write(result *SetupResult, env Environment, keys map[string]any, given map[string]string, cfg Config, secret string) error {
	set := map[string]any{}
	for k, v := range given {
		set[k] = v
	}
	if _, ok := set["irods_port"]; ok {
		set["irods_port"] = cfg.Port
	}
	missing := map[string]any{
		"irods_port": cfg.withDefaults().Port,
		"irods_host": cfg.Host, "irods_user_name": cfg.User, "irods_zone_name": cfg.Zone,
	}
	if result.TLS {
		// What other clients must be told to use TLS. From now on no server
		// can talk this user out of it.
		t := cfg.withDefaults().TLS
		maps.Copy(missing, map[string]any{
			"irods_client_server_negotiation": "request_server_negotiation", "irods_client_server_policy": string(TLSRequire),
			"irods_ssl_verify_server": t.Verify, "irods_encryption_algorithm": t.Algorithm, "irods_encryption_key_size": t.KeyBytes,
			"irods_encryption_salt_size": t.SaltBytes, "irods_encryption_num_hash_rounds": t.HashRounds,
		})
	}
	at := cfg.SecretFile
	known := settings{keys: keys, getenv: env.Getenv}
	if dir := filepath.Dir(cfg.EnvironmentFile); secret != "" && known.text("irods_authentication_file") == "" && dir != filepath.Join(env.home(), ".irods") {
		// iCommands would look in the home folder, where another login is.
		at = filepath.Join(dir, ".irodsA")
		set["irods_authentication_file"] = at
	}
	for k, v := range missing {
		if _, ok := keys[k]; !ok {
			if _, ok := set[k]; !ok {
				set[k] = v
			}
		}
	}
	merged := maps.Clone(keys)
	maps.Copy(merged, set)
	for _, k := range secretKeys {
		if _, ok := merged[k]; ok {
			delete(merged, k)
			result.Dropped = append(result.Dropped, k)
		}
	}
	if err := writeKeys(cfg.EnvironmentFile, keys, merged, result); err != nil {
		return err
	}
	if secret == "" {
		return nil
	}
	if err := WriteSecret(at, secret, cfg.secretUID); err != nil {
		return err
	}
	result.TooLong = len(secret) > icommandsPassword
	result.Wrote = append(result.Wrote, at)
	return nil
}

// writeKeys writes irods_environment.json unless it says so already.
func writeKeys(file string, old, merged map[string]any, result *SetupResult) error {
	before, _ := json.Marshal(old)
	after, err := json.Marshal(merged)
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); err == nil && slices.Equal(before, after) {
		return nil
	}
	text, err := json.MarshalIndent(merged, "", "    ")
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := replaceFile(file, append(text, '\n'), mode, time.Time{}); err != nil {
		return err
	}
	result.Wrote = append(result.Wrote, file)
	return nil
}

// Text says it to people.
func (r SetupResult) Text() string {
	var b strings.Builder
	how := "over TLS"
	if !r.TLS {
		how = "without TLS"
	}
	fmt.Fprintf(&b, "logged in as %s %s, iRODS %s", r.Client, how, r.Version)
	if r.By != "" {
		fmt.Fprintf(&b, ", by the rights of %s to act for others", r.By)
	}
	b.WriteString("\n")
	for _, f := range r.Wrote {
		fmt.Fprintf(&b, "wrote %s\n", f)
	}
	for _, k := range r.Dropped {
		fmt.Fprintf(&b, "removed %s from it, which would have hidden the new password\n", k)
	}
	if r.PAM {
		b.WriteString("the password file holds a token that expires; run this again then\n")
	}
	if r.TooLong {
		fmt.Fprintf(&b, "iCommands cannot read passwords of more than %d bytes; this program and python-irodsclient can\n", icommandsPassword)
	}
	return b.String()
}
