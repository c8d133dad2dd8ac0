package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func hclDocuments(f *source.File) []*Document { return nil }

func (s *Setup) readNomad(d *Document) {}
