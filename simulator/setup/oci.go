package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func isOCI(root *source.Node) bool { return false }

func (s *Setup) readOCI(d *Document) {}
