package mount

import (
	"errors"
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
	OMEROSessionFile  string // holds a session key
	OMEROCAFile       string
	OMEROAnyName      bool // the certificate's host name does not matter
	OMEROKey          string
	OMEROInsecure     bool
	OMEROPlain        bool
	// OMEROHost is how people call the server; the first address if "".
	OMEROHost string
	// SkipRefused leaves images whose files OMERO does not give out of packs.
	SkipRefused bool

	IRODSEnvironment string
	IRODSPassword    string // secret
	IRODSPlain       bool
	IRODSInsecure    bool
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

// hasOMEROSecret says whether there is a password or a session key; without
// one the session of "omero login" is looked for.
func (c Config) hasOMEROSecret() bool {
	return c.OMEROSessionKey != "" || c.OMEROSessionFile != "" || c.OMEROPassword != "" || c.OMEROPasswordFile != ""
}

// Validate names the first setting that cannot be.
func (c Config) Validate() error {
	switch {
	case c.Mountpoint == "":
		return errors.New("no mount point given")
	case len(c.OMEROServers) == 0 && c.hasOMEROSecret():
		return errors.New("omero-server is not set: the host name of the OMERO server")
	case c.OMEROUser == "" && (c.OMEROPassword != "" || c.OMEROPasswordFile != "") && c.OMEROSessionKey == "" && c.OMEROSessionFile == "":
		return errors.New("omero-user is not set: the user to log in as in OMERO")
	case c.OMEROSessionKey != "" && c.OMEROSessionFile != "":
		return errors.New("omero-session-file and OMERODS_OMERO_SESSION_KEY exclude each other")
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
