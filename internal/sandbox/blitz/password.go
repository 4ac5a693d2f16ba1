package blitz

// SetPassword gives an existing user a password.
func (s *Server) SetPassword(user int64, password string) error {
	return s.secrets.set(user, password)
}
