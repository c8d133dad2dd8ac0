package check

import (
	"slices"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestComposeOrStack: what only a swarm does tells that a file is for docker stack deploy, which reads credential_spec.
func TestComposeOrStack(t *testing.T) {
	for name, tt := range map[string]struct {
		text    string
		targets []Target
		want    map[string]Severity
	}{
		"for compose":     {"services: {web: {image: i, credential_spec: {file: a.json}}}", nil, map[string]Severity{"compose-credential-spec-ignored": Error}},
		"replicas":        {"services: {web: {image: i, credential_spec: {file: a.json}, deploy: {replicas: 2}}}", nil, map[string]Severity{"compose-credential-spec-ignored": Error}},
		"for a stack":     {"services: {web: {image: i, credential_spec: {file: a.json}, deploy: {endpoint_mode: dnsrr}}}", nil, map[string]Severity{"compose-credential-spec-ignored": Warning}},
		"asked for":       {"services: {web: {image: i, credential_spec: {file: a.json}, deploy: {mode: global}}}", []Target{TargetCompose}, map[string]Severity{"compose-credential-spec-ignored": Error}},
		"security_opt":    {"services: {web: {image: i, security_opt: ['credentialspec=file://a.json'], deploy: {placement: {}}}}", nil, map[string]Severity{"compose-security-opt-ignored": Error}},
		"stack alone":     {"services: {web: {image: i, credential_spec: {file: a.json}}}", []Target{TargetStack}, map[string]Severity{}},
		"compose is both": {"services: {web: {image: i, security_opt: ['credentialspec=file://a.json']}}", nil, map[string]Severity{}},
	} {
		reports := Run(setup.Read([]*source.File{source.NewFile("compose.yaml", []byte(tt.text))}), Options{Targets: tt.targets}).Reports
		reports = slices.DeleteFunc(reports, func(r Report) bool { return r.Rule.Group != "docker" })
		if len(reports) != len(tt.want) {
			t.Errorf("%s: %d reports", name, len(reports))
		}
		for _, r := range reports {
			if want, ok := tt.want[r.Rule.ID]; !ok || want != r.Severity {
				t.Errorf("%s: %s %s", name, r.Severity, r.Rule.ID)
			}
		}
	}
}
