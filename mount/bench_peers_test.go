package mount

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"omerods/internal/sandbox"
)

// peers are programs made by others that do the same work, measured where
// OMERODS_BENCH_PEERS names the folder that holds them: gocmd of gocommands
// and irodsfs. They are no part of omerods and nothing needs them.
type peers struct {
	s              *smallFiles
	gocmd, irodsfs string // their paths, "" without them
	dir            string // of settings
}

func findPeers(s *smallFiles) *peers {
	s.b.Helper()
	p := &peers{s: s, dir: s.b.TempDir()}
	from := os.Getenv("OMERODS_BENCH_PEERS")
	if from == "" {
		return p
	}
	for name, path := range map[string]*string{"gocmd": &p.gocmd, "irodsfs": &p.irodsfs} {
		if at := filepath.Join(from, name); exec.Command(at, "--version").Run() == nil {
			*path = at
		}
	}
	u := s.sandbox.Users()[0]
	settings := map[string]any{
		"irods_host": "127.0.0.1", "irods_port": s.relay.Port(), "irods_zone_name": sandbox.Zone, "irods_user_name": u.Name,
		"irods_user_password": u.Password, "irods_authentication_scheme": "native",
		"irods_client_server_negotiation": "none", "irods_client_server_policy": "CS_NEG_REFUSE",
	}
	p.write("irods_environment.json", settings)
	// JSON is YAML, too.
	mappings := []map[string]any{}
	for _, name := range []string{"/home/" + u.Name, "/home/public"} {
		mappings = append(mappings, map[string]any{"irods_path": "/" + sandbox.Zone + name, "mapping_path": name, "resource_type": "dir"})
	}
	settings["path_mappings"] = mappings
	settings["data_root_path"] = p.dir
	p.write("config.yaml", settings)
	return p
}

func (p *peers) write(name string, settings map[string]any) {
	p.s.b.Helper()
	text, err := json.Marshal(settings)
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, name), text, 0o600)
	}
	if err != nil {
		p.s.b.Fatal(err)
	}
}

// copiers are the ways in which the peers copy a folder.
func (p *peers) copiers(src string) []copier {
	var all []copier
	s := p.s
	if p.gocmd != "" {
		env := filepath.Join(p.dir, "irods_environment.json")
		all = append(all, copier{"gocmd", func(coll string) {
			s.run(p.gocmd, "-c", env, "put", "-q", "-f", "--no_encrypt", "--no_root", src, s.logical(coll))
		}, func(coll, dir string) {
			s.run(p.gocmd, "-c", env, "get", "-q", "-f", "--no_root", s.logical(coll), dir)
		}, nil})
	}
	if p.irodsfs != "" {
		home := filepath.Join("home", s.sandbox.Users()[0].Name)
		all = append(all, copier{"irodsfs", func(coll string) {
			p.mounted(func(dir string) { s.run("cp", "-r", src, filepath.Join(dir, home, coll)) })
		}, func(coll, dir string) {
			p.mounted(func(from string) { s.run("cp", "-r", filepath.Join(from, home, coll), dir) })
		}, nil})
	}
	return all
}

// list lists a collection with irodsfs, in a new mount and again.
func (p *peers) list(coll string, ls func(what, dir string)) {
	if p.irodsfs == "" {
		return
	}
	p.mounted(func(dir string) {
		dir = filepath.Join(dir, strings.TrimPrefix(coll, "/"+sandbox.Zone))
		ls("ls -l by irodsfs", dir)
		ls("ls -l again by irodsfs", dir)
	})
}

// mounted does something with an irodsfs that is mounted for it.
func (p *peers) mounted(do func(dir string)) {
	s := p.s
	s.b.Helper()
	dir := s.b.TempDir()
	cmd := exec.Command(p.irodsfs, "-f", "-c", filepath.Join(p.dir, "config.yaml"), dir)
	log := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		_ = exec.Command("fusermount3", "-uz", dir).Run()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}()
	eventually(s.b, "irodsfs is mounted", func() bool {
		select {
		case err := <-ended:
			ended <- err
			s.b.Fatalf("irodsfs ended: %v\n%s", err, log)
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "home"))
		return err == nil
	})
	s.relay.Take()
	do(dir)
}
