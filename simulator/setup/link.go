package setup

// link gives each use the document that it names, when it is among the set.
func (s *Setup) link() {
	for _, u := range s.Uses {
		if u.Spec != nil {
			continue
		}
		switch u.Source {
		case FromFile:
			u.Spec, u.Missing = s.fileNamed(u.Value)
		case FromObject:
			u.Spec, u.Missing = s.objectNamed(u.Value)
		case FromConfig:
			u.Spec, u.Missing = s.configNamed(u)
		case FromRegistry, FromS3, FromSSM:
			u.Missing = NotHeld
		default:
			u.Missing = NotNamed
		}
	}
}
