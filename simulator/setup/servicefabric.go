package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func xmlDocuments(f *source.File) []*Document { return nil }

func (s *Setup) readServiceFabric(d *Document) {}
