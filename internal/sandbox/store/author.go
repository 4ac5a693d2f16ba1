package store

import "fmt"

// Actor is on whose behalf something is written.
type Actor struct {
	User    int64
	Group   int64
	Session int64
	Event   string // event type, "User" when empty
}

// Root is the system itself.
var Root = Actor{User: RootUser, Group: SystemGroup, Event: "Internal"}

// Author writes objects with their details: owner, group, one event for all
// that a transaction writes, and an entry in the event log for each object.
type Author struct {
	tx    *Tx
	actor Actor
	event int64
}

// As returns an author for the transaction.
func (t *Tx) As(a Actor) *Author { return &Author{tx: t, actor: a, event: None} }

// Tx returns the transaction.
func (a *Author) Tx() *Tx { return a.tx }

// Event returns the id of the event, which the first call creates.
func (a *Author) Event() int64 {
	if a.event != None {
		return a.event
	}
	m := a.tx.Model()
	row := NewRow(m.Class("Event"))
	set := func(name string, v any) { row.SetValue(row.Class.Property(name), v) }
	set("time", a.tx.Now())
	set("experimenter", a.actor.User)
	set("experimenterGroup", a.actor.Group)
	set("session", a.actor.Session)
	set("type", a.tx.Enum("EventType", a.eventType()))
	a.event = a.tx.Insert(row).ID
	return a.event
}

func (a *Author) eventType() string {
	if a.actor.Event == "" {
		return "User"
	}
	return a.actor.Event
}

func (a *Author) log(row *Row, action string) {
	c := a.tx.Model().Class("EventLog")
	entry := NewRow(c)
	entry.SetValue(c.Property("entityId"), row.ID)
	entry.SetValue(c.Property("entityType"), row.Class.Java)
	entry.SetValue(c.Property("action"), action)
	entry.SetValue(c.Property("event"), a.Event())
	a.tx.Insert(entry)
}

// Insert adds a new object. Owner and group may have been set; where they are
// None they become the actor's.
func (a *Author) Insert(row *Row) *Row {
	if !row.Class.Global {
		if row.Owner == None {
			row.Owner = a.actor.User
		}
		if row.Group == None {
			row.Group = a.actor.Group
		}
		row.Created = a.Event()
		if !row.Class.Immutable {
			row.Updated = row.Created
		}
	}
	a.tx.Insert(row)
	a.log(row, "INSERT")
	return row
}

// Update stores a changed copy of an object under the next version.
func (a *Author) Update(row *Row) {
	row.Version++
	if !row.Class.Global && !row.Class.Immutable {
		row.Updated = a.Event()
	}
	a.tx.Put(row)
	a.log(row, "UPDATE")
}

// Delete removes an object.
func (a *Author) Delete(row *Row) {
	a.tx.Delete(row)
	a.log(row, "DELETE")
}

// Values are the properties of an object to create: plain Go values, an id,
// row or enumeration value for a to-one association.
type Values map[string]any

// Create makes and inserts an object.
func (a *Author) Create(class string, v Values) (*Row, error) {
	c := a.tx.Model().Class(class)
	if c == nil || c.Abstract {
		return nil, fmt.Errorf("create: no class %s", class)
	}
	row := NewRow(c)
	if err := a.tx.Fill(row, v); err != nil {
		return nil, err
	}
	return a.Insert(row), nil
}

// Enum returns the id of an enumeration value, None when there is none.
func (t *Tx) Enum(class, value string) int64 {
	c := t.s.model.Class(class)
	if c == nil {
		return None
	}
	ids, _ := t.TextIDs(c.Property("value"), value)
	if len(ids) == 0 {
		return None
	}
	return ids[0]
}
