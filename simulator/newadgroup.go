package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// newADGroupParameters are those of New-ADGroup (PowerShell reference), without the common ones.
var newADGroupParameters = []string{"AuthType", "Credential", "Description", "DisplayName", "GroupCategory", "GroupScope", "HomePage", "Instance", "ManagedBy", "Name",
	"OtherAttributes", "PassThru", "Path", "SamAccountName", "Server"}

// NewADGroup is New-ADGroup as it is typed: New-ADGroup -Name "WebApp01 Authorized Hosts" -SamAccountName "WebApp01Hosts" -GroupScope DomainLocal.
// It knows Name, SamAccountName, GroupScope and GroupCategory; the group's common name is its SamAccountName.
func (a *Admin) NewADGroup(line string) error {
	g, err := parseNewADGroup(line)
	if err != nil {
		a.d.event(Event{Op: opAdmin, From: a.as, Text: line, Result: err.Error()})
		return a.d.explain(&stepError{step: stepCreate, dc: a.d.dcs[0], account: g.Name, err: err})
	}
	return a.NewGroup(g)
}

// GroupOfCommand is the name of the group that a line of New-ADGroup makes, "" when it names none.
func GroupOfCommand(line string) string {
	g, _ := parseNewADGroup(line) // what can be read of it
	return g.Name
}

func parseNewADGroup(line string) (g Group, err error) {
	words := powershellWords(line)
	if len(words) == 0 || !strings.EqualFold(words[0], "New-ADGroup") {
		return g, fmt.Errorf("%q does not begin with New-ADGroup", line)
	}
	cn := ""
	for i := 1; i+1 < len(words); i += 2 {
		typed, dashed := strings.CutPrefix(words[i], "-")
		if !dashed {
			return g, fmt.Errorf("%q: want a parameter, as in -Name", words[i])
		}
		value := words[i+1]
		switch name := parameter(typed, newADGroupParameters); name {
		case "Name":
			cn = value
		case "SamAccountName":
			g.Name = value
		case "GroupScope":
			g.Scope = GroupScope(value)
		case "GroupCategory":
			g.Category = GroupCategory(value)
		case "":
			if err == nil {
				err = &unknownParameterError{"New-ADGroup", typed, line}
			}
		default:
			return g, fmt.Errorf("-%s of New-ADGroup is not modelled", name)
		}
	}
	if g.Name == "" {
		g.Name = cn
	}
	return g, err
}

// parameter is the one that a name or the beginning of one means; "" when none does, or more than one.
func parameter(typed string, known []string) string {
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, typed) }); i >= 0 {
		return known[i]
	}
	found := ""
	for _, k := range known {
		if len(typed) <= len(k) && strings.EqualFold(k[:len(typed)], typed) {
			if found != "" {
				return ""
			}
			found = k
		}
	}
	return found
}

// powershellWords splits a line at blanks outside of double quotes.
func powershellWords(line string) []string {
	var words []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// unknownParameterError: PowerShell binds no parameter to a name.
type unknownParameterError struct{ cmdlet, name, line string }

func (e *unknownParameterError) Error() string {
	return fmt.Sprintf("%s : A parameter cannot be found that matches parameter name '%s'.", e.cmdlet, e.name)
}

func (e *unknownParameterError) finding(*Domain, *stepError) *diag.Finding {
	f := &diag.Finding{
		Code: diag.UnknownParameter, Mode: "acl-newadgroup-scope",
		Facts:   []diag.Fact{{Name: "command", Value: e.line}, {Name: "parameter", Value: "-" + e.name}},
		SeenAs:  []string{e.Error()},
		Because: "PowerShell takes a parameter by its name or a beginning of it; nothing of the line is carried out, so what needs the group fails after it",
	}
	right := ""
	for _, k := range newADGroupParameters {
		if len(e.name) > 2 && strings.Contains(strings.ToLower(k), strings.ToLower(e.name)) {
			right = k
		}
	}
	if right == "" {
		right = diag.Nearest(e.name, newADGroupParameters)
	}
	if right == "" {
		return f
	}
	line := strings.Replace(e.line, "-"+e.name+" ", "-"+right+" ", 1)
	f.Nearest = []diag.Near{{Wanted: "-" + e.name, Closest: "-" + right}}
	f.Help = []diag.Help{{Text: "write the parameter as the cmdlet has it", Command: line, Do: []string{flowStep("with", arg{"command", line})}}}
	return f
}
