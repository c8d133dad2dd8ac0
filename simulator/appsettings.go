package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// settings are what commands in a container have made of the user of its service.
type settings struct {
	service     windows.User // the zero value: as the container was started
	uncommitted bool         // a change was made to an object in memory and not saved
}

// appUser is the user of the service or application pool as it is now.
func (r *Running) appUser() windows.User {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settings.service.Kind != windows.ImageDefault {
		return r.settings.service
	}
	return r.cfg.Service
}

func (r *Running) uncommitted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settings.uncommitted
}

// settingError: a command did not change the user of the application.
type settingError struct {
	command, text, why, right string
	r                         *Running
}

func (e *settingError) Error() string { return e.why }

func (e *settingError) finding(_ *Domain, _ *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.SettingRefused, Mode: "app-sc-config-typo",
		Facts:   []diag.Fact{{Name: "command", Value: e.command}, {Name: "user", Value: e.r.App().User()}},
		SeenAs:  []string{strings.SplitN(e.text, "\n", 2)[0]},
		Because: e.why,
		Help:    []diag.Help{{Text: "write it as sc.exe reads it", Command: e.right, Do: []string{flowStep("with", arg{"command", e.right})}}},
	}
}

// Configure runs a command in the container that sets the user of its service: sc.exe config NAME obj= "USER" password= "", appcmd set AppPool
// NAME -processModel.identityType:TYPE, or the line of the guide that sets the property of Get-IISAppPool. It gives what is printed.
func (r *Running) Configure(command string) (text string, err error) {
	if err := r.runs(); err != nil {
		return "", err
	}
	low := strings.ToLower(command)
	switch {
	case strings.Contains(low, "get-iisapppool"):
		// The cmdlet gives an object; without Start-IISCommitDelay and Stop-IISCommitDelay around it nothing reaches applicationHost.config.
		r.mu.Lock()
		r.settings.uncommitted = true
		r.mu.Unlock()
		return "", nil
	case strings.HasPrefix(low, "appcmd"):
		return r.appcmd(command)
	case strings.HasPrefix(low, "sc"):
		text, err = r.scConfig(command)
	default:
		return "", fmt.Errorf("%q: want sc.exe config, appcmd set AppPool or Get-IISAppPool", command)
	}
	if err != nil {
		err = r.h.d.explain(&stepError{step: stepProcess, logon: r.asLogon(), err: err})
	}
	return text, err
}

// poolIdentities are the values of processModel.identityType (IIS configuration reference).
var poolIdentities = map[string]string{
	"networkservice": `NT AUTHORITY\NETWORK SERVICE`, "localsystem": `NT AUTHORITY\SYSTEM`, "localservice": `NT AUTHORITY\LOCAL SERVICE`,
}

func (r *Running) appcmd(command string) (string, error) {
	fields := strings.Fields(command)
	if len(fields) < 5 || !strings.EqualFold(fields[1], "set") || !strings.EqualFold(fields[2], "apppool") {
		return "", fmt.Errorf("%q: want appcmd set AppPool NAME -processModel.identityType:TYPE", command)
	}
	pool := strings.Trim(fields[3], `"`)
	_, kind, _ := strings.Cut(fields[4], ":")
	name, ok := poolIdentities[strings.ToLower(kind)]
	switch {
	case ok:
	case strings.EqualFold(kind, "ApplicationPoolIdentity"):
		name = `IIS APPPOOL\` + pool
	default:
		return "", fmt.Errorf("processModel.identityType:%s: want NetworkService, LocalSystem, LocalService or ApplicationPoolIdentity", kind)
	}
	return fmt.Sprintf("APPPOOL object %q changed\n", pool), r.setService(name)
}

func (r *Running) setService(name string) error {
	u, err := windows.ParseUser(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.settings = settings{service: u}
	r.mu.Unlock()
	return nil
}

// scConfig is sc.exe config: each option ends in = and its value is the next word.
func (r *Running) scConfig(command string) (string, error) {
	words := splitQuoted(command)
	if len(words) < 3 || !strings.EqualFold(words[1], "config") {
		return "", fmt.Errorf(`%q: want sc.exe config NAME obj= "USER" password= ""`, command)
	}
	const account = `NT AUTHORITY\NETWORK SERVICE`
	right := fmt.Sprintf(`sc.exe config %s obj= "%s" password= ""`, words[2], account)
	refuse := func(text, why string) (string, error) {
		return text, &settingError{command, text, why, right, r}
	}
	user := ""
	for i := 3; i < len(words); i += 2 {
		if !strings.HasSuffix(words[i], "=") || i+1 >= len(words) {
			return refuse("DESCRIPTION:\n        Modifies a service entry in the registry and Service Database.\nUSAGE:\n        sc <server> config [service name] <option1> <option2>...\n",
				"sc.exe takes an option and its value as two words, with a space behind the equals sign; otherwise it prints its usage and changes nothing")
		}
		if strings.EqualFold(words[i], "obj=") {
			user = words[i+1]
		}
	}
	if user == "" {
		return "[SC] ChangeServiceConfig SUCCESS\n", nil
	}
	u, err := windows.ParseUser(user)
	_, unknown := errors.AsType[*windows.NameError](err)
	if !unknown && u.Kind == windows.DomainAccount {
		_, short, _ := strings.Cut(u.Name, `\`)
		_, err := r.st.firstDC().replica.AccountByName(directory.Principal, short)
		unknown = err != nil
	}
	if unknown || u.Kind == windows.LocalUser && u != r.cfg.User && u != r.cfg.Service {
		return refuse("[SC] ChangeServiceConfig FAILED 1057:\n\nThe account name is invalid or does not exist, or the password is invalid for the account name specified.\n",
			"the service control manager looks the account up before it writes it down, and there is no such account")
	}
	return "[SC] ChangeServiceConfig SUCCESS\n", r.setService(u.Name)
}

// splitQuoted splits a command line at spaces outside of double quotes, which it takes off.
func splitQuoted(command string) []string {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, c := range command {
		switch {
		case c == '"':
			quoted, begun = !quoted, true
		case c == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
