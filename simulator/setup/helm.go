package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func isHelmValues(root *source.Node) bool { return false }
