package omero

// Screen adds a new screen with all that is known of it.
func (b *Batch) Screen(s Screen) Ref {
	r := b.Container(KindScreen, s.Name, s.Description)
	if r.obj == nil {
		return r
	}
	for field, v := range map[string]string{
		"type": s.Type, "protocolIdentifier": s.ProtocolIdentifier, "protocolDescription": s.ProtocolDescription,
		"reagentSetIdentifier": s.ReagentSetIdentifier, "reagentSetDescription": s.ReagentSetDescription,
	} {
		r.obj.Set(field, b.c.optional(v))
	}
	return r
}

// Reagent adds a new reagent to a screen. [Batch.Link] puts it into wells.
func (b *Batch) Reagent(screen Ref, r Reagent) Ref {
	if screen.kind != string(KindScreen) {
		return b.add(string(KindReagent), nil, failure(Invalid, "create", "a "+screen.kind+" has no reagents"))
	}
	if b.err != nil {
		return Ref{kind: string(KindReagent)}
	}
	return b.add(string(KindReagent), b.c.fresh(string(KindReagent)).Set("screen", b.c.object(screen)).Set("name", b.c.optional(r.Name)).
		Set("reagentIdentifier", b.c.optional(r.Identifier)).Set("description", b.c.optional(r.Description)), nil)
}
