package intake

import "github.com/gmsasim/gmsasim/doctor"

// Neutral is a world with neutral texts, whether or not it is a world that can be.
func Neutral(w *doctor.World) *doctor.World {
	neutral(w)
	return w
}
