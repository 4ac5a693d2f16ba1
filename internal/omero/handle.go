package omero

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"omerods/internal/ice"
)

const handleInterface = "::omero::cmd::Handle"

// Progress is how far a request on the server has come.
type Progress struct {
	Step, Steps int
}

// submit sends a command and waits for its end. The command goes on on the
// server when ctx ends first.
func (c *Client) submit(ctx context.Context, req *ice.Object) (*ice.Object, error) {
	for try := 1; ; try++ {
		l, err := c.acquire(ctx)
		if err != nil {
			return nil, err
		}
		res, err := c.on(ctx, l, l.sess.Proxy(), factoryInterface, "submit", req)
		if again(err) && try < linkTries && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		p, ok := res[len(res)-1].(*ice.Proxy)
		if !ok || p == nil {
			return nil, failure(Unsupported, "submit", "the server takes no "+req.Class.ID)
		}
		return c.await(ctx, l, p, nil)
	}
}

// await polls a handle until it has an answer, which is not an ERR.
func (c *Client) await(ctx context.Context, l *link, handle *ice.Proxy, progress func(Progress)) (*ice.Object, error) {
	wait := 20 * time.Millisecond
	for {
		res, err := c.on(ctx, l, handle, handleInterface, "getResponse")
		if err != nil {
			return nil, err
		}
		if answer, ok := res[len(res)-1].(*ice.Object); ok && answer != nil {
			c.closeProxy(ctx, l, handle, handleInterface)
			return answer, commandError(answer)
		}
		if progress != nil {
			if p, err := c.progress(ctx, l, handle); err == nil {
				progress(p)
			}
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
		wait = min(wait*3/2, 2*time.Second)
	}
}

func (c *Client) progress(ctx context.Context, l *link, handle *ice.Proxy) (Progress, error) {
	res, err := c.on(ctx, l, handle, handleInterface, "getStatus")
	o, err := result[*ice.Object]("getStatus", res, err)
	if err != nil {
		return Progress{}, err
	}
	return Progress{Step: int(get[int32](o, "currentStep")), Steps: int(get[int32](o, "steps"))}, nil
}

// commandError says what went wrong when the answer to a command is an ERR.
func commandError(answer *ice.Object) error {
	if !answer.IsA("::omero::cmd::ERR") {
		if answer.IsA("::omero::cmd::OK") {
			return nil
		}
		return failure(Internal, "command", "unexpected answer "+objectID(answer))
	}
	name := get[string](answer, "name")
	text := name
	if m := get[string](answer, "message"); m != "" {
		text += ": " + m
	}
	for _, p := range get[ice.Dict](answer, "parameters") {
		if k, _ := p.Key.(string); k == "message" || k == "Message" {
			if v, _ := p.Value.(string); v != "" {
				text += ": " + v
			}
		}
	}
	class := Internal
	switch lower := strings.ToLower(text); {
	case containsAny(lower, "security", "permission", "permitted", "cannot read", "not allowed"):
		class = Denied
	case answer.IsA("::omero::cmd::GraphException") || strings.Contains(lower, "graph"):
		class = Invalid
	}
	return failure(class, get[string](answer, "category"), firstLine(text))
}

func objectID(o *ice.Object) string {
	if o.Class != nil {
		return o.Class.ID
	}
	if len(o.Unknown) > 0 {
		return o.Unknown[0]
	}
	return "unknown"
}

// closeProxy frees an object on the server. What goes wrong does not matter to
// the caller: the server frees it with the session at the latest.
func (c *Client) closeProxy(ctx context.Context, l *link, p *ice.Proxy, iface string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := c.on(ctx, l, p, iface, "close"); err != nil && !errors.Is(err, NotFound) {
		c.log.Debug("omero: close", "object", iface, "err", err)
	}
}

// DeleteOptions say what a deletion leaves.
type DeleteOptions struct {
	// Keep lists classes that are not deleted with their owner, such as
	// "Image" for the images of a dataset, or "TagAnnotation".
	Keep   []string
	DryRun bool
}

// Delete deletes objects, each with all that belongs to it and to nothing else
// but what the options keep, and returns what was deleted, by class.
func (c *Client) Delete(ctx context.Context, targets map[Kind][]int64, opts DeleteOptions) (map[string][]int64, error) {
	var dict ice.Dict
	for kind, ids := range targets {
		if len(ids) > 0 {
			dict = append(dict, ice.Pair{Key: string(kind), Value: slices.Clone(ids)})
		}
	}
	if len(dict) == 0 {
		return nil, nil
	}
	req := c.defs.New("::omero::cmd::Delete2").Set("targetObjects", dict).Set("dryRun", opts.DryRun)
	if len(opts.Keep) > 0 {
		req.Set("childOptions", []any{c.defs.New("::omero::cmd::graphs::ChildOption").Set("excludeType", slices.Clone(opts.Keep))})
	}
	answer, err := c.submit(queryContext(ctx), req)
	if err != nil {
		return nil, fmt.Errorf("delete: %w", err)
	}
	deleted := make(map[string][]int64)
	for _, p := range get[ice.Dict](answer, "deletedObjects") {
		class, _ := p.Key.(string)
		ids, _ := p.Value.([]int64)
		// The keys are Java names such as ome.model.core.Image.
		deleted[class[strings.LastIndexByte(class, '.')+1:]] = ids
	}
	return deleted, nil
}
