package setup

import (
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

func isSwarmService(root *source.Node) bool { return false }

func (s *Setup) readSwarmService(d *Document) {}

// configNamed is the credential spec in the config that a use names.
func (s *Setup) configNamed(u *Use) (*credspec.Document, Missing) { return nil, NotSupplied }
