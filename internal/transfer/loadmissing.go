package transfer

import (
	"slices"
	"strings"
)

// waitingFor says what is missing; the mutex is held.
func (l *Load) waitingFor() string {
	if l.doc == nil {
		return "the program that copied has ended and transfer.xml has not come"
	}
	return "the program that copied has ended and " + l.missingNames() + "; copy again to go on, or remove the folder to give up"
}

// missingNames says which files have not come; the mutex is held.
func (l *Load) missingNames() string {
	var names []string
	for p, w := range l.wanted {
		if !w.here {
			names = append(names, p)
		}
	}
	for _, u := range l.units {
		if u.folder != "" && !u.begun {
			names = append(names, u.folder+"…")
		}
	}
	if len(names) == 0 {
		return "nothing that it needs is missing"
	}
	slices.Sort(names)
	return "these are missing: " + clip(strings.Join(names, ", "), 1000)
}
