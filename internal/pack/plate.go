package pack

import "time"

// Screen is a list of plates.
type Screen struct {
	ID                    ID
	Name                  string
	Description           string
	Type                  string
	ProtocolIdentifier    string
	ProtocolDescription   string
	ReagentSetIdentifier  string
	ReagentSetDescription string
	Reagents              []Reagent
	Plates                []ID
	Details               Details
}

// Reagent is what a well may hold.
type Reagent struct {
	ID          ID
	Name        string
	Description string
	Identifier  string
	// Screen is the screen of a reagent among the Reagents of a Document, which
	// is not in it; "" of the reagents of a Screen.
	Screen  ID
	Details Details
}

// Plate is a grid of wells.
type Plate struct {
	ID                 ID
	Name               string
	Description        string
	Status             string
	ExternalIdentifier string
	RowNaming          string // "letter" or "number"
	ColumnNaming       string
	Rows, Columns      *int
	OriginX, OriginY   *Quantity // of the wells
	DefaultField       *int
	Wells              []Well
	Runs               []Run
	Details            Details
}

// Run is one pass of imaging over a plate.
type Run struct {
	ID            ID
	Name          string
	Description   string
	Start, End    time.Time // zero: not known
	MaximumFields *int
	Samples       []ID // well samples taken in it
	Details       Details
}

// Well is one place of a plate.
type Well struct {
	ID                  ID
	Row, Column         int // from 0
	Type                string
	Status              string
	ExternalIdentifier  string
	ExternalDescription string
	Color               *int32 // RGBA, red in the top byte
	Reagents            []ID
	Samples             []WellSample // over all runs, in the order of their places
	Details             Details
}

// WellSample is one field of a well.
type WellSample struct {
	ID        ID
	Image     ID
	X, Y      *Quantity
	Timepoint time.Time // zero: not known
}
