package irods

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Environment says where LoadEnvironment looks. The zero value is the
// environment of the running process and user.
type Environment struct {
	// File is the path of irods_environment.json; "" takes
	// IRODS_ENVIRONMENT_FILE, then ~/.irods/irods_environment.json.
	File string
	// UID is the owner of the password file, which is scrambled with it; nil
	// takes the running user's.
	UID *int
	// Getenv looks variables up, os.Getenv if nil.
	Getenv func(string) string

	// mayMiss lets File be missing; noSecret leaves the password alone.
	mayMiss, noSecret bool
}

// LoadEnvironment reads the settings of the iRODS commands: the file
// irods_environment.json, over it the IRODS_* variables of the same names in
// upper case, and the password from irods_user_password or the file .irodsA
// that iinit writes. A missing environment file is no error; what is missing
// then, Validate says.
func LoadEnvironment(env Environment) (Config, error) {
	if env.Getenv == nil {
		env.Getenv = os.Getenv
	}
	file := env.file()
	keys, err := readKeys(file)
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && (env.File == "" || env.mayMiss)) {
		return Config{}, err
	}
	s := settings{keys: keys, getenv: env.Getenv}
	c := s.config()
	c.EnvironmentFile = file
	uid := os.Getuid()
	if n := s.number("irods_authentication_uid"); n != 0 { // of python-irodsclient
		uid = n
	}
	if env.UID != nil {
		uid = *env.UID
	}
	c.secretUID = uid
	c.SecretFile = env.secretFile(s.text("irods_authentication_file"), file)
	c.TLS.CAFile, c.TLS.CADir = env.expand(c.TLS.CAFile), env.expand(c.TLS.CADir)
	if s.err != nil {
		return Config{}, s.err
	}
	if c.Password == "" && c.PAMToken == "" && !env.noSecret && c.User != "anonymous" {
		secret, err := readSecret(c.SecretFile, uid)
		if err != nil {
			return Config{}, err
		}
		c.Reread = func() (string, error) { return readSecret(c.SecretFile, uid) }
		// For PAM, iinit keeps the password that the server generated.
		if c.pam() {
			c.PAMToken = secret
		} else {
			c.Password = secret
		}
	}
	return c, nil
}

// readKeys reads irods_environment.json.
func readKeys(file string) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return map[string]any{}, errorf(ErrInvalid, "iRODS environment: %w", err)
	}
	keys := map[string]any{}
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, errorf(ErrInvalid, "iRODS environment %s: %w", file, err)
	}
	return keys, nil
}

// settings looks keys up in the variables first, then in the file.
type settings struct {
	keys   map[string]any
	getenv func(string) string
	err    error
}

func (s *settings) text(key string) string {
	for _, name := range []string{strings.ToUpper(key), olderNames[key]} {
		if v := s.getenv(name); v != "" {
			return v
		}
	}
	switch v := s.keys[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (s *settings) number(key string) int {
	v := s.text(key)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil && s.err == nil {
		s.err = errorf(ErrInvalid, "%s %q is not a number", key, v)
	}
	return n
}

func (s *settings) config() Config {
	return Config{
		Host: s.text("irods_host"), Port: s.number("irods_port"),
		User: s.text("irods_user_name"), Zone: s.text("irods_zone_name"),
		ClientUser: s.text("irods_client_user_name"), ClientZone: s.text("irods_client_zone_name"),
		Scheme: strings.ToLower(s.text("irods_authentication_scheme")), Resource: s.text("irods_default_resource"),
		Password: s.text("irods_user_password"), PAMToken: s.text("irods_pam_token"), PAMHours: s.number("irods_pam_ttl"),
		TLS: TLS{
			Policy: TLSPolicy(s.text("irods_client_server_policy")),
			Verify: s.text("irods_ssl_verify_server"),
			CAFile: s.text("irods_ssl_ca_certificate_file"), CADir: s.text("irods_ssl_ca_certificate_path"),
			ServerName: s.text("irods_ssl_server_name"), Algorithm: s.text("irods_encryption_algorithm"),
			KeyBytes: s.number("irods_encryption_key_size"), SaltBytes: s.number("irods_encryption_salt_size"),
			HashRounds: s.number("irods_encryption_num_hash_rounds"),
		},
	}
}

// The variables by which older iCommands took TLS settings.
var olderNames = map[string]string{
	"irods_ssl_verify_server":       "irodsSSLVerifyServer",
	"irods_ssl_ca_certificate_file": "irodsSSLCACertificateFile",
	"irods_ssl_ca_certificate_path": "irodsSSLCACertificatePath",
}

func (e Environment) home() string {
	home := e.Getenv("HOME")
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	return home
}

func (e Environment) expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(e.home(), rest)
	}
	return path
}

// file returns the path of irods_environment.json.
func (e Environment) file() string {
	file := orElse(e.File, e.Getenv("IRODS_ENVIRONMENT_FILE"))
	if file == "" {
		return filepath.Join(e.home(), ".irods", "irods_environment.json")
	}
	return e.expand(file)
}

// secretFile returns the path of .irodsA: the one that is named, otherwise
// that beside the environment file if it exists, otherwise the one in the home
// folder, which is where iCommands look whatever the environment file is.
func (e Environment) secretFile(named, environment string) string {
	if named != "" {
		return e.expand(named)
	}
	beside := filepath.Join(filepath.Dir(environment), ".irodsA")
	if _, err := os.Lstat(beside); err == nil {
		return beside
	}
	return filepath.Join(e.home(), ".irods", ".irodsA")
}
