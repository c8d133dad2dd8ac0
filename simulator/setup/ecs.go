package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func isECS(root *source.Node) bool { return false }

func (s *Setup) readECS(d *Document) {}
