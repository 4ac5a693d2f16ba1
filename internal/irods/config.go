package irods

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Config says who connects where and how. Zero fields get defaults.
type Config struct {
	Host string
	Port int // 1247 if zero

	// User and Zone log in.
	User, Zone string
	// ClientUser and ClientZone are who acts; they are User and Zone unless a
	// service account (a rodsadmin) acts for somebody else.
	ClientUser, ClientZone string

	// Scheme is how to log in: "native" (also ""), "pam" or "pam_password".
	Scheme   string
	Password string
	// PAMToken is the password that an earlier PAM login generated.
	PAMToken string
	// PAMHours is how long the token of a new PAM login shall be valid; 0
	// leaves it to the server.
	PAMHours int

	// Reread reads the password or token again from where it came; nil when it
	// came from no file. A login that is refused tries what it returns, so that
	// a mount goes on after a new iinit.
	Reread func() (string, error)

	// EnvironmentFile and SecretFile are where LoadEnvironment looked.
	EnvironmentFile, SecretFile string
	secretUID                   int // whose number is the key to SecretFile

	// Resource is where new data objects go; "" leaves it to the server.
	Resource string

	TLS TLS
	// AllowPlain permits connections without TLS to other machines.
	AllowPlain bool
	// AllowUnverified permits VerifyNone; without it such a configuration is
	// verified like every other.
	AllowUnverified bool

	// Application is what the server's administrators see.
	Application string

	// MaxConnections bounds the connections of this client; each is a process
	// of the server.
	MaxConnections int
	ConnectTimeout time.Duration
	// Timeout bounds the wait for one answer, SlowTimeout the wait for those
	// calls where the server works through a whole object.
	Timeout, SlowTimeout time.Duration
	// IdleTimeout closes connections that nobody used for so long, Lifetime
	// those that have become that old.
	IdleTimeout, Lifetime time.Duration

	Logger *slog.Logger
}

// TLSPolicy says whether to use TLS.
type TLSPolicy string

// The policies, by their names in iRODS.
const (
	TLSPrefer  TLSPolicy = "CS_NEG_DONT_CARE" // wherever the server agrees
	TLSRequire TLSPolicy = "CS_NEG_REQUIRE"
	TLSNever   TLSPolicy = "CS_NEG_REFUSE"
)

// The ways of verifying the server, by their names in iRODS.
const (
	VerifyHostname = "hostname" // the chain and the name
	VerifyCert     = "cert"     // the chain only
	VerifyNone     = "none"     // nothing; only together with Config.AllowUnverified
)

// TLS are the settings for encrypted connections.
type TLS struct {
	Policy TLSPolicy // TLSPrefer if ""
	Verify string    // VerifyHostname if ""
	// CAFile and CADir hold certificates to trust besides the system's.
	CAFile, CADir string
	// ServerName is the name that the certificate must have, Host if "".
	ServerName string

	// The parameters of encrypted side channels, which both sides must state.
	Algorithm                       string
	KeyBytes, SaltBytes, HashRounds int
}

func orElse[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

func (c Config) withDefaults() Config {
	c.Port = orElse(c.Port, 1247)
	c.ClientUser = orElse(c.ClientUser, c.User)
	c.ClientZone = orElse(c.ClientZone, c.Zone)
	c.Scheme = orElse(strings.ToLower(strings.TrimSpace(c.Scheme)), "native")
	c.Application = orElse(c.Application, "omerods")
	c.MaxConnections = orElse(c.MaxConnections, 8)
	c.ConnectTimeout = orElse(c.ConnectTimeout, 30*time.Second)
	c.Timeout = orElse(c.Timeout, time.Minute)
	c.SlowTimeout = orElse(c.SlowTimeout, time.Hour)
	c.IdleTimeout = orElse(c.IdleTimeout, 5*time.Minute)
	c.Lifetime = orElse(c.Lifetime, time.Hour)
	c.TLS.Policy = orElse(c.TLS.Policy, TLSPrefer)
	c.TLS.Verify = orElse(strings.ToLower(strings.TrimSpace(c.TLS.Verify)), VerifyHostname)
	c.TLS.Algorithm = orElse(c.TLS.Algorithm, "AES-256-CBC")
	c.TLS.KeyBytes = orElse(c.TLS.KeyBytes, 32)
	c.TLS.SaltBytes = orElse(c.TLS.SaltBytes, 8)
	c.TLS.HashRounds = orElse(c.TLS.HashRounds, 16)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

var (
	userName = regexp.MustCompile(`^[\w.@-]{1,63}$`)
	zoneName = regexp.MustCompile(`^[\w.-]{1,63}$`)
)

// Validate names the field that cannot be used.
func (c *Config) Validate() error {
	switch {
	case c.Host == "":
		return errorf(ErrInvalid, "irods_host is not set; omerods init asks for what is missing")
	case c.Port < 0 || c.Port > 65535:
		return errorf(ErrInvalid, "irods_port %d is not a port", c.Port)
	case c.User == "" || c.Zone == "":
		return errorf(ErrInvalid, "irods_user_name and irods_zone_name are not both set; omerods init asks for what is missing")
	case !userName.MatchString(c.User):
		return errorf(ErrInvalid, "irods_user_name %q is not a user name", c.User)
	case !zoneName.MatchString(c.Zone):
		return errorf(ErrInvalid, "irods_zone_name %q is not a zone name", c.Zone)
	case c.ClientUser != "" && !userName.MatchString(c.ClientUser):
		return errorf(ErrInvalid, "irods_client_user_name %q is not a user name", c.ClientUser)
	case c.ClientZone != "" && !zoneName.MatchString(c.ClientZone):
		return errorf(ErrInvalid, "irods_client_zone_name %q is not a zone name", c.ClientZone)
	case len(c.Password) > passwordBytes && !c.pam():
		return errorf(ErrInvalid, "the password is longer than iRODS can hold")
	}
	switch c.Scheme {
	case "", "native", "pam", "pam_password":
	default:
		return errorf(ErrInvalid, "irods_authentication_scheme %q is not supported: %s", c.Scheme, instead(c.Scheme))
	}
	switch c.TLS.Policy {
	case "", TLSPrefer, TLSRequire, TLSNever:
	default:
		return errorf(ErrInvalid, "irods_client_server_policy %q is not known", c.TLS.Policy)
	}
	switch c.TLS.Verify {
	case "", VerifyHostname, VerifyCert, VerifyNone:
	default:
		return errorf(ErrInvalid, "irods_ssl_verify_server %q is not known", c.TLS.Verify)
	}
	return nil
}

// instead says how to log in although the scheme is not supported.
func instead(scheme string) string {
	const ask = "ask the zone's administrators for one of native and pam_password"
	switch scheme {
	case "pam_interactive":
		return "if the zone asks for nothing but the password, set it to pam_password; otherwise " + ask
	case "irods", "openid", "oidc", "gsi", "krb", "kerberos":
		return "such a login needs a program made for it; " + ask
	}
	return "perhaps it is misspelt: use native or pam_password"
}

func (c *Config) pam() bool { return strings.HasPrefix(c.Scheme, "pam") }

// client returns the settings of a connection to host. VerifyNone counts only
// with unverified.
func (t *TLS) client(host string, unverified bool) (*tls.Config, error) {
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: roots, ServerName: orElse(t.ServerName, host), MinVersion: tls.VersionTLS12}
	switch {
	case t.Verify == VerifyNone && unverified:
		config.InsecureSkipVerify = true
	case t.Verify == VerifyCert:
		// The standard check includes the name, so it is replaced by one of
		// the chain alone.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error {
			options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
			for _, cert := range state.PeerCertificates[1:] {
				options.Intermediates.AddCert(cert)
			}
			_, err := state.PeerCertificates[0].Verify(options)
			return err
		}
	}
	return config, nil
}

// roots returns the system's certificates and the configured ones.
func (t *TLS) roots() (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	var files []string
	if t.CAFile != "" {
		files = append(files, t.CAFile)
	}
	if t.CADir != "" {
		entries, err := os.ReadDir(t.CADir)
		if err != nil {
			return nil, errorf(ErrInvalid, "certificates: %w", err)
		}
		for _, e := range entries {
			files = append(files, filepath.Join(t.CADir, e.Name()))
		}
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			if t.CAFile == name {
				return nil, errorf(ErrInvalid, "certificates: %w", err)
			}
			continue
		}
		if !pool.AppendCertsFromPEM(text) && name == t.CAFile {
			return nil, errorf(ErrInvalid, "certificates: %s holds none", name)
		}
	}
	return pool, nil
}
