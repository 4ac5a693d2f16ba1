package sandbox

import "omerods/internal/sandbox/sample"

// Target is the OMERO server as something to be filled, for tests.
func (s *Sandbox) Target() sample.Target {
	return sample.Target{Store: s.omeroStore, Files: s.files, SetPassword: s.omero.SetPassword}
}
