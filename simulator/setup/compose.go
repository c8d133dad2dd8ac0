package setup

func (s *Setup) readCompose(d *Document) {}
