package irodsview

// Working tells whether a file is open for writing, or is being stored.
func (v *View) Working() bool {
	for _, d := range v.drafts.all() {
		d.mu.Lock()
		waits := d.alias && d.stored
		d.mu.Unlock()
		d.node.mu.Lock()
		open := d.handles > 0
		d.node.mu.Unlock()
		if open || !waits {
			return true
		}
	}
	return false
}

// LockText is what the lock file of an account's mount on this machine says.
func LockText(account string) []byte {
	return []byte(lockText{account, thisHost(), thisBoot()}.String())
}
