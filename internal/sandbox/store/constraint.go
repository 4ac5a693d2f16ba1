package store

import "fmt"

// Rule is the sort of a constraint.
type Rule string

// The rules that a commit checks.
const (
	RuleRequired Rule = "not-null"
	RuleForeign  Rule = "foreign key"
	RuleUnique   Rule = "unique"
)

// ConstraintError tells which rule a transaction would have broken.
type ConstraintError struct {
	Rule    Rule
	Message string
}

func (e *ConstraintError) Error() string { return string(e.Rule) + ": " + e.Message }

// uniqueTexts lists the text columns without duplicates.
var uniqueTexts = map[string]bool{
	"Experimenter.omeName": true, "ExperimenterGroup.name": true, "Session.uuid": true,
}

// check verifies all that the transaction wrote.
func (t *Tx) check() error {
	return t.changed(func(tab *table, id int64, now *Row) error {
		if now == nil {
			return t.checkGone(tab, id)
		}
		for i, p := range now.Class.stored {
			v := now.Values[i]
			if v == nil {
				if p.Required {
					return &ConstraintError{RuleRequired, fmt.Sprintf("not-null property references a null value: %s.%s", now.Class.Java, p.Name)}
				}
				continue
			}
			if target, ok := v.(int64); ok && p.Kind == KindToOne && t.Get(p.Target, target) == nil {
				return &ConstraintError{RuleForeign, fmt.Sprintf("%s.%s of %d names %s %d, which does not exist", now.Class.Name, p.Name, id, p.Target.Name, target)}
			}
			if text, ok := v.(string); ok && (uniqueTexts[p.String()] || p.Class.Enum && p.Name == "value") && len(tab.texts[p][text]) > 1 {
				return &ConstraintError{RuleUnique, fmt.Sprintf("duplicate %s: %s", p, text)}
			}
		}
		if now.Class.Link {
			return t.checkLink(tab, now)
		}
		if now.Class.Name == "OriginalFile" {
			return t.checkFile(tab, now)
		}
		return nil
	})
}

// checkLink allows one link of an owner between two objects.
func (t *Tx) checkLink(tab *table, row *Row) error {
	parent, child := row.Class.props["parent"], row.Class.props["child"]
	ids := tab.refs[parent][row.Ref("parent")]
	if other := tab.refs[child][row.Ref("child")]; len(other) < len(ids) {
		ids = other
	}
	for _, id := range ids {
		o := tab.rows[id]
		if id != row.ID && o.Class == row.Class && o.Owner == row.Owner && o.Ref("parent") == row.Ref("parent") && o.Ref("child") == row.Ref("child") {
			return &ConstraintError{RuleUnique, fmt.Sprintf("%s of owner %d from %d to %d exists", row.Class.Name, row.Owner, row.Ref("parent"), row.Ref("child"))}
		}
	}
	return nil
}

// checkFile allows one file of a path and name in a repository.
func (t *Tx) checkFile(tab *table, row *Row) error {
	if row.Get("repo") == nil {
		return nil
	}
	for _, id := range tab.texts[row.Class.props["path"]][row.Text("path")] {
		if o := tab.rows[id]; id != row.ID && o.Get("repo") == row.Get("repo") && o.Text("name") == row.Text("name") {
			return &ConstraintError{RuleUnique, fmt.Sprintf("OriginalFile %s%s exists in the repository", row.Text("path"), row.Text("name"))}
		}
	}
	return nil
}

// checkGone refuses to leave references to a removed object.
func (t *Tx) checkGone(tab *table, id int64) error {
	for _, p := range t.s.model.Referring(tab.root) {
		if refs := t.RefIDs(p, id); len(refs) > 0 {
			return &ConstraintError{RuleForeign, fmt.Sprintf("%s %d is still referenced by %s of %d", tab.root.Name, id, p, refs[0])}
		}
	}
	return nil
}

// Referring returns the associations that may name objects of the root class
// or its subclasses.
func (m *Model) Referring(root *Class) []*Property { return m.referring[root.Root] }
