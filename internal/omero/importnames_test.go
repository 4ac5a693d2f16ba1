package omero

import (
	"errors"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero/slice"
)

// Each name under which an import can fail becomes a sentence about the file,
// without the server's stack trace.
func TestNamesOfFailedImports(t *testing.T) {
	answer := func(name, message, trace string) *ice.Object {
		return slice.Definitions().New("::omero::cmd::ERR").Set("category", "::omero::grid::ImportRequest").Set("name", name).
			Set("parameters", ice.Dict{{Key: "message", Value: message}, {Key: "stacktrace", Value: trace}})
	}
	const trace = "java.lang.RuntimeException: own words\n\tat ome.Thing.run(Thing.java:7)"
	for _, tt := range []struct {
		name, message, trace string
		class                Class
		words                string
	}{
		{"error-on-init", "own words", trace, Invalid, "could not open"},
		{"error-on-init", "Unknown file format: x", "loci.formats.UnknownFormatException: Unknown", Invalid, "does not know the format"},
		{"error-on-init", "no libjxr", "loci.formats.MissingLibraryException: no", Unsupported, "lacks a library"},
		{"import-unknown-format", "own words", trace, Invalid, "does not know the format"},
		{"import-file-exception", "own words", trace, Invalid, "could not read"},
		{"import-missing-library", "own words", trace, Unsupported, "administrators"},
		{"import-request-failure", "own words", trace, Internal, "import log"},
		{"import-request-failure", "No space left on device", "java.io.IOException: No space", NoSpace, "disk is full"},
		{"import-request-failure", "own words", "omero.SecurityViolation: x", Denied, "permit"},
		{"import-request-failure", "Java heap space", "java.lang.OutOfMemoryError: Java heap space", Internal, "memory"},
		{"update-log-file-size", "own words", trace, Internal, "disk"},
		{"bad-location", "", "", Internal, "repository"},
		{"null-job", "", "", Internal, "again"},
		{"unexpected-job-type", "", "", Internal, "again"},
		{"something-new", "own words", trace, Internal, "something-new"},
		// The name of a file says nothing of the reason.
		{"error-on-init", "/OMERO/no permission/security.tif is damaged", trace, Invalid, "could not open"},
	} {
		err := importProblem(answer(tt.name, tt.message, tt.trace), []string{"some/where/cells.vsi", "b"})
		text := err.Error()
		if !errors.Is(err, tt.class) || !strings.Contains(text, tt.words) || !strings.Contains(text, `"cells.vsi"`) || !strings.Contains(text, tt.message) {
			t.Errorf("%s, %q: got %v", tt.name, tt.message, err)
		}
		if strings.Contains(text, "Thing.java") || strings.Contains(text, "FILE") {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
	for name := range importProblems {
		if err := importProblem(answer(name, "m", ""), nil); !strings.Contains(err.Error(), "(m)") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
