package sample

import (
	"fmt"
	"sync"

	"omerods/internal/sandbox/imaging"
)

// drawings are the files that were drawn before. Drawing is most of the work
// of filling a server, and one process may fill many.
var drawings struct {
	mu  sync.Mutex // guards the field below; held while something is drawn
	set map[string]any
}

// drawn returns what draw makes, which nobody changes, under a name that
// stands for nothing else.
func drawn[T any](name string, draw func() (T, error)) (T, error) {
	drawings.mu.Lock()
	defer drawings.mu.Unlock()
	if d, ok := drawings.set[name]; ok {
		return d.(T), nil
	}
	d, err := draw()
	if err != nil {
		return d, fmt.Errorf("draw %s: %w", name, err)
	}
	if drawings.set == nil {
		drawings.set = make(map[string]any)
	}
	drawings.set[name] = d
	return d, nil
}

// stack is the picture of a tissue, see [tissue.stack].
type stack struct {
	name          string
	seed          uint64
	w, h          int
	radius        float64
	pixels        imaging.PixelType
	sizeZ, sizeC  int
	sizeT         int
	acquiredOnDay int // of the month of the study; 0 is unknown
	description   string
	stageLabel    string
}

func (s stack) picture() imaging.Picture {
	p := newTissue(s.seed, s.w, s.h, s.radius).stack(s.name, s.pixels, s.sizeZ, s.sizeC, s.sizeT)
	p.Description, p.StageLabel = s.description, s.stageLabel
	if s.acquiredOnDay > 0 {
		p.Acquired = day(s.acquiredOnDay)
	}
	return p
}

// omeTIFF is a drawn OME-TIFF of one or more stacks.
func omeTIFF(name string, describe func(string) string, stacks ...stack) ([]byte, error) {
	return drawn(fmt.Sprint(name, stacks), func() ([]byte, error) {
		var all []imaging.Picture
		for _, s := range stacks {
			all = append(all, s.picture())
		}
		return imaging.OMETIFF(name, all, imaging.Options{Deflate: true, Describe: describe})
	})
}

// plainTIFF is a drawn TIFF of one stack.
func plainTIFF(s stack, deflate bool) ([]byte, error) {
	return drawn(fmt.Sprint("tiff", s, deflate), func() ([]byte, error) { return imaging.TIFF(s.picture(), deflate) })
}

// stainedPNG is a colour picture of a tissue.
func stainedPNG(seed uint64, w, h int) ([]byte, error) {
	return drawn(fmt.Sprint("png", seed, w, h), func() ([]byte, error) { return pngBytes(newTissue(seed, w, h, 12).stained()) })
}
