package simulator

import (
	"context"
	"fmt"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// earlyError: a service called the domain while Netlogon was still setting up its channel, and ended.
type earlyError struct {
	r *Running
}

func (e *earlyError) Error() string {
	return "the service ended with " + StatusNoLogonServers.String()
}

// finding tells what the service did not wait for.
func (e *earlyError) finding(*Domain, *stepError) *diag.Finding {
	r := e.r
	return &diag.Finding{Code: diag.ServiceTooEarly, Mode: "rt-service-starts-before-netlogon",
		Facts:   []diag.Fact{{Name: "user", Value: r.App().user.Name}, {Name: "depends on", Value: jsonText(r.cfg.ServiceDependsOn)}},
		SeenAs:  []string{"sc query: STATE : 1  STOPPED", "Event 5719, NETLOGON, once, when the container starts"},
		Because: "Netlogon sets up its channel while the container starts, and nothing makes other services wait for it; a program that is started later works",
		Help: []diag.Help{{Text: "make the service wait for Netlogon, or try again by itself", Command: `sc.exe config <service> depend= Netlogon`, Do: []string{r.again(arg{"serviceDependsOn", []string{"Netlogon"}})}},
			{Text: "until the next start of the container, start the service again", Command: "Start-Service <service>", Do: []string{flowStep("startService", arg{"", r.shortID()})}}}}
}

// startService starts the container's own service, whose first work is a call over the secure channel. While the container itself
// starts, the channel is not there yet unless the service waits for Netlogon.
func (r *Running) startService() {
	var err error
	switch {
	case r.spec == nil:
		err = errNoSpec
	case r.channelStatusKnown():
		err = r.withChannel(r.h.d.ctx, func(*DC) error { return nil })
	default:
		r.logFailure(StatusNoLogonServers, nil, r.Hostname())
		err = &earlyError{r}
	}
	r.mu.Lock()
	r.service = err
	r.mu.Unlock()
	r.h.d.event(Event{Op: opHost, From: r.st.name, Text: "the service starts", Result: resultText(err)})
}

// channelStatusKnown tells whether Netlogon has tried to set up its channel.
func (r *Running) channelStatusKnown() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.channel.session != nil || r.channel.status != StatusSuccess
}

// serviceError is why the container's own service does not run; nil when it does, or when there is none.
func (r *Running) serviceError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.service
}

// StartService is Start-Service in the container, for the service that starts by itself too.
func (r *Running) StartService() error {
	if err := r.runs(); err != nil {
		return err
	}
	r.startService()
	return r.Process.explain(r.serviceError(), "")
}

// QueryService is sc.exe query for the container's own service. The error tells why it does not run.
func (r *Running) QueryService() (string, error) {
	if err := r.runs(); err != nil {
		return "", err
	}
	err := r.serviceError()
	state, code := "4  RUNNING", StatusSuccess
	if err != nil {
		state, code = "1  STOPPED", statusOf(err)
	}
	text := fmt.Sprintf("\nSERVICE_NAME: App\n        TYPE               : 10  WIN32_OWN_PROCESS\n        STATE              : %s\n        WIN32_EXIT_CODE    : %d  (%#x)\n", state, int(code), int(code))
	return text, r.Process.explain(err, "")
}

// Restart is docker restart: the container keeps its id and the credential spec that was read when it was created.
func (r *Running) Restart() error {
	if err := r.runs(); err != nil {
		return err
	}
	r.h.d.event(Event{Op: opHost, From: r.h.Name(), Text: "docker restart " + r.shortID()})
	r.mu.Lock()
	r.sessions, r.channel, r.service = nil, channel{}, nil
	r.mu.Unlock()
	r.st.forget()
	r.begin(r.h.d.ctx)
	return nil
}

// begin is what happens in a container when it starts: Netlogon sets up its channel, and tries again when somebody needs it and it could
// not; a service that starts by itself is before or after that.
func (r *Running) begin(ctx context.Context) {
	waits := len(r.cfg.ServiceDependsOn) > 0
	if r.cfg.AutoStart && !waits {
		r.startService()
	}
	if r.spec != nil {
		_ = r.withChannel(ctx, nil) // Netlogon remembers the status
	}
	if r.cfg.AutoStart && waits {
		r.startService()
	}
}
