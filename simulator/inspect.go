package simulator

import (
	"encoding/json"
)

// inspection is the part of docker inspect that tells about credentials, in the engine's own names.
type inspection struct {
	ID         string `json:"Id"`
	State      inspectedState
	HostConfig inspectedHost
	Config     inspectedConfig
}

type inspectedState struct {
	Status  string
	Running bool
}

type inspectedHost struct {
	SecurityOpt []string
	Isolation   string
	DNS         []string `json:"Dns"`
}

type inspectedConfig struct {
	Hostname string
	User     string
	Image    string
}

// Inspect is docker inspect, as far as credentials go. SecurityOpt is what the engine got, null when nothing reached it.
func (r *Running) Inspect() string {
	status := "running"
	if r.runs() != nil {
		status = "exited"
	}
	return jsonIndented([]inspection{{
		ID: r.id, State: inspectedState{status, status == "running"},
		HostConfig: inspectedHost{r.cfg.securityOpts(), string(r.isolation), r.cfg.DNS},
		Config:     inspectedConfig{r.Hostname(), r.cfg.User.Name, r.Image()},
	}})
}

// SecurityOpt are the security options that reached the engine: docker inspect -f "{{json .HostConfig.SecurityOpt}}".
func (r *Running) SecurityOpt() string { return jsonText(r.cfg.securityOpts()) }

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and lists of texts can be written
	}
	return string(text)
}

func jsonIndented(v any) string {
	text, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		panic(err) // as above
	}
	return string(text)
}
