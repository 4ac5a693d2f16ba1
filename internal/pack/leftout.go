package pack

// LeftOut is an image that belongs to the pack's object and is not in the pack,
// because its files could not be had. All images of its fileset are left out
// with it.
type LeftOut struct {
	Image   ID // none of the document's
	Name    string
	Fileset ID // none of the document's
	// In are the datasets and well samples that show the image. The well samples
	// stand in their wells, without an image.
	In     []ID
	Reason LeftOutReason
}

// LeftOutReason says why an image is not in a pack.
type LeftOutReason string

// Why images are left out.
const (
	Refused LeftOutReason = "refused" // the server's policy keeps the files from who saved
	Lost    LeftOutReason = "lost"    // the server has no such files any more
)

func (e *encoder) partLeftOut() {
	for i := range e.doc.LeftOut {
		l := &e.doc.LeftOut[i]
		e.x.start("LeftOut")
		e.x.attr("Image", string(l.Image))
		e.x.optional("Name", l.Name)
		e.x.optional("Fileset", string(l.Fileset))
		e.x.optional("In", joinIDs(l.In))
		e.x.optional("Reason", string(l.Reason))
		e.x.end()
	}
}

func readLeftOut(e *element) LeftOut {
	l := LeftOut{Image: e.id("Image"), Name: e.get("Name"), Fileset: e.id("Fileset"), In: e.ids("In"), Reason: LeftOutReason(e.get("Reason"))}
	e.skip()
	return l
}

func (c *checker) leftOut(d *Document) {
	for i := range d.LeftOut {
		l := &d.LeftOut[i]
		c.id(l.Image, KindImage)
		for _, id := range append(append([]ID{}, l.In...), l.Fileset) {
			if id != "" && !validText(id) {
				c.fail(ErrInvalid, "%s is left out of %q", clip(string(l.Image)), clip(string(id)))
			}
		}
	}
}
