package mount

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestFlagsBeatVariablesBeatTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "omerods.yaml")
	text := "omero-server: [a.example, b.example]\nomero-user: fromfile\nspool-limit: 5G\ncommit-wait: 90s\nirods-trash: false\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"OMERODS_OMERO_USER": "fromenv", "OMERODS_OMERO_PASSWORD": "secret", "OMERODS_OMERO_GROUP": "fromenv"}
	c := Default()
	if err := Load(&c, file, func(k string) string { return env[k] }); err != nil {
		t.Fatal(err)
	}
	given := Default()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, &given)
	if err := flags.Parse([]string{"--omero-group", "fromflag", "-f"}); err != nil {
		t.Fatal(err)
	}
	if err := Merge(&c, flags); err != nil {
		t.Fatal(err)
	}
	if strings.Join(c.OMEROServers, " ") != "a.example b.example" || c.OMEROUser != "fromenv" || c.OMEROGroup != "fromflag" ||
		c.OMEROPassword != "secret" || c.SpoolLimit != 5<<30 || c.CommitWait != 90*time.Second || c.IRODSTrash || !c.Foreground {
		t.Errorf("got %+v", c)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"omero-sever: x":          "omero-sever",
		"omero-password: x":       "secret",
		"spool-limit: much":       "spool-limit",
		"commit-wait: soon":       "commit-wait",
		"omero-insecure: perhaps": "omero-insecure",
		"omero-user: [unfinished": "",
	} {
		c := Default()
		err := loadYAML(&c, []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error that names %q", text, err, want)
		}
	}
	c := Default()
	if err := Load(&c, filepath.Join(t.TempDir(), "none.yaml"), func(string) string { return "" }); err == nil {
		t.Error("a file that was named and is missing: got no error")
	}
}

func TestValidateNamesTheSetting(t *testing.T) {
	good := Default()
	good.Mountpoint, good.OMEROServers, good.OMEROUser, good.OMEROPassword = "/m", []string{"h"}, "u", "p"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"mount point":        func(c *Config) { c.Mountpoint = "" },
		"omero-server":       func(c *Config) { c.OMEROServers = nil },
		"omero-user":         func(c *Config) { c.OMEROUser = "" },
		"omero-session-file": func(c *Config) { c.OMEROSessionKey, c.OMEROSessionFile = "k", "f" },
		"omero-insecure":     func(c *Config) { c.OMEROInsecure, c.OMEROKey = true, "aa" },
		"spool-limit":        func(c *Config) { c.SpoolLimit = 0 },
		"commit-wait":        func(c *Config) { c.CommitWait = -1 },
		"request-wait":       func(c *Config) { c.RequestWait = 0 },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "17": 17, "500M": 500 << 20, "2G": 2 << 30, "3GiB": 3 << 30, "1t": 1 << 40} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "G", "-1", "1.5G", "9999999T", "x"} {
		if got, err := parseBytes(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
	for n, want := range map[int64]string{100 << 30: "100G", 1536: "1536", 0: "0"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
