package mount

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"omerods/internal/omero"
	"omerods/internal/version"
)

// omeroLogin says how to log in to OMERO. Without a password or a key of our
// own, the session of "omero login" is joined, when there is one that fits the
// server and the user that were named.
func (c Config) omeroLogin(getenv func(string) string, log *slog.Logger) (omero.Config, error) {
	oc := omero.Config{
		Addresses: c.OMEROServers, AllowPlain: c.OMEROPlain, Group: c.OMEROGroup,
		Agent: "omerods " + version.Version, Logger: log, TLS: c.omeroTLS(),
	}
	var err error
	switch {
	case c.OMEROSessionKey != "":
		oc.SessionKey = c.OMEROSessionKey
	case c.OMEROSessionFile != "":
		oc.SessionKey, err = secretFile("session file", c.OMEROSessionFile)
	case c.OMEROPassword != "":
		oc.User, oc.Password = c.OMEROUser, c.OMEROPassword
	case c.OMEROPasswordFile != "":
		oc.User = c.OMEROUser
		oc.Password, err = secretFile("password file", c.OMEROPasswordFile)
	default:
		err = c.joinStored(&oc, getenv)
		if err == nil {
			log.Info("joining the session of omero login", "server", oc.Addresses[0])
		}
	}
	return oc, err
}

// joinStored fills in the session of "omero login".
func (c Config) joinStored(oc *omero.Config, getenv func(string) string) error {
	const otherwise = "use omero login, or set omero-server and omero-user with OMERODS_OMERO_PASSWORD or omero-password-file, " +
		"or OMERODS_OMERO_SESSION_KEY or omero-session-file"
	dir, err := omero.SessionDir(getenv)
	if err != nil {
		return fmt.Errorf("%w: %s", err, otherwise)
	}
	s, err := omero.FindSession(dir, c.OMEROUser, c.OMEROServers)
	if errors.Is(err, omero.ErrNoSession) {
		return fmt.Errorf("%w: %s", err, otherwise)
	}
	if err != nil {
		return err
	}
	oc.Addresses, oc.SessionKey = []string{s.Address}, s.Key
	return nil
}

func (c Config) omeroTLS() omero.TLS {
	t := omero.TLS{Mode: omero.TLSVerify, CAFile: c.OMEROCAFile, Key: c.OMEROKey}
	switch {
	case c.OMEROInsecure:
		t.Mode = omero.TLSInsecure
	case c.OMEROKey != "":
		t.Mode = omero.TLSPinned
	case c.OMEROAnyName:
		t.Mode = omero.TLSAuthority
	}
	return t
}

// secretFile reads a secret from a file that only its owner may read. What
// says what kind of file it is.
func secretFile(what, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s %s can be read by others: chmod 600 %s", what, path, path)
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	secret := trimLine(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s %s is empty", what, path)
	}
	return secret, nil
}

// IRODSPassword is the password for a new login to iRODS: that in the file, if
// one is named, or in a variable, otherwise what ask returns.
func IRODSPassword(file string, getenv func(string) string, ask func() (string, error)) (string, error) {
	if file != "" {
		return secretFile("password file", file)
	}
	for _, name := range []string{"OMERODS_IRODS_PASSWORD", "IRODS_USER_PASSWORD"} {
		if v := getenv(name); v != "" {
			return v, nil
		}
	}
	return ask()
}

func trimLine(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}
