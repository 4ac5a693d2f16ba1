package pack

import "time"

// Document is what a transfer.xml says: objects in the order in which they are
// listed, referring to each other by ID. Times have the precision of a
// millisecond and are UTC after Decode; absent lists are nil after Decode.
type Document struct {
	Origin Origin
	// Packed is the time that the pack gives as that of its making. Encode has
	// no clock: equal documents give equal bytes.
	Packed time.Time

	Users  []User
	Groups []Group

	Projects []Project
	Datasets []Dataset
	Folders  []Folder
	Screens  []Screen
	Plates   []Plate
	// Reagents are those that wells hold though they are of screens that are not
	// in the document.
	Reagents []Reagent
	// Images hold every image of each fileset in Filesets, also those in none
	// of the Datasets: readers of packs count them.
	Images      []Image
	Filesets    []Fileset
	Instruments []Instrument
	Experiments []Experiment
	ROIs        []ROI

	Annotations []Annotation
	// Links say which object has which annotation.
	Links []Link

	// LeftOut are images that the pack should hold and does not.
	LeftOut []LeftOut

	// Warnings are what Decode left out of a pack of others, such as references
	// to nothing, for a log. Encode ignores them.
	Warnings []string
}

// Origin says where the pack comes from and what it is of.
type Origin struct {
	Host     string // of the server, as its users know it
	Database string // the server's database UUID
	Server   string // the server's version

	Object ID     // what the pack is of: a project, dataset, screen, plate or image
	Name   string // its name
	Owner  ID     // its owner, in Users
	Group  ID     // its group, in Groups

	Software string // what wrote the pack
	Version  string // and its version
}

// Details is the provenance of an object. A server sets all of it itself, so a
// load can only record it.
type Details struct {
	Owner       ID        // in Users
	Group       ID        // in Groups
	Created     time.Time // zero: not known
	Updated     time.Time
	Permissions string // six characters, such as "rwr---"
}

// User is a person on the server.
type User struct {
	ID          ID
	Login       string
	FirstName   string
	MiddleName  string
	LastName    string
	Email       string
	Institution string
}

// Group is a group of users on the server.
type Group struct {
	ID          ID
	Name        string
	Description string
	Permissions string // six characters, such as "rwra--"
}

// Project is a list of datasets.
type Project struct {
	ID          ID
	Name        string
	Description string
	Datasets    []ID
	Details     Details
}

// Dataset is a list of images.
type Dataset struct {
	ID          ID
	Name        string
	Description string
	Images      []ID
	Details     Details
}

// User finds a user by id; nil when it is not listed.
func (d *Document) User(id ID) *User {
	for i := range d.Users {
		if d.Users[i].ID == id {
			return &d.Users[i]
		}
	}
	return nil
}

// Group finds a group by id; nil when it is not listed.
func (d *Document) Group(id ID) *Group {
	for i := range d.Groups {
		if d.Groups[i].ID == id {
			return &d.Groups[i]
		}
	}
	return nil
}
