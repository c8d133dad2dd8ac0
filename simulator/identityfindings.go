package simulator

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// identityError: the user of a process is nobody on the network.
type identityError struct {
	p     *Process
	user  windows.User
	image windows.Image
}

func (e *identityError) Error() string { return e.user.Name + " has no account on the network" }

// identityModes are the failure modes by the kind of user.
var identityModes = map[windows.UserKind]string{
	windows.LocalUser: "app-custom-local-user", windows.LocalService: "app-localservice", windows.AppPool: "app-apppool-identity", windows.VirtualService: "app-apppool-identity",
	windows.ContainerAdministrator: "app-containeruser", windows.ContainerUser: "app-containeruser", windows.DomainAccount: "app-additional-gmsa-service",
}

func (e *identityError) finding(_ *Domain, s *stepError) *diag.Finding {
	if f := findOutdated(s); f != nil {
		return f
	}
	const good = `NT AUTHORITY\NETWORK SERVICE`
	f := &diag.Finding{
		Code:    diag.WrongAppUser,
		Mode:    identityModes[e.user.Kind],
		Facts:   []diag.Fact{{Name: "user", Value: e.user.Name}, {Name: "image build", Value: e.image.Build.String()}},
		SeenAs:  []string{seenAnonymous, seenNoPackage},
		Because: "the service account stands in for the computer account of the container, which SYSTEM and NETWORK SERVICE use on the network and other users do not",
	}
	r := e.p.c
	help := diag.Help{Text: "let the application run as NETWORK SERVICE or SYSTEM", Command: `sc.exe config <service> obj= "` + good + `" password= ""`}
	const pool = "appcmd set AppPool DefaultAppPool -processModel.identityType:NetworkService"
	if e.user.Kind == windows.AppPool {
		help.Command = pool
	}
	app := r.App()
	switch {
	case e.p.exec:
		help.Do = []string{flowStep("with", arg{"user", good})}
		help.Command = "docker exec --user " + quoteWord(good) + " " + r.shortID() + " cmd"
	case e.p.user == app.user || !windows.UserSwitchAllowed(r.build(windows.P6), windows.User{Kind: windows.NetworkService}):
		help.Do = []string{flowStep("rerunContainer", arg{"container", r.shortID()}, arg{"service", good})}
	default:
		help.Do = []string{flowStep("rerunContainer", arg{"container", r.shortID()}, arg{"user", good})}
		help.Command = r.dockerRun(func(c *Container) { c.User.Name = good })
	}
	f.Help = []diag.Help{help}
	switch {
	case e.user.Kind == windows.AppPool && r.uncommitted():
		f.Mode = "app-apppool-setting-not-persisted"
		f.Because = "the line changed an object in memory that nobody saved, so that the application pool still runs as itself"
		f.Help[0].Text = "save the setting with appcmd"
		f.Help[0].Do = []string{flowStep("configure", arg{"container", r.shortID()}, arg{"command", pool})}
		f.Help[0].Command = pool
	case e.user.Kind == windows.DomainAccount:
		f.Because = "a container has the passwords of the accounts that its credential spec names, and this one is not among them"
		own, other := r.account(), e.user.Name[strings.LastIndexByte(e.user.Name, '\\')+1:]
		f.Facts = append(f.Facts, diag.Fact{Name: "accounts of the credential spec", Value: strings.Join(append([]string{own}, r.spec.additional()...), ", ")})
		f.Help = append([]diag.Help{{Text: "name the account in the credential spec and run the container again", Command: "New-CredentialSpec -AccountName " + own + " -AdditionalAccounts " + strings.TrimSuffix(other, "$"),
			Do: []string{flowStep("newCredentialSpec", arg{"host", r.h.Name()}, arg{"account", own}, arg{"additional", []string{strings.TrimSuffix(other, "$")}}),
				flowStep("rerunContainer", arg{"container", r.shortID()})}}}, f.Help...)
	}
	r.ofPrompt(e, f)
	return f
}

// toolError: the image does not hold a program.
type toolError struct {
	tool windows.Tool
	r    *Running
}

func (e *toolError) Error() string { return "the image does not hold the program " + string(e.tool) }

func (e *toolError) finding(_ *Domain, _ *stepError) *diag.Finding {
	f := &diag.Finding{
		Code: diag.ToolMissing, Mode: "app-nanoserver-tools-missing",
		Facts:   []diag.Fact{{Name: "program", Value: string(e.tool)}, {Name: "image", Value: e.r.image.String()}},
		SeenAs:  []string{strings.TrimSpace(strings.Split(notRecognized(string(e.tool)), ",")[0])},
		Because: "the Nano Server holds no tools for administrators; an application signs in there as elsewhere",
		Help:    []diag.Help{{Text: "look with a Server Core of the same release, or ask the application itself"}},
	}
	if image, err := windows.BaseImage(windows.ServerCore, e.r.image.Build); err == nil {
		f.Help[0].Command = e.r.dockerRun(func(c *Container) { c.Image = image })
		f.Help[0].Do = []string{flowStep("rerunContainer", arg{"container", e.r.shortID()}, arg{"image", image.String()})}
	}
	return f
}
