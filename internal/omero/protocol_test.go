package omero_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"omerods/internal/sandbox/blitz"
	"omerods/peers/protocol"
)

// called are the operations that the client has called in the tests so far.
var called protocol.Calls

// noted notes each request before fault decides about it.
func noted(fault blitz.FaultFunc) blitz.FaultFunc {
	return func(op string, n int64) blitz.Fault {
		called.Note(op)
		if fault == nil {
			return blitz.FaultNone
		}
		return fault(op, n)
	}
}

var vectorOperation = regexp.MustCompile(`"operation": *"(\w+)"`)

// documented holds the table of operations to what the client calls, and to
// the vectors, which name operations without their interface.
func documented() error {
	const page = "../../docs/protocol.md"
	table, err := protocol.Read(page)
	if err != nil {
		return err
	}
	files, err := filepath.Glob("../ice/testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("there are no vectors"))
	}
	recorded := make(map[string]bool)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		for _, m := range vectorOperation.FindAllSubmatch(text, -1) {
			recorded[string(m[1])] = true
		}
	}
	err = errors.Join(table.Rows(called.All()), table.Column(protocol.Vectors, func(op string) bool {
		return recorded[filepath.Ext(op)[1:]]
	}))
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return nil
}
