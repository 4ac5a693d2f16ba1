// Package hql parses and evaluates the query language of the sandbox's OMERO
// server: the read-only part of Hibernate's HQL, over the object model of
// package store.
//
// A query passes three stages. The parser turns text into a syntax tree
// (syntax.go, parse*.go). The binder resolves aliases, properties and
// parameters against the model, turns dotted paths into joins and checks
// types (bind*.go). The executor runs nested loops over the bound sources and
// takes candidates from the store's indexes wherever a condition names one
// (plan.go, exec*.go). Nothing in it knows a particular query.
//
// Semantics are those of Hibernate on PostgreSQL: a path through a to-one
// association is an inner join, except that its id is read from the foreign
// key; conditions are three-valued; nulls sort last ascending and first
// descending; integer division truncates.
package hql

import "fmt"

// Error is a query that cannot be run: bad syntax, an unknown name, types
// that do not compare, a missing parameter. Its text names the token.
type Error struct {
	Message string
	Query   string
}

func (e *Error) Error() string {
	if e.Query == "" {
		return e.Message
	}
	return e.Message + " [" + e.Query + "]"
}

func errorf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}
