package simulator

import (
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// ofPrompt completes a finding about a process that is nobody on the network: when it is a prompt of the image's default user, and the
// application of the container is the service account, then nothing is wrong but the place to look.
func (r *Running) ofPrompt(e *identityError, f *diag.Finding) {
	if r == nil || e.user.Kind != windows.DefaultUser(r.image.Flavour).Kind {
		return
	}
	app := r.App()
	if _, err := app.identity(); err != nil || app.user.Name == e.user.Name {
		return
	}
	f.Mode = "rt-exec-default-user"
	f.Facts = append(f.Facts, diag.Fact{Name: "application", Value: app.user.Name + ", which is the service account"})
	f.Because = "a prompt is a session of the image's default user, whatever the application runs as; the application has its tickets in a session of its own"
	help := diag.Help{Text: "look as the user of the application"}
	if windows.UserSwitchAllowed(r.build(windows.P6), app.user) {
		help.Command, help.Do = `docker exec -it --user "`+app.user.Name+`" `+r.shortID()+` cmd`, []string{flowStep("with", arg{"user", app.user.Name})}
	}
	f.Help = []diag.Help{help}
}
