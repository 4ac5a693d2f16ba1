package pack

import (
	"path"
	"slices"
)

// MostPictures is how many thumbnails a pack holds at most.
const MostPictures = 200

// Picture is the place of an image's thumbnail in a pack.
func Picture(image ID) string { return path.Join(ThumbnailsDir, image.Key()+".jpg") }

// Pictures chooses the images that README.html shows a thumbnail of, at most n,
// in the order of the ids. They are spread over the datasets and plates, and in
// each of these over its images or wells. The choice depends on nothing but
// the document's datasets, plates and images.
func Pictures(d *Document, n int) []ID {
	groups := pictureGroups(d)
	var chosen []ID
	for i, share := range shares(groups, n) {
		chosen = append(chosen, spread(groups[i], share)...)
	}
	slices.SortFunc(chosen, ID.Compare)
	return chosen
}

// pictureGroups lists the images that may be shown, each once: those of each
// dataset, those that stand for the wells of each plate, and the rest.
func pictureGroups(d *Document) [][]ID {
	left := make(map[ID]bool, len(d.Images))
	for i := range d.Images {
		left[d.Images[i].ID] = true
	}
	var groups [][]ID
	add := func(ids []ID) {
		var group []ID
		for _, id := range ids {
			if left[id] {
				left[id] = false
				group = append(group, id)
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	for i := range d.Datasets {
		add(d.Datasets[i].Images)
	}
	for i := range d.Plates {
		add(wellPictures(&d.Plates[i]))
	}
	if len(groups) == 0 {
		var all []ID
		for i := range d.Images {
			all = append(all, d.Images[i].ID)
		}
		add(all)
	}
	return groups
}

// wellPictures lists the first image of each well, row by row.
func wellPictures(p *Plate) []ID {
	wells := make([]*Well, len(p.Wells))
	for i := range p.Wells {
		wells[i] = &p.Wells[i]
	}
	slices.SortStableFunc(wells, compareWells)
	var ids []ID
	for _, w := range wells {
		if id := w.picture(); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// picture is the image that stands for a well, "" when it has none.
func (w *Well) picture() ID {
	for i := range w.Samples {
		if w.Samples[i].Image != "" {
			return w.Samples[i].Image
		}
	}
	return ""
}

// shares divides n among groups as evenly as their sizes allow. When there are
// more groups than that, some of them get one each, evenly spaced.
func shares(groups [][]ID, n int) []int {
	out := make([]int, len(groups))
	if len(groups) > n {
		for i := range n {
			out[i*len(groups)/n] = 1
		}
		return out
	}
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	// The smallest come first and leave to the others what they do not need.
	slices.SortStableFunc(order, func(a, b int) int { return len(groups[a]) - len(groups[b]) })
	for k, i := range order {
		out[i] = min(len(groups[i]), n/(len(groups)-k))
		n -= out[i]
	}
	return out
}

// spread takes n of a list, evenly spaced and with its first.
func spread(ids []ID, n int) []ID {
	out := make([]ID, n)
	for i := range out {
		out[i] = ids[i*len(ids)/n]
	}
	return out
}
