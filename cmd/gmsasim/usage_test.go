package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestUsage: what is unknown or impossible is refused with the nearest valid name, and nothing runs.
func TestUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GMSASIM_CONTROL_URL", "")
	if err := os.Mkdir("nothing", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"broken.txtar": "Not much of a lesson\n-- scenario.yaml --\nschema: gmsasim/v1\nid: broken\ntitle: Broken\ndomain: contoso\nsteps:\n" +
			"  - testServiceAccount: {acount: WebApp01, host: ContainerHost01, account: WebApp01}\n  - advanec: 1h\n",
		"domain.yaml":       "hosts: [{name: Host01}]\ngroups:\n  - {name: G, members: [Host1]}\n",
		"domain.json":       "{\"hosts\": [{\"name\": \"Host01\"}],\n \"group\": []}\n",
		"not-modelled.yaml": "schema: gmsasim/v1\nid: not-modelled\ntitle: Not modelled\nsteps:\n  - diagnose: {}\n",
		"empty.yaml":        "",
		"world.yaml":        "domain:\n  kdsRootKeys: [{effective: -10h}]\ncontainers: [{name: web, host: Host01}]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		line   string
		status int
		want   string // in what is said
	}{
		{"lst", exitUsage, `error: no command "lst"; nearest: list`},
		{"run --vrbose", exitUsage, "error: no flag --vrbose of gmsasim run; nearest: --verbose"},
		{"run --vrbose", exitUsage, "help: gmsasim run --help"},
		{"doctor --foo", exitUsage, "help: gmsasim doctor --help"},
		{"lst", exitUsage, "help: gmsasim --help"},
		{"help lst", exitUsage, "help: gmsasim --help"},
		{"doctor world.yaml", exitUsage, "world.yaml has members of a world and does not say that it is one: a world begins with the line schema: gmsasim.world/1"},
		{"run -x", exitUsage, "error: no flag -x of gmsasim run"},
		{"run --seed many", exitUsage, `error: invalid argument "many"`},
		{"run kds-key-to-young", exitUsage, `error: no scenario "kds-key-to-young"; nearest: kds-key-too-young`},
		{"run kds-key-too-young --case stricd", exitUsage, `error: no case "stricd"; nearest: strict`},
		{"run missing.txtar", exitUsage, "error: read bundle: open missing.txtar"},
		{"run broken.txtar", exitUsage, `error: broken.txtar:8:26: no key "acount" here; known: host, account; nearest: account`},
		{"run broken.txtar", exitUsage, `error: broken.txtar:9:5: no verb or key "advanec" in a step; nearest: advance`},
		{"run not-modelled.yaml", exitNotModelled, "error: not-modelled.yaml:5:5: diagnose is not modelled in this version"},
		{"list verb", exitUsage, `error: no list of "verb"; there are scenarios, findings, modes, verbs, rules; nearest: verbs`},
		{"list scenarios findings", exitUsage, "error: one kind of list"},
		{"explain GMSA1002", exitUsage, `error: nothing to explain under "GMSA1002"; nearest: GMSA102`},
		{"explain", exitUsage, "error: explain takes a code, a scenario, a mode, a rule, or a text"},
		{"check", exitUsage, "error: check takes the paths of files or folders, or -"},
		{"check . --target kubernetes", exitUsage, `error: no target "kubernetes"; there are generic, docker,`},
		{"check . --fail-on errors", exitUsage, `error: --fail-on: "errors" is not one of info, warning, error, never; nearest: error`},
		{"check . --format sarfi", exitUsage, `error: --format: "sarfi" is not one of text, json, sarif, junit, github, gitlab, markdown; nearest: sarif`},
		{"check . --dry-run", exitUsage, "error: --dry-run belongs to --fix"},
		{"check - --fix", exitUsage, "error: --fix changes files, and the standard input is none"},
		{"check - --watch", exitUsage, "error: --watch needs files"},
		{"check . --fix --watch", exitUsage, "error: --watch and --fix exclude each other"},
		{"check . --limit 0", exitUsage, "error: --limit 0"},
		{"check nothing", exitUsage, "error: no file to check in nothing"},
		{"explain acount-dollar-suffix", exitUsage, "nearest: account-dollar-suffix"},
		{"version now", exitUsage, `error: gmsasim version takes no argument "now"`},
		{"help rum", exitUsage, `error: no command "rum"; nearest: run`},
		{"clock foward", exitUsage, `error: clock takes show, advance, to, next, not "foward"`},
		{"clock advance", exitUsage, "error: clock advance takes 1 arguments, got 0"},
		{"clock advance soon", exitUsage, `error: "soon" is not a duration above 0 such as 10h`},
		{"clock to morrow", exitUsage, `error: "morrow" is not a time such as`},
		{"clock", exitUsage, "error: no running domain: GMSASIM_CONTROL_URL and GMSASIM_CONTROL_TOKEN are not set"},
		{"events", exitUsage, "error: no running domain"},
		{"events --since -1", exitUsage, "error: --since -1: events are numbered from 1"},
		{"up --config a --scenario b", exitUsage, "error: --config and --scenario exclude each other"},
		{"up --config missing.yaml", exitUsage, "error: open missing.yaml"},
		{"up --config domain.yaml", exitUsage, `error: domain.yaml:3:25: no account or group "Host1"; nearest: Host01`},
		{"up --config domain.json", exitUsage, `error: domain.json:2:2: no key "group" here; known: `},
		{"up --config empty.yaml", exitUsage, "error: empty.yaml:1:1: there is nothing in it"},
		{"up --config .", exitUsage, "error: read ."},
		{"up --listen 192.0.2.1 -- true", exitUsage, "cannot assign requested address; --listen takes an address of this computer"},
		{"up --scenario spn-duplicat", exitUsage, "nearest: spn-duplicate"},
		{"up --scenario spn", exitUsage, "scenarios, one domain can run"},
		{"up --scenario spn-duplicate --case none", exitUsage, `error: no case "none" of spn-duplicate`},
		{"up --case none", exitUsage, "error: --case belongs to --scenario"},
		{"up --time wall", exitUsage, `error: --time: "wall" is not one of machine, domain`},
		{"up --listen here", exitUsage, `error: --listen: "here" is not an IP address`},
		{"up --", exitUsage, "error: no command after --"},
		{"up ls", exitUsage, `error: up takes no argument "ls"; a command comes after --`},
		{"up --print-env -- ls", exitUsage, "error: --print-env is for a shell outside"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			var out, said bytes.Buffer
			status := newApp(strings.NewReader(""), &out, &said).run(t.Context(), strings.Fields(tt.line))
			if status != tt.status || !strings.Contains(said.String(), tt.want) || out.Len() > 0 {
				t.Errorf("got %d, %q and the answer %q\nwant %d, %q", status, said.String(), out.String(), tt.status, tt.want)
			}
		})
	}
}

// TestUsageJSON: the same in JSON, on the stream of answers.
func TestUsageJSON(t *testing.T) {
	var out, said bytes.Buffer
	status := newApp(strings.NewReader(""), &out, &said).run(t.Context(), []string{"run", "--json", "kds-key-to-young"})
	want := `{
  "schema": "gmsasim.error/1",
  "exit": 2,
  "error": "no scenario \"kds-key-to-young\"; nearest: kds-key-too-young"
}
`
	if status != exitUsage || out.String() != want || said.Len() > 0 {
		t.Errorf("got %d, %q, %q, want %q", status, out.String(), said.String(), want)
	}
}

// full takes no octet, as a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestAnswerThatDoesNotArrive: a program that reads the answer must not take what is missing for success.
func TestAnswerThatDoesNotArrive(t *testing.T) {
	for _, line := range []string{"version", "version --json", "list --json", "explain GMSA102"} {
		var said bytes.Buffer
		status := newApp(strings.NewReader(""), full{}, &said).run(t.Context(), strings.Fields(line))
		if status != exitInternal {
			t.Errorf("%s: got status %d, %q, want %d", line, status, said.String(), exitInternal)
		}
	}
}
