package pack

import (
	"strconv"
	"strings"
)

// ID names an object of a Document: its kind, a colon and a key, such as
// "Image:101". In packs of ours the key is the object's number on the server
// it came from; in packs of others it may be any text without white space, and
// a ROI may have another word before the colon ("lsid:51").
type ID string

// The kinds of objects that a Document knows.
const (
	KindProject    = "Project"
	KindDataset    = "Dataset"
	KindFolder     = "Folder"
	KindScreen     = "Screen"
	KindPlate      = "Plate"
	KindWell       = "Well"
	KindWellSample = "WellSample"
	KindRun        = "PlateAcquisition"
	KindReagent    = "Reagent"
	KindImage      = "Image"
	KindChannel    = "Channel"
	KindFileset    = "Fileset"
	KindFile       = "OriginalFile"
	KindROI        = "ROI"
	KindShape      = "Shape"
	KindAnnotation = "Annotation"
	KindUser       = "Experimenter"
	KindGroup      = "ExperimenterGroup"

	KindInstrument   = "Instrument"
	KindObjective    = "Objective"
	KindDetector     = "Detector"
	KindLightSource  = "LightSource"
	KindFilter       = "Filter"
	KindFilterSet    = "FilterSet"
	KindDichroic     = "Dichroic"
	KindOTF          = "OTF"
	KindLightPath    = "LightPath"
	KindPlane        = "PlaneInfo"
	KindExperiment   = "Experiment"
	KindManipulation = "MicrobeamManipulation"
)

// NewID names the object of that kind and number.
func NewID(kind string, number int64) ID {
	return ID(kind + ":" + strconv.FormatInt(number, 10))
}

// Kind is what stands before the last colon, "" when there is none.
func (id ID) Kind() string {
	i := strings.LastIndexByte(string(id), ':')
	return string(id[:max(i, 0)])
}

// Key is what stands behind the last colon, all when there is none.
func (id ID) Key() string {
	return string(id[strings.LastIndexByte(string(id), ':')+1:])
}

// Number is the key as a number. It reports false for a key that is none or
// does not fit 64 bits with sign.
func (id ID) Number() (int64, bool) {
	n, err := strconv.ParseInt(id.Key(), 10, 64)
	return n, err == nil
}

// Compare orders ids by the number behind the colon, of any length, and those
// without one after all others by their text. It is the order in which readers
// of packs pair the images of one path with those that an import made.
func (id ID) Compare(other ID) int {
	a, aok := magnitude(id.Key())
	b, bok := magnitude(other.Key())
	switch {
	case aok && !bok:
		return -1
	case bok && !aok:
		return 1
	case aok && bok:
		if c := compareMagnitude(a, b); c != 0 {
			return c
		}
	}
	return strings.Compare(string(id), string(other))
}

// magnitude splits a whole number into sign and digits without leading zeros.
func magnitude(key string) (string, bool) {
	sign, digits := "", key
	if strings.HasPrefix(key, "-") {
		sign, digits = "-", key[1:]
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "", true
	}
	return sign + digits, true
}

func compareMagnitude(a, b string) int {
	aneg, bneg := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	switch {
	case aneg && !bneg:
		return -1
	case bneg && !aneg:
		return 1
	case aneg:
		a, b = b[1:], a[1:]
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
