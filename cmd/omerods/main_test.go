package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// output runs a command line and returns what it prints.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	oldOut, oldErr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = outW, errW
	texts := make(chan string, 2)
	go func() { b, _ := io.ReadAll(outR); texts <- string(b) }()
	errTexts := make(chan string, 1)
	go func() { b, _ := io.ReadAll(errR); errTexts <- string(b) }()
	code = run(context.Background(), args)
	os.Stdout, os.Stderr = oldOut, oldErr
	outW.Close()
	errW.Close()
	return <-texts, <-errTexts, code
}

func TestHelpOfEachCommandHasExamples(t *testing.T) {
	out, _, code := output(t, "--help")
	if code != 0 {
		t.Errorf("--help: exit code %d", code)
	}
	for _, c := range commands {
		if !strings.Contains(out, c.name) || !strings.Contains(out, c.short) {
			t.Errorf("--help does not name %s", c.name)
		}
		text, _, code := output(t, c.name, "--help")
		if code != 0 || !strings.Contains(text, "usage: omerods "+c.name) {
			t.Errorf("%s --help: exit code %d, %q", c.name, code, text)
		}
		if c.name != "version" && !strings.Contains(text, "Examples:") {
			t.Errorf("%s --help shows no example", c.name)
		}
	}
}

func TestMistakesExitWith2(t *testing.T) {
	for _, args := range [][]string{nil, {"mont"}, {"mount"}, {"mount", "--no-such-flag", "x"}, {"why"}, {"status", "a", "b"}, {"unmount"}, {"check"}, {"wait"}, {"targets", "a", "b"}, {"init", "x"}} {
		if _, stderr, code := output(t, args...); code != 2 || stderr == "" {
			t.Errorf("omerods %v: exit code %d, %q; want 2 and a message", args, code, stderr)
		}
	}
}

func TestNoFlagTakesASecret(t *testing.T) {
	text, _, _ := output(t, "mount", "--help")
	for _, name := range []string{"--omero-password ", "--omero-session-key", "--irods-password"} {
		if strings.Contains(text, name) {
			t.Errorf("mount has the flag %s", name)
		}
	}
}

func TestMountHelperArguments(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"omerods", "/mnt", "-o", "rw,nosuid,nodev,allow_other,config=/etc/omerods.yaml"},
			[]string{"mount", "--allow-other", "--config=/etc/omerods.yaml", "--", "/mnt"}},
		{[]string{"omerods", "/mnt", "-n"}, []string{"mount", "--", "/mnt"}},
		{[]string{"/mnt"}, []string{"mount", "--", "/mnt"}},
	} {
		if got := mountHelperArgs(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
}

func TestSecretsLeaveTheEnvironment(t *testing.T) {
	rest, secrets := splitSecrets([]string{"HOME=/h", "OMERODS_OMERO_PASSWORD=p=q", "IRODS_USER_PASSWORD=x", "OMERODS_OMERO_USER=ada"})
	if !slices.Equal(rest, []string{"HOME=/h", "OMERODS_OMERO_USER=ada"}) {
		t.Errorf("what stays: got %v", rest)
	}
	if !slices.Equal(secrets, []string{"OMERODS_OMERO_PASSWORD=p=q", "IRODS_USER_PASSWORD=x"}) {
		t.Errorf("what goes: got %v", secrets)
	}
}

func TestCheckSaysWhatScriptsNeed(t *testing.T) {
	dir := t.TempDir()
	pack := filepath.Join(dir, "pack")
	if err := os.Mkdir(pack, 0o755); err != nil {
		t.Fatal(err)
	}
	xml := filepath.Join(pack, "transfer.xml")
	for name, c := range map[string]struct {
		xml  string
		args []string
		code int
		want string
	}{
		"sound":      {`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"/>`, []string{pack}, 0, pack + ": sound"},
		"quiet":      {`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"/>`, []string{"--quiet", pack}, 0, ""},
		"damaged":    {"<OME", []string{"-q", pack}, 1, pack + ": transfer.xml: "},
		"JSON":       {"<OME", []string{"--json", pack}, 1, `"verdict": "not sound"`},
		"no pack":    {"<OME", []string{dir}, 2, "there is no transfer.xml in it"},
		"worst of 2": {"<OME", []string{dir, pack}, 1, ": not sound"},
	} {
		if err := os.WriteFile(xml, []byte(c.xml), 0o644); err != nil {
			t.Fatal(err)
		}
		out, stderr, code := output(t, append([]string{"check"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.want) || c.want == "" && out != "" || stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", name, code, out, stderr)
		}
	}
}
