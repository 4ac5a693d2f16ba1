package omero

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"omerods/internal/ice"
)

// The store of sessions is that of omero-py (omero.util.sessions and the
// sessions plugin of its command line): DIR/HOST/USER/KEY holds lines of the
// form key=value; HOST is escaped as in a URL, and itself a URL when the login
// was by WebSocket. The session in use is named by
// DIR/._LASTHOST_, DIR/HOST/._LASTUSER_ and DIR/HOST/USER/._LASTSESS_.
const (
	lastHostFile = "._LASTHOST_"
	lastUserFile = "._LASTUSER_"
	lastSessFile = "._LASTSESS_"
)

// StoredSession is a session that "omero login" made and left for the user's
// other programs.
type StoredSession struct {
	Key     string
	User    string
	Address string // as Config.Addresses takes it
	File    string // where it was found
}

// ErrNoSession is in the error of FindSession when nobody is logged in.
var ErrNoSession = errors.New("no session of omero login")

// SessionDir is the folder in which omero-py keeps its sessions, by the
// variables that it honours.
func SessionDir(getenv func(string) string) (string, error) {
	if d := getenv("OMERO_SESSIONDIR"); d != "" {
		return d, nil
	}
	if d := getenv("OMERO_SESSION_DIR"); d != "" { // deprecated there, and still read
		return filepath.Join(d, "omero", "sessions"), nil
	}
	if d := getenv("OMERO_USERDIR"); d != "" {
		return filepath.Join(d, "sessions"), nil
	}
	home := getenv("HOME")
	if home == "" {
		return "", errors.New("sessions of omero login: HOME is not set")
	}
	return filepath.Join(home, "omero", "sessions"), nil
}

// FindSession returns the session that the command line of omero-py would use:
// the last one, or, with a user or addresses, the last one of that user on the
// first of these servers that has one. Who can read the key can be the user:
// as ssh does, it refuses a store that others may read or have written.
func FindSession(dir, user string, addresses []string) (StoredSession, error) {
	s := sessionStore{dir: dir}
	hosts, err := s.hosts(addresses)
	if err != nil {
		return StoredSession{}, err
	}
	for _, host := range hosts {
		found, err := s.last(host, user)
		if err == nil || !errors.Is(err, ErrNoSession) {
			return found, err
		}
	}
	what := "in " + dir
	if len(addresses) > 0 {
		what = "for " + strings.Join(addresses, " or ") + " " + what
	}
	if user != "" {
		what = "of user " + strconv.Quote(user) + " " + what
	}
	return StoredSession{}, fmt.Errorf("%w %s", ErrNoSession, what)
}

type sessionStore struct{ dir string }

// storedHost is one server of the store.
type storedHost struct {
	host    string // as omero login was given it
	address string // where to connect instead, "" for what the session says
	wanted  *ice.Address
}

// hosts lists the servers to look at, in order.
func (s sessionStore) hosts(addresses []string) ([]storedHost, error) {
	if len(addresses) == 0 {
		last, err := s.name(filepath.Join(s.dir, lastHostFile))
		if err != nil {
			return nil, ignoreMissing(err)
		}
		return []storedHost{{host: last}}, nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, ignoreMissing(fmt.Errorf("sessions of omero login: %w", err))
	}
	var out []storedHost
	for _, text := range addresses {
		want, err := parseAddress(text)
		if err != nil {
			return nil, &Error{Class: Invalid, Op: "session", Err: err}
		}
		for _, e := range entries {
			host, err := url.PathUnescape(e.Name())
			if err != nil || !e.IsDir() || !strings.EqualFold(hostOf(host), want.Host) {
				continue
			}
			h := storedHost{host: host}
			if hasPort(text) { // else the transport and port of the login will do
				h.address, h.wanted = text, &want
			}
			out = append(out, h)
		}
	}
	return out, nil
}

// last is the session that was last used on a host.
func (s sessionStore) last(h storedHost, user string) (StoredSession, error) {
	dir := filepath.Join(s.dir, strings.ReplaceAll(url.QueryEscape(h.host), "+", "%20"))
	if user == "" {
		var err error
		if user, err = s.name(filepath.Join(dir, lastUserFile)); err != nil {
			return StoredSession{}, noSession(err)
		}
	}
	if !isName(user) {
		return StoredSession{}, ErrNoSession
	}
	key, err := s.name(filepath.Join(dir, user, lastSessFile))
	if err != nil {
		return StoredSession{}, noSession(err)
	}
	file := filepath.Join(dir, user, key)
	if err := s.private(file); err != nil {
		return StoredSession{}, noSession(err)
	}
	props, err := properties(file)
	if err != nil {
		return StoredSession{}, noSession(err)
	}
	found := StoredSession{Key: key, User: user, File: file}
	if found.Address, err = storedAddress(h.host, props["omero.port"]); err != nil {
		return StoredSession{}, fmt.Errorf("%s: %w", file, err)
	}
	if h.wanted != nil {
		a, err := parseAddress(found.Address)
		if err != nil || a.Port != h.wanted.Port || a.Scheme != h.wanted.Scheme {
			return StoredSession{}, ErrNoSession // of another server on that machine
		}
		found.Address = h.address
	}
	return found, nil
}

// storedAddress is the address of a host that omero login was given, with the
// port that it noted beside it.
func storedAddress(host, port string) (string, error) {
	text := host
	if port != "" && !hasPort(strings.TrimRight(afterScheme(host), "/")) {
		scheme, rest, isURL := strings.Cut(host, "://")
		if !isURL {
			scheme, rest = "ssl", host
		}
		name, path, _ := strings.Cut(rest, "/")
		text = scheme + "://" + net.JoinHostPort(strings.Trim(name, "[]"), port)
		if path != "" {
			text += "/" + path
		}
	}
	_, err := parseAddress(text)
	return text, err
}

func afterScheme(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		return rest
	}
	return s
}

// hostOf is the name of the machine in an address.
func hostOf(s string) string {
	if a, err := parseAddress(s); err == nil {
		return a.Host
	}
	return s
}

// hasPort says whether an address names a scheme or a port.
func hasPort(s string) bool {
	if strings.Contains(s, "://") {
		return true
	}
	_, _, err := net.SplitHostPort(s)
	return err == nil
}

// name reads a file that holds one name, which is used as part of a path.
func (s sessionStore) name(file string) (string, error) {
	if err := s.private(file); err != nil {
		return "", err
	}
	text, err := readSmall(file)
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(text)
	// A host is escaped before it is used.
	if filepath.Base(file) != lastHostFile && !isName(name) || name == "" {
		return "", fs.ErrNotExist
	}
	return name, nil
}

func isName(s string) bool {
	return s != "" && !strings.HasPrefix(s, ".") && !strings.ContainsAny(s, "/\x00")
}

// private refuses a file of the store that somebody else may read or has
// written. omero-py makes its files readable and closes the folder of the
// store instead; either will do.
func (s sessionStore) private(file string) error {
	store, err := os.Stat(s.dir)
	if err != nil {
		return fmt.Errorf("sessions of omero login: %w", err)
	}
	f, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("session of omero login: %w", err)
	}
	for path, info := range map[string]os.FileInfo{s.dir: store, file: f} {
		st, ok := info.Sys().(*syscall.Stat_t)
		if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
			return failure(Invalid, "session of omero login", fmt.Sprintf("%s belongs to another user (%d)", path, st.Uid))
		}
	}
	if store.Mode().Perm()&0o077 != 0 && f.Mode().Perm()&0o077 != 0 {
		return failure(Invalid, "session of omero login", fmt.Sprintf("%s can be read by others: chmod 700 %s", file, s.dir))
	}
	return nil
}

// properties reads the lines of a session's file.
func properties(file string) (map[string]string, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	props := make(map[string]string)
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		props[k] = v
	}
	return props, nil
}

// readSmall reads a file that has at most a few lines.
func readSmall(file string) (string, error) {
	const most = 64 << 10
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return "", failure(Invalid, "session of omero login", file+" is no file of a session")
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

func noSession(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoSession
	}
	return err
}

// ignoreMissing takes a store that is not there as one without sessions.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
