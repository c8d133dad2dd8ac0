package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
)

// instance is a container that an orchestrator placed: one that commands run in, or one that is still to start.
type instance struct {
	verb string // that runs a command in it; "": the complaint names none
	args string // of that verb, without the command
	ntlm string // verb that signs in to it with NTLM; "": none
}

// Verbs whose complaint is about an orchestrator's containers, with the verb that runs a command in the same one.
var (
	orchestratedExec = map[string]instance{
		"kubectlExec":    {verb: "kubectlExec", ntlm: "podInboundNTLM"},
		"podInboundNTLM": {verb: "kubectlExec", ntlm: "podInboundNTLM"},
		"describePod":    {verb: "kubectlExec", ntlm: "podInboundNTLM"},
		"kubectlLogs":    {verb: "kubectlExec", ntlm: "podInboundNTLM"},
		"taskExec":       {verb: "taskExec"},
		"instanceExec":   {verb: "instanceExec"},
	}
	orchestratedStart = []string{"installWebhook", "applyCredentialSpec", "applyPod", "applyDeployment", "replacePod", "createService", "updateService", "servicePs",
		"deployApplication", "applicationHealth", "runTask"}
)

// instanceOf is what the complaint is about when an orchestrator placed it; nil when none did.
func instanceOf(last *scenarios.StepResult) *instance {
	if last == nil {
		return nil
	}
	if slices.Contains(orchestratedStart, last.Verb) {
		return &instance{}
	}
	in, ok := orchestratedExec[last.Verb]
	if !ok {
		return nil
	}
	var args []string
	for _, name := range []string{"namespace", "pod", "nth", "container", "service", "slot", "application", "node"} {
		switch value := last.Arg(name); {
		case value == "":
		case name == "nth" || name == "slot":
			args = append(args, name+": "+value)
		default:
			args = append(args, fmt.Sprintf("%s: %q", name, value))
		}
	}
	in.args = strings.Join(args, ", ")
	return &in
}

// exec is the step that runs a command in the container.
func (in *instance) exec(command string) string {
	return fmt.Sprintf("%s: {%s, command: %q}", in.verb, in.args, command)
}

// orchestrated are the looks at S5 to S11 of a container that an orchestrator placed. The doctor runs none of its own: that one would be another
// container than the one of the complaint.
func (v *view) orchestrated() []look {
	const nobody = "nothing looks into a container of the orchestrator here"
	specs := look{step: "S5", what: "the container has its credential spec", needs: []string{"S2"}, seen: theComplaint, ignores: notAboutSpec}
	starts := look{step: "S6", what: "the container starts", needs: []string{"S5"}, seen: theComplaint}
	channel := look{step: "S7", what: "secure channel to the domain", needs: []string{"S4", "S5", "S6"}, why: nobody}
	ticket := look{step: "S8", what: "ticket for " + v.target, needs: []string{"S4", "S5", "S6"}, why: nobody}
	app := look{step: "S11", what: "the application acts as " + v.account, needs: []string{"S8"}, why: nobody}
	kerberos := look{step: "S9", what: v.user + " reaches the application with Kerberos", needs: []string{"S11"}, why: nobody}
	ntlm := look{step: "S10", what: v.user + " reaches it with NTLM, and names have SIDs", needs: []string{"S7"}, why: nobody}
	if in := v.placed; in.verb != "" {
		specs.seen, specs.ignores = in.exec("nltest /parentdomain"), nil
		starts.seen = in.exec("whoami")
		channel.seen = in.exec("nltest /sc_verify:" + v.domain)
		ticket.seen = in.exec("klist get " + v.target)
		if in.ntlm != "" {
			ntlm.seen = fmt.Sprintf("%s: {%s, from: %q}", in.ntlm, in.args, v.user)
		}
	}
	return []look{specs, starts, channel, ticket, app, kerberos, ntlm}
}
