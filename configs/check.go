package configs

// CheckClient loads the client's configuration with its key, as a start would, and gives the file that was read
// (empty: none, an invite took its place) and warnings.
func CheckClient(p Place, o Options) (file string, warnings []string, err error) {
	c, err := LoadClient(p, o)
	if err != nil {
		return "", nil, err
	}
	_, err = c.Key()
	return c.File, c.Warnings, err
}

// CheckServer loads the server's configuration with its key, as a start would, and gives the file that was read and
// warnings.
func CheckServer(p Place, o Options) (file string, warnings []string, err error) {
	s, err := LoadServer(p, o)
	if err != nil {
		return "", nil, err
	}
	_, err = s.Key()
	return s.File, s.Warnings, err
}
