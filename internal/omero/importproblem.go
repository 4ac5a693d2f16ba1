package omero

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"omerods/internal/ice"
)

// ImportSteps are what an import does once the files are there, in the order
// of [Progress].Step; at their number it is done.
var ImportSteps = []string{"reading the metadata", "looking at the pixels", "making thumbnails", "processing", "collecting the images"}

// importProblems are the names of the ERR with which an import ends
// (ManagedImportRequestI of omero-blitz), in words for a person who wants to
// know what to do. FILE stands for the main file.
var importProblems = map[string]struct {
	class Class
	text  string
}{
	"error-on-init": {Invalid, "the server could not open FILE: it is damaged or cut off, or a file that belongs to it is missing " +
		"or not in the folder where its reader looks for it"},
	"import-unknown-format":  {Invalid, "the server does not know the format of FILE"},
	"import-file-exception":  {Invalid, "the server could not read FILE to its end: it is damaged or cut off, or a file that belongs to it is missing"},
	"import-missing-library": {Unsupported, "the server lacks a library for the format of FILE; its administrators have to install it"},
	"import-request-failure": {Internal, "the server opened FILE and then failed to make images of it; the import log on the server says why"},
	"update-log-file-size":   {Internal, "the server could not write the log of the import of FILE; is its disk full?"},
	"bad-location":           {Internal, "the server does not find FILE after the upload; the paths of its repository are set wrongly"},
	"null-job":               {Internal, "the server has lost the record of the import of FILE; import it again"},
	"unexpected-job-type":    {Internal, "the server has mixed up the record of the import of FILE; import it again"},
	"bad-step":               {Internal, "the server and this program disagree about the steps of an import"},
}

// importCauses are Java classes in the server's stack trace that say more than
// the name of the ERR, which for most problems of formats is error-on-init.
var importCauses = []struct{ class, name string }{
	{"UnknownFormatException", "import-unknown-format"},
	{"UnsupportedCompressionException", "import-unknown-format"},
	{"MissingLibraryException", "import-missing-library"},
}

// importProblem turns the ERR of an import of files into an error that says
// what to do.
func importProblem(answer *ice.Object, files []string) error {
	name := get[string](answer, "name")
	details := make(map[string]string)
	for _, p := range get[ice.Dict](answer, "parameters") {
		k, _ := p.Key.(string)
		details[k], _ = p.Value.(string)
	}
	trace := details["stacktrace"]
	if name == "error-on-init" {
		for _, c := range importCauses {
			if strings.Contains(trace, c.class) {
				name = c.name
			}
		}
	}
	p, known := importProblems[name]
	if !known {
		p.class, p.text = Internal, "the import of FILE failed on the server ("+name+")"
	}
	// Only the classes of exceptions tell these: a message may hold any file's name.
	switch message := strings.ToLower(details["message"]); {
	case containsAny(trace, "SecurityViolation"):
		p.class, p.text = Denied, "the server did not permit to make or link what is in FILE"
	case containsAny(message, "no space left", "disk full"):
		p.class, p.text = NoSpace, "the server's disk is full; FILE was not imported"
	case containsAny(trace, "OutOfMemoryError"):
		p.text = "the server ran out of memory while it read FILE"
	}
	main := "the file"
	if len(files) > 0 {
		main = fmt.Sprintf("%q", path.Base(files[0]))
	}
	text := strings.ReplaceAll(p.text, "FILE", main)
	if own := firstLine(details["message"]); own != "" {
		text += " (" + own + ")"
	}
	return failure(p.class, "import", text)
}

// DamagedError says which files of an import did not arrive as they were sent.
// They may be brought again with [Import.Upload] and the import finished then.
type DamagedError struct {
	Entries []int // places in the list of client paths
	Files   []string
}

func (e *DamagedError) Error() string {
	return "arrived damaged: " + strings.Join(e.Files, ", ")
}

// damaged turns the server's refusal of checksums into a DamagedError.
func damaged(err error, files []string) error {
	user := asUser(err)
	if user == nil || !user.IsA("::omero::ChecksumValidationException") {
		return err
	}
	d := new(DamagedError)
	failing, _ := user.Get("failingChecksums").(ice.Dict)
	for _, p := range failing {
		if n, ok := p.Key.(int32); ok && int(n) < len(files) && n >= 0 {
			d.Entries = append(d.Entries, int(n))
		}
	}
	sort.Ints(d.Entries)
	for _, n := range d.Entries {
		d.Files = append(d.Files, fmt.Sprintf("%q", files[n]))
	}
	return &Error{Class: Checksum, Op: "upload", Message: d.Error(), Err: d}
}
