package sample

import (
	"context"
	"fmt"

	"omerods/internal/sandbox/store"
)

// person is a user of the study.
type person struct {
	name, first, last string
	leader            bool     // of the laboratory
	groups            []string // the default group first
}

var persons = []person{
	{"ada", "Ada", "Lovelace", false, []string{LabGroup, PrivateGroup}},
	{"grace", "Grace", "Hopper", true, []string{LabGroup, PrivateGroup}},
	{"juergen", "Jürgen", "Groß", false, []string{LabGroup}},
}

// Accounts returns those users of the study that the server has; with a server
// that kept its state, no other call knows them.
func Accounts(t Target) []Account {
	var out []Account
	for _, p := range persons {
		row := t.Store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == p.name })
		if row != nil {
			out = append(out, Account{ID: row.ID, Name: p.name, Password: p.name, Group: p.groups[0]})
		}
	}
	return out
}

// People makes the groups and users alone and returns who can log in.
func People(ctx context.Context, t Target) ([]Account, error) {
	s := new(study)
	if err := s.people(&loader{ctx: ctx, t: t, actor: store.Root}); err != nil {
		return nil, fmt.Errorf("sample users: %w", err)
	}
	return s.accounts, nil
}

// people makes the groups and users.
func (s *study) people(root *loader) error {
	groups := map[string]int64{}
	for _, g := range []struct {
		name string
		perm int64
	}{{LabGroup, permAnnotate}, {PrivateGroup, permPrivate}} {
		err := root.t.Store.Write(root.actor, func(a *store.Author) error {
			row := store.NewRow(a.Tx().Model().Class("ExperimenterGroup"))
			row.Perm = g.perm
			if err := a.Tx().Fill(row, store.Values{"name": g.name, "ldap": false, "description": "group of the sample study"}); err != nil {
				return err
			}
			groups[g.name] = a.Insert(row).ID
			return nil
		})
		if err != nil {
			return err
		}
	}
	loaders := map[string]*loader{}
	for _, p := range persons {
		row, err := root.create("Experimenter", store.Values{
			"omeName": p.name, "firstName": p.first, "lastName": p.last, "ldap": false, "email": p.name + "@example.org",
		})
		if err != nil {
			return err
		}
		for _, g := range append(append([]string(nil), p.groups...), "") {
			group := store.UserGroup // which everybody is in
			if g != "" {
				group = groups[g]
			}
			_, err := root.create("GroupExperimenterMap", store.Values{"parent": group, "child": row, "owner": p.leader && g == LabGroup})
			if err != nil {
				return err
			}
		}
		if root.t.SetPassword != nil {
			if err := root.t.SetPassword(row.ID, p.name); err != nil {
				return err
			}
		}
		loaders[p.name] = root.as(row.ID, groups[LabGroup])
	}
	s.accounts = Accounts(root.t)
	s.ada, s.grace, s.juergen = loaders["ada"], loaders["grace"], loaders["juergen"]
	s.private = root.as(s.ada.actor.User, groups[PrivateGroup])
	return nil
}
