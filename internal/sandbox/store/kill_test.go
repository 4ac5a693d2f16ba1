package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"omerods/internal/omero/slice"
)

// TestMain also is the program that TestKilledWriterLosesNothing kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("OMERODS_STORE_WRITER"); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled creates projects and tells the id of each once it is in.
func writeUntilKilled(dir string) error {
	s, err := Open(Config{Dir: dir, Definitions: slice.Definitions()})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		var id int64
		err := s.Write(Root, func(a *Author) error {
			p, err := a.Create("Project", Values{"name": "p"})
			if err != nil {
				return err
			}
			d, err := a.Create("Dataset", Values{"name": "d"})
			if err != nil {
				return err
			}
			id = p.ID
			_, err = a.Create("ProjectDatasetLink", Values{"parent": p, "child": d})
			return err
		})
		if err != nil {
			return err
		}
		fmt.Println(id)
	}
}

func TestKilledWriterLosesNothing(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "OMERODS_STORE_WRITER="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var told []int64
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			break // the last line may be cut
		}
		if told = append(told, id); len(told) == 200 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the writer ended by itself")
	}
	if len(told) < 200 {
		t.Fatalf("the writer told of %d projects only", len(told))
	}

	s := open(t, dir)
	for _, id := range told {
		if s.Get("Project", id) == nil || len(s.Collection("Project", id, "datasetLinks")) != 1 {
			t.Errorf("project %d or its link is lost", id)
		}
	}
	// A transaction is there whole or not at all.
	if p, d, l := s.Count("Project"), s.Count("Dataset"), s.Count("ProjectDatasetLink"); p != d || p != l {
		t.Errorf("got %d projects, %d datasets, %d links", p, d, l)
	}
}
