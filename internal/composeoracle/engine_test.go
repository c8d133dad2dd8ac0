package composeoracle

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/daemon/cluster/convert"

	"github.com/gmsasim/gmsasim/simulator/check"
)

// TestEngine: the engine refuses the credential spec of a service exactly when a rule says so, in its words.
func TestEngine(t *testing.T) {
	for _, spec := range []string{
		`{"File": "a.json"}`, `{"Registry": "a"}`, `{"Config": "a"}`, `{}`, `{"File": ""}`, `{"File": "a.json", "Registry": "a"}`, `{"Config": "a", "File": "a.json"}`,
		`{"Config": "a", "File": "a.json", "Registry": "a"}`, `{"Config": "", "File": "a.json", "Registry": ""}`, `{"file": "a.json"}`, `{"Raw": "{}"}`,
	} {
		text := `{"Name": "w", "TaskTemplate": {"ContainerSpec": {"Image": "i", "Privileges": {"CredentialSpec": ` + spec + `}}}}`
		var service swarm.ServiceSpec
		if err := json.Unmarshal([]byte(text), &service); err != nil {
			t.Fatal(err)
		}
		_, refusal := convert.ServiceSpecToGRPC(service)
		var said []string
		_, reports := read([]byte(text))
		for _, r := range reports {
			if slices.Contains([]string{"swarm-source-none", "swarm-source-conflict", "docker-opt-empty"}, r.Rule.ID) && r.Severity == check.Error {
				said = append(said, r.Consumer)
			}
		}
		if (refusal != nil) != (len(said) > 0) {
			t.Errorf("%s: the engine says %v, and the rules %q", spec, refusal, said)
		}
		for _, s := range said {
			if refusal != nil && !strings.Contains(refusal.Error(), s) {
				t.Errorf("%s: the engine says\n%v\nand the rule\n%s", spec, refusal, s)
			}
		}
	}
}
