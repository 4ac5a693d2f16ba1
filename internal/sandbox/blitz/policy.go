package blitz

import (
	"strings"

	"omerods/internal/sandbox/store"
)

// The policy of binary access decides who may have the bytes of what they can
// see. It is a list of words; one with a minus forbids, one with a plus
// permits, and what neither names is forbidden. A group's config adds words.
// Without "read" only those who may edit get any bytes, without "write"
// nobody; "image" is about the originals of images, "plate" about those of
// images in wells, text files excepted.

const (
	policySetting     = "omero.policy.binary_access"
	restrictionBinary = "RESTRICT-BINARY-ACCESS"
)

// MayReadFile tells whether the caller may read the bytes of a file that it
// can see.
func (s *Server) MayReadFile(tx *store.Tx, who *Caller, file *store.Row) bool {
	return who.CanRead(tx, file) && !s.restricted(tx, who, file)
}

// policyForbids tells whether the policy withholds what a word stands for in
// the group of an object.
func (s *Server) policyForbids(tx *store.Tx, r *store.Row) func(word string) bool {
	words := make(map[string]bool)
	add := func(list string) {
		for w := range strings.SplitSeq(list, ",") {
			words[strings.TrimSpace(w)] = true
		}
	}
	add(s.cfg.BinaryAccess)
	if g := tx.Get(tx.Model().Class("ExperimenterGroup"), r.Group); g != nil {
		config, _ := g.Get("config").([]store.NamedValue)
		for _, nv := range config {
			if nv.Name == policySetting {
				add(nv.Value)
			}
		}
	}
	return func(word string) bool { return words["-"+word] || !words["+"+word] }
}

// restricted tells whether the policy withholds the bytes of an object from
// the caller.
func (s *Server) restricted(tx *store.Tx, who *Caller, r *store.Row) bool {
	switch r.Class.Name {
	case "OriginalFile", "Image", "Plate", "PlateAcquisition", "Well", "WellSample":
	default:
		return false
	}
	forbids := s.policyForbids(tx, r)
	switch {
	case forbids("write"), forbids("read") && !who.Rights(tx, r).Edit:
		return true
	case r.Class.Name == "OriginalFile" && strings.HasSuffix(r.Text("name"), ".txt"):
		return false
	}
	image, plate := isOriginal(tx, r)
	return image && forbids("image") || plate && forbids("plate")
}

// isOriginal tells whether an object belongs to images, and to images in
// wells.
func isOriginal(tx *store.Tx, r *store.Row) (image, plate bool) {
	m := tx.Model()
	inWell := func(image int64) bool { return len(tx.RefIDs(m.Class("WellSample").Property("image"), image)) > 0 }
	switch r.Class.Name {
	case "Image":
		return true, inWell(r.ID)
	case "OriginalFile":
		for _, entry := range tx.Collection(m.Class("OriginalFile").Property("filesetEntries"), r.ID) {
			for _, im := range tx.Collection(m.Class("Fileset").Property("images"), entry.Ref("fileset")) {
				image, plate = true, plate || inWell(im.ID)
			}
		}
		return image, plate
	}
	return true, true
}

// extended are the extended restrictions in the permissions of an object.
func (s *Server) extended(tx *store.Tx, who *Caller, r *store.Row) []string {
	if s.restricted(tx, who, r) {
		return []string{restrictionBinary}
	}
	return nil
}
