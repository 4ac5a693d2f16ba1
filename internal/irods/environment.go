package irods

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cyverse/go-irodsclient/config"
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
	uid := os.Getuid()
	if env.UID != nil {
		uid = *env.UID
	}
	file := orElse(env.File, env.Getenv("IRODS_ENVIRONMENT_FILE"))
	if file == "" {
		home := env.Getenv("HOME")
		if home == "" {
			home, _ = os.UserHomeDir()
		}
		file = filepath.Join(home, ".irods", "irods_environment.json")
	}
	keys := map[string]any{}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && env.File == "":
	case err != nil:
		return Config{}, errorf(ErrInvalid, "iRODS environment: %w", err)
	default:
		if err := json.Unmarshal(text, &keys); err != nil {
			return Config{}, errorf(ErrInvalid, "iRODS environment %s: %w", file, err)
		}
	}
	s := settings{keys: keys, getenv: env.Getenv}
	c := s.config()
	if s.err != nil {
		return Config{}, s.err
	}
	if c.Password == "" && c.PAMToken == "" {
		secret, err := readSecret(expand(s.text("irods_authentication_file"), env), filepath.Dir(file), uid)
		if err != nil {
			return Config{}, err
		}
		// For PAM, iinit keeps the password that the server generated.
		if c.pam() {
			c.PAMToken = secret
		} else {
			c.Password = secret
		}
	}
	return c, nil
}

// settings looks keys up in the variables first, then in the file.
type settings struct {
	keys   map[string]any
	getenv func(string) string
	err    error
}

func (s *settings) text(key string) string {
	if v := s.getenv(strings.ToUpper(key)); v != "" {
		return v
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
		Password: s.text("irods_user_password"), PAMToken: s.text("irods_pam_token"),
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

func expand(path string, env Environment) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(env.Getenv("HOME"), rest)
	}
	return path
}

// readSecret reads a scrambled password; "" when there is no such file.
func readSecret(file, dir string, uid int) (string, error) {
	file = orElse(file, filepath.Join(dir, ".irodsA"))
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", errorf(ErrInvalid, "iRODS password: %w", err)
	}
	// The seventh character chooses one of sixteen keys; the library's
	// decoder trusts it.
	if len(text) < 8 || text[0] != '.' || text[6] < 'e' || text[6] > 'e'+15 {
		return "", errorf(ErrInvalid, "iRODS password: %s is not a file that iinit wrote", file)
	}
	o := config.NewPasswordObfuscator()
	o.SetUID(uid)
	return strings.TrimRight(string(o.Decode(text)), "\r\n"), nil
}
