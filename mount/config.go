package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Config holds everything a mount can be told. Its fields are filled from the
// table of options; secrets have no flag and come from variables or files.
type Config struct {
	Mountpoint string

	// OMEROServers are tried in order: host, host:port or a URL.
	OMEROServers      []string
	OMEROUser         string
	OMEROGroup        string
	OMEROPassword     string // secret
	OMEROSessionKey   string // secret
	OMEROPasswordFile string
	OMEROCAFile       string
	OMEROAnyName      bool // the certificate's host name does not matter
	OMEROKey          string
	OMEROInsecure     bool
	OMEROPlain        bool
	// OMEROHost is how people call the server; the first address if "".
	OMEROHost string

	IRODSEnvironment string
	IRODSPassword    string // secret
	IRODSPlain       bool
	IRODSTrash       bool

	StateDir    string
	CacheDir    string
	SpoolLimit  int64 // bytes
	CommitWait  time.Duration
	RequestWait time.Duration
	AllowOther  bool
	Foreground  bool
	LogFile     string
	LogLevel    string
	MountSource string // what mount(8) shows
}

// Default returns the settings of a mount that was told nothing.
func Default() Config {
	return Config{
		StateDir:   filepath.Join(base("XDG_STATE_HOME", ".local/state"), "omerods"),
		CacheDir:   filepath.Join(base("XDG_CACHE_HOME", ".cache"), "omerods"),
		SpoolLimit: 100 << 30,
		CommitWait: 30 * time.Minute,
		IRODSTrash: true,
		LogLevel:   "info",
		// Building the largest transfer.xml takes less.
		RequestWait: 2 * time.Minute,
	}
}

func base(variable, below string) string {
	if d := os.Getenv(variable); filepath.IsAbs(d) {
		return d
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir() // its sub-folders are made with mode 0700
	}
	return filepath.Join(home, below)
}

// Validate names the first setting that cannot be.
func (c Config) Validate() error {
	switch {
	case c.Mountpoint == "":
		return errors.New("no mount point given")
	case len(c.OMEROServers) == 0:
		return errors.New("omero-server is not set: the host name of the OMERO server")
	case c.OMEROSessionKey == "" && c.OMEROUser == "":
		return errors.New("omero-user is not set: the user to log in as in OMERO")
	case c.OMEROSessionKey == "" && c.OMEROPassword == "" && c.OMEROPasswordFile == "":
		return errors.New("no OMERO password: set OMERODS_OMERO_PASSWORD, omero-password-file or OMERODS_OMERO_SESSION_KEY")
	case c.OMEROInsecure && (c.OMEROCAFile != "" || c.OMEROKey != ""):
		return errors.New("omero-insecure goes with neither omero-ca-file nor omero-key")
	case c.SpoolLimit <= 0:
		return errors.New("spool-limit must be positive")
	case c.CommitWait <= 0:
		return errors.New("commit-wait must be positive")
	case c.RequestWait <= 0:
		return errors.New("request-wait must be positive")
	}
	return nil
}

// secretFile reads a password from a file that only its owner may read.
func secretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("password file %s can be read by others: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	return trimLine(string(text)), nil
}

func trimLine(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}
