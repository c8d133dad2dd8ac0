package setup

import "github.com/gmsasim/gmsasim/simulator/source"

func isPluginSecret(root *source.Node) bool { return false }

func isCcgVault(root *source.Node) bool { return false }
