package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Settings are the files by which a user reaches both servers.
type Settings struct {
	Dir         string
	Config      string // omerods.yaml
	Environment string // irods_environment.json
}

// WriteSettings writes, below the sandbox's folder, the settings for one
// user. Passwords go into files that only the owner of the sandbox may read.
func (s *Sandbox) WriteSettings(u User) (Settings, error) {
	dir := filepath.Join(s.dir, "settings", u.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Settings{}, fmt.Errorf("settings: %w", err)
	}
	out := Settings{Dir: dir, Config: filepath.Join(dir, "omerods.yaml"), Environment: filepath.Join(dir, "irods_environment.json")}
	password := filepath.Join(dir, "omero-password")
	policy := "CS_NEG_REQUIRE"
	if s.plain {
		policy = "CS_NEG_REFUSE"
	}
	env, err := json.MarshalIndent(map[string]any{
		"irods_host": "localhost", "irods_port": s.IRODSPort(), "irods_user_name": u.Name, "irods_zone_name": Zone,
		"irods_home": "/" + Zone + "/home/" + u.Name, "irods_user_password": u.Password,
		"irods_client_server_negotiation": "request_server_negotiation", "irods_client_server_policy": policy,
		"irods_ssl_ca_certificate_file": s.caFile, "irods_ssl_verify_server": "hostname",
		"irods_encryption_algorithm": "AES-256-CBC", "irods_encryption_key_size": 32,
		"irods_encryption_num_hash_rounds": 16, "irods_encryption_salt_size": 8,
	}, "", "  ")
	if err != nil {
		return Settings{}, fmt.Errorf("settings: %w", err)
	}
	config := fmt.Sprintf("omero-server: %q\nomero-user: %q\nomero-password-file: %q\nomero-ca-file: %q\nomero-name: %q\nirods-environment: %q\nstate-dir: %q\ncache-dir: %q\n",
		s.OMEROAddress(), u.Name, password, s.caFile, "omero.sandbox", out.Environment,
		filepath.Join(dir, "state"), filepath.Join(dir, "cache"))
	for name, text := range map[string][]byte{
		password: []byte(u.Password + "\n"), out.Environment: append(env, '\n'), out.Config: []byte(config),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return Settings{}, fmt.Errorf("settings: %w", err)
		}
	}
	return out, nil
}
