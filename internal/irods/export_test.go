package irods

// SetPageRows sets how many rows one answer may have, until the returned
// function is called.
func SetPageRows(n int) (restore func()) {
	askRows = n
	return func() { askRows = pageRows }
}
