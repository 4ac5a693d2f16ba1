package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

var typesMethods = Methods{
	"allEnumerations": allEnumerations,
	"getEnumeration":  getEnumeration,
	"getEnumerationTypes": func(_ context.Context, c *Call) ([]any, error) {
		return []any{c.classNames(func(class *store.Class) bool { return class.Enum })}, nil
	},
	"getAnnotationTypes": func(_ context.Context, c *Call) ([]any, error) {
		annotation := c.Server.store.Model().Class("Annotation")
		return []any{c.classNames(func(class *store.Class) bool { return class.IsA(annotation) && !class.Abstract })}, nil
	},
	"getEnumerationsWithEntries": func(_ context.Context, c *Call) (out []any, err error) {
		err = c.View(func(tx *store.Tx, who *Caller) error {
			d := ice.Dict{}
			for _, class := range tx.Model().Classes() {
				if class.Enum {
					d = append(d, ice.Pair{Key: class.Name, Value: c.Objects(tx, who, slices.Collect(tx.Rows(class))...)})
				}
			}
			out = []any{d}
			return nil
		})
		return out, err
	},
}

func (c *Call) classNames(match func(*store.Class) bool) []string {
	var names []string
	for _, class := range c.Server.store.Model().Classes() {
		if match(class) {
			names = append(names, class.Name)
		}
	}
	return names
}

// enumeration returns the class named by the first argument.
func (c *Call) enumeration() (*store.Class, error) {
	class, err := c.class(Arg[string](c, 0))
	if err == nil && !class.Enum {
		err = Fail(APIUsage, "%s is no enumeration", class.Name)
	}
	return class, err
}

func allEnumerations(_ context.Context, c *Call) ([]any, error) {
	return c.rows(func(tx *store.Tx, _ *Caller) ([]*store.Row, error) {
		class, err := c.enumeration()
		if err != nil {
			return nil, err
		}
		return slices.Collect(tx.Rows(class)), nil
	})
}

func getEnumeration(_ context.Context, c *Call) ([]any, error) {
	return c.row(func(tx *store.Tx, _ *Caller) (*store.Row, error) {
		class, err := c.enumeration()
		if err != nil {
			return nil, err
		}
		id := tx.Enum(class.Name, Arg[string](c, 1))
		if id == store.None {
			return nil, Fail(APIUsage, "%s has no value %q", class.Name, Arg[string](c, 1))
		}
		return tx.Get(class, id), nil
	})
}
