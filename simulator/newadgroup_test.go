package simulator

import "testing"

func TestParameter(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"GroupScope", "GroupScope"}, {"groupscope", "GroupScope"}, {"GroupS", "GroupScope"}, {"Sam", "SamAccountName"},
		{"Scope", ""}, {"Group", ""}, {"GroupScopes", ""}, {"Nam", "Name"},
	} {
		if got := parameter(tt.typed, newADGroupParameters); got != tt.want {
			t.Errorf("-%s: got %q, want %q", tt.typed, got, tt.want)
		}
	}
}
