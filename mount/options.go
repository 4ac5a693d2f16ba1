package mount

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// Option is one setting: a key of omerods.yaml, a variable, and a flag unless
// it is a secret.
type Option struct {
	Name   string
	Help   string // begins with the effect
	Group  string
	Secret bool
	Bool   bool // the flag needs no value
	Set    func(c *Config, value string) error
	Get    func(c *Config) string
}

// Variable is the name of the option's environment variable.
func (o Option) Variable() string {
	return "OMERODS_" + strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_"))
}

func text(name, group, help string, field func(*Config) *string) Option {
	return Option{
		Name: name, Group: group, Help: help,
		Set: func(c *Config, v string) error { *field(c) = v; return nil },
		Get: func(c *Config) string { return *field(c) },
	}
}

func secret(name, group, help string, field func(*Config) *string) Option {
	o := text(name, group, help, field)
	o.Secret = true
	return o
}

func boolean(name, group, help string, field func(*Config) *bool) Option {
	return Option{
		Name: name, Group: group, Help: help, Bool: true,
		Set: func(c *Config, v string) error {
			b, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", v)
			}
			*field(c) = b
			return nil
		},
		Get: func(c *Config) string { return strconv.FormatBool(*field(c)) },
	}
}

const (
	groupOMERO = "OMERO"
	groupIRODS = "iRODS"
	groupMount = "Mount"
)

// Options is the table of all settings.
var Options = []Option{
	{
		Name: "omero-server", Group: groupOMERO,
		Help: "connects to this server: HOST, HOST:PORT or URL (ssl, tcp, wss, ws); several, separated by commas, are tried in turn",
		Set: func(c *Config, v string) error {
			c.OMEROServers = nil
			for s := range strings.SplitSeq(v, ",") {
				if s = strings.TrimSpace(s); s != "" {
					c.OMEROServers = append(c.OMEROServers, s)
				}
			}
			return nil
		},
		Get: func(c *Config) string { return strings.Join(c.OMEROServers, ",") },
	},
	text("omero-user", groupOMERO, "logs in as this user", func(c *Config) *string { return &c.OMEROUser }),
	text("omero-group", groupOMERO, "makes this the session's group; your default group otherwise", func(c *Config) *string { return &c.OMEROGroup }),
	secret("omero-password", groupOMERO, "is the password", func(c *Config) *string { return &c.OMEROPassword }),
	secret("omero-session-key", groupOMERO, "joins this session instead of logging in", func(c *Config) *string { return &c.OMEROSessionKey }),
	text("omero-password-file", groupOMERO, "reads the password from this file, which only you may read", func(c *Config) *string { return &c.OMEROPasswordFile }),
	text("omero-session-file", groupOMERO, "joins the session whose key is in this file, which only you may read", func(c *Config) *string { return &c.OMEROSessionFile }),
	text("omero-ca-file", groupOMERO, "trusts the certificates in this PEM file", func(c *Config) *string { return &c.OMEROCAFile }),
	boolean("omero-any-name", groupOMERO, "lets a trusted certificate be for another host name, as those of 'omero certificates' are", func(c *Config) *bool { return &c.OMEROAnyName }),
	text("omero-key", groupOMERO, "trusts the server with this public key: its SHA-256 in hex", func(c *Config) *string { return &c.OMEROKey }),
	boolean("omero-insecure", groupOMERO, "trusts any certificate; for tests", func(c *Config) *bool { return &c.OMEROInsecure }),
	boolean("omero-plain", groupOMERO, "allows a connection without TLS to another machine", func(c *Config) *bool { return &c.OMEROPlain }),
	text("omero-name", groupOMERO, "is what people call the server, in packs and records", func(c *Config) *string { return &c.OMEROHost }),

	boolean("skip-refused", groupOMERO, "leaves images whose original files the OMERO server refuses or has lost out of folders, so that the rest can be saved; transfer.xml names them", func(c *Config) *bool { return &c.SkipRefused }),

	text("irods-environment", groupIRODS, "reads this irods_environment.json (default: IRODS_ENVIRONMENT_FILE or ~/.irods)", func(c *Config) *string { return &c.IRODSEnvironment }),
	secret("irods-password", groupIRODS, "is the password, instead of that in .irodsA", func(c *Config) *string { return &c.IRODSPassword }),
	boolean("irods-plain", groupIRODS, "allows a connection without TLS to another machine", func(c *Config) *bool { return &c.IRODSPlain }),
	boolean("irods-insecure", groupIRODS, "lets irods_ssl_verify_server: none count, so that any certificate is trusted; for tests", func(c *Config) *bool { return &c.IRODSInsecure }),
	boolean("irods-trash", groupIRODS, "moves what you remove to the trash", func(c *Config) *bool { return &c.IRODSTrash }),

	text("state-dir", groupMount, "keeps journal and spool in this folder", func(c *Config) *string { return &c.StateDir }),
	text("cache-dir", groupMount, "keeps generated files in this folder", func(c *Config) *string { return &c.CacheDir }),
	{
		Name: "spool-limit", Group: groupMount,
		Help: "bounds the disk room for loads, such as 500M or 100G",
		Set: func(c *Config, v string) (err error) {
			c.SpoolLimit, err = parseBytes(v)
			return err
		},
		Get: func(c *Config) string { return formatBytes(c.SpoolLimit) },
	},
	{
		Name: "commit-wait", Group: groupMount,
		Help: "bounds how long the last close of a load waits for OMERO",
		Set: func(c *Config, v string) (err error) {
			c.CommitWait, err = time.ParseDuration(v)
			return err
		},
		Get: func(c *Config) string { return c.CommitWait.String() },
	},
	{
		Name: "request-wait", Group: groupMount,
		Help: "bounds how long a request other than a close waits for a server that does not answer",
		Set: func(c *Config, v string) (err error) {
			c.RequestWait, err = time.ParseDuration(v)
			return err
		},
		Get: func(c *Config) string { return c.RequestWait.String() },
	},
	boolean("allow-other", groupMount, "lets the kernel pass requests of other users; they are refused by name", func(c *Config) *bool { return &c.AllowOther }),
	boolean("foreground", groupMount, "stays in the foreground", func(c *Config) *bool { return &c.Foreground }),
	text("log-file", groupMount, "writes the log to this file (default: omerods.log in state-dir)", func(c *Config) *string { return &c.LogFile }),
	text("log-level", groupMount, "says how much is logged: debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }),
}

// flagValue is an option as pflag sees it.
type flagValue struct {
	option Option
	config *Config
}

func (f flagValue) String() string {
	if f.config == nil || f.option.Get == nil {
		return ""
	}
	return f.option.Get(f.config)
}
func (f flagValue) Set(v string) error { return f.option.Set(f.config, v) }
func (f flagValue) Type() string {
	if f.option.Bool {
		return "bool"
	}
	return "string"
}

// shorthands are the one-letter flags.
var shorthands = map[string]string{"foreground": "f"}

// AddFlags defines a flag for each option that is no secret.
func AddFlags(flags *pflag.FlagSet, c *Config) {
	for _, o := range Options {
		if o.Secret {
			continue
		}
		f := flags.VarPF(flagValue{o, c}, o.Name, shorthands[o.Name], o.Help)
		if o.Bool {
			f.NoOptDefVal = "true"
		}
	}
}

// Load fills c from the file (a missing one is no error unless it was named),
// then from the environment. Flags are parsed into a Config of their own and
// win; see Merge.
func Load(c *Config, file string, getenv func(string) string) error {
	named := file != ""
	if !named {
		file = DefaultFile(getenv)
	}
	b, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := loadYAML(c, b); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	case named || !os.IsNotExist(err):
		return fmt.Errorf("settings: %w", err)
	}
	for _, o := range Options {
		if v := getenv(o.Variable()); v != "" {
			if err := o.Set(c, v); err != nil {
				return fmt.Errorf("%s: %w", o.Variable(), err)
			}
		}
	}
	return nil
}

func loadYAML(c *Config, b []byte) error {
	var keys map[string]any
	if err := yaml.Unmarshal(b, &keys); err != nil {
		return err
	}
	for _, o := range Options {
		v, ok := keys[o.Name]
		if !ok {
			continue
		}
		delete(keys, o.Name)
		if o.Secret {
			return fmt.Errorf("%s is a secret: put it into a file of its own and name that", o.Name)
		}
		if list, ok := v.([]any); ok {
			var parts []string
			for _, p := range list {
				parts = append(parts, fmt.Sprint(p))
			}
			v = strings.Join(parts, ",")
		}
		if err := o.Set(c, fmt.Sprint(v)); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	for k := range keys {
		return fmt.Errorf("there is no setting %q", k)
	}
	return nil
}

// Merge sets in c what was given by flags.
func Merge(c *Config, flags *pflag.FlagSet) error {
	var err error
	flags.Visit(func(f *pflag.Flag) {
		i := slices.IndexFunc(Options, func(o Option) bool { return o.Name == f.Name })
		if i < 0 || err != nil {
			return
		}
		if e := Options[i].Set(c, f.Value.String()); e != nil {
			err = fmt.Errorf("--%s: %w", f.Name, e)
		}
	})
	return err
}

// DefaultFile is where settings are looked for when no file is named.
func DefaultFile(getenv func(string) string) string {
	if f := getenv("OMERODS_CONFIG"); f != "" {
		return f
	}
	dir := getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = getenv("HOME") + "/.config"
	}
	return dir + "/omerods/omerods.yaml"
}

var byteUnits = []struct {
	suffix string
	size   int64
}{{"T", 1 << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}}

func parseBytes(s string) (int64, error) {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(strings.ToUpper(strings.TrimSuffix(strings.TrimSuffix(s, "B"), "i")), u.suffix)
		if !ok || (u.suffix == "" && digits == "") {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.size {
			return 0, fmt.Errorf("%q is no number of bytes", s)
		}
		return n * u.size, nil
	}
	return 0, fmt.Errorf("%q is no number of bytes", s)
}

func formatBytes(n int64) string {
	for _, u := range byteUnits {
		if n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.suffix
		}
	}
	return "0"
}
