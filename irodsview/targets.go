package irodsview

import (
	"context"
	"path"
	"time"

	"omerods/fs/tree"
	"omerods/internal/irods"
)

// Targets tells where the caller may write, and who that is. Its errors are
// of the tree's classes.
func (v *View) Targets(ctx context.Context) (*irods.Client, irods.Targets, error) {
	s, err := v.session(ctx)
	if err != nil {
		return nil, irods.Targets{}, err
	}
	found, err := s.client.Targets(ctx)
	return s.client, found, fail(err)
}

// explainWait bounds how long a refusal waits for its explanation.
const explainWait = 5 * time.Second

// explainMkdir says where a collection could be made instead of one that was
// refused.
func explainMkdir(ctx context.Context, s *session, p string, err error) error {
	told, ok := err.(*tree.Error)
	if !ok || told.Class != tree.ErrDenied {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, explainWait)
	defer cancel()
	where := "nor in any other collection"
	targets, failed := s.client.Targets(ctx)
	if near := targets.Near(path.Dir(p)); len(near) > 0 {
		where = "the nearest collection where you may is " + near[0].Path
		if len(near) > 1 {
			where += " (omerods targets lists all)"
		}
	} else if failed != nil {
		where = "your own collection is " + s.client.Home()
	}
	return told.WithAdvice("You may not make anything in %s; %s.", path.Dir(p), where)
}
