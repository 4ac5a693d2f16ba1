package hql

import "omerods/internal/sandbox/store"

// Result is what a query found. The values of a row are nil, bool, int32,
// int64, float64, string, store.Time, []byte, []string, *store.Row for an
// entity, *store.Class for its class, and the types below.
type Result struct {
	Rows [][]any

	// Loaded are the entities that the query selected or fetched.
	Loaded map[*store.Row]bool
	// Fetched are the collections that fetch joins loaded, with the elements
	// that the query left in them.
	Fetched map[Fetch][]*store.Row
}

// Fetch names a collection of an object.
type Fetch struct {
	Owner    *store.Row
	Property *store.Property
}

// MapEntry is an entry of `new map(...)`.
type MapEntry struct {
	Key   string
	Value any
}

// Permissions stands for details.permissions of an object.
type Permissions struct{ Of *store.Row }

// Quantity is a number with its unit.
type Quantity struct {
	Value  float64
	Unit   string // the name in the enumeration: MICROMETER
	Symbol string // µm
}

func quantity(p *store.Property, q store.Quantity) Quantity {
	name := p.Enum.Name(q.Unit)
	return Quantity{q.Value, name, Symbol(name)}
}
