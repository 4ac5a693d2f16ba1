package omero_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/sandbox"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/internal/turns"
)

// The benchmarks run a sandbox in a process of its own, as a server is one:
// its garbage collection is not the client's. Nothing here fails for being
// slow.

// benchVar, when it is set, makes the test binary a server for the data in
// that folder.
const benchVar = "OMERODS_BENCH_SERVER"

// benchServer is what the process of the server tells the benchmark.
type benchServer struct {
	Address string // of the OMERO server
	Plain   string // of the server that copies the file to whoever connects
	CAFile  string // has the certificate of both
	User    string // whose password is Password
	Pass    string
	File    int64 // id of the original file
	Bytes   int64 // size of the file
	Dataset int64 // id of the dataset with many images
	Rows    int   // number of its images
	PID     int   // of its process
}

const (
	benchFile = "field_00000.tif"
	benchRows = "rows"
)

// startBench runs the server until the end of the benchmark.
func startBench(b *testing.B, fileBytes int64, rows int) *benchServer {
	b.Helper()
	dir := turns.Dir(b, fileBytes+int64(rows)*1024)
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	ask, err := json.Marshal(benchServer{Bytes: fileBytes, Rows: rows})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), benchVar+"="+dir, benchVar+"_DATA="+string(ask))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	// The server ends when its input does, also when this process is killed.
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("server: %v", err)
		}
	})
	s := new(benchServer)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, s)
	}
	if err != nil {
		b.Fatalf("the server says %q: %v", line, err)
	}
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	fmt.Printf("\n%s, %d processors, load %s at the start; client and server share the machine\n", b.Name(), runtime.NumCPU(), first)
	return s
}

// login connects a client over TLS until the end of the benchmark.
func (s *benchServer) login(b *testing.B) *omero.Client {
	b.Helper()
	c, err := omero.Connect(b.Context(), omero.Config{
		Addresses: []string{s.Address}, User: s.User, Password: s.Pass,
		TLS: omero.TLS{Mode: omero.TLSVerify, CAFile: s.CAFile},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	})
	return c
}

// cpu is the processor time that client and server have used so far. Unlike
// the time on the clock it does not depend on what else the machine does.
func (s *benchServer) cpu(b *testing.B) time.Duration {
	b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	var ticks int64
	for _, field := range strings.Fields(after)[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	const tick = 10 * time.Millisecond // what /proc counts in
	return time.Duration(own.Utime.Nano()+own.Stime.Nano()) + time.Duration(ticks)*tick
}

// serveBench is the process of the server. It returns the exit status.
func serveBench(dir string) int {
	if err := benchServe(dir, os.Getenv(benchVar+"_DATA")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func benchServe(dir, data string) (err error) {
	var s benchServer
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		return err
	}
	sb, err := sandbox.Start(context.Background(), sandbox.Config{StateDir: dir, Empty: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	s.PID = os.Getpid()
	u := sb.Users()[0]
	s.Address, s.CAFile, s.User, s.Pass = sb.OMEROAddress(), sb.CAFile(), u.Name, u.Password
	path, err := s.fill(sb, filepath.Join(dir, "omero", "data"), u)
	if err != nil {
		return err
	}
	if s.Bytes > 0 {
		l, err := copyFile(path, s.CAFile)
		if err != nil {
			return err
		}
		defer l.Close()
		s.Plain = l.Addr().String()
	}
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// fill makes the file and the rows, and returns where the file is.
func (s *benchServer) fill(sb *sandbox.Sandbox, data string, u sandbox.User) (path string, err error) {
	files, err := repository.Open(data, sb.Store())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if s.Bytes > 0 {
		one := sample.Bulk{User: u.Name, Group: u.Group, Dataset: "One file", Images: 1, FileBytes: s.Bytes}
		if _, err := one.Fill(context.Background(), sample.Target{Store: sb.Store(), Files: files}); err != nil {
			return "", err
		}
		row := sb.Store().Find("OriginalFile", func(r *store.Row) bool { return r.Text("name") == benchFile })
		s.File = row.ID
		err := filepath.WalkDir(data, func(p string, _ os.DirEntry, err error) error {
			if filepath.Base(p) == benchFile {
				path = p
			}
			return err
		})
		if err != nil || path == "" {
			return "", fmt.Errorf("the file is not below %s: %w", data, err)
		}
	}
	return path, s.fillRows(sb.Store(), u)
}

// fillRows makes a dataset of images that are nothing but rows.
func (s *benchServer) fillRows(st *store.Store, u sandbox.User) error {
	if s.Rows == 0 {
		return nil
	}
	user := st.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == u.Name })
	group := st.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == u.Group })
	return st.Write(store.Actor{User: user.ID, Group: group.ID}, func(a *store.Author) error {
		d, err := a.Create("Dataset", store.Values{"name": benchRows})
		if err != nil {
			return err
		}
		s.Dataset = d.ID
		for i := range s.Rows {
			img, err := a.Create("Image", store.Values{"name": fmt.Sprintf("image %d of the study.tiff", i),
				"acquisitionDate": store.Time(1_700_000_000_000 + int64(i)), "series": 0})
			if err != nil {
				return err
			}
			if _, err := a.Create("DatasetImageLink", store.Values{"parent": d.ID, "child": img.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyFile serves a file over TLS: all that it does is to read and to write.
// It writes as many bytes as the client asks for by an offset and a length of
// eight bytes each.
func copyFile(path, caFile string) (net.Listener, error) {
	cert, err := tls.LoadX509KeyPair(caFile, strings.TrimSuffix(caFile, ".crt")+".key")
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return // the benchmark is over, and the process with it
			}
			go copyPart(nc, path)
		}
	}()
	return l, nil
}
