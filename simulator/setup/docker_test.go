package setup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestShellCommands: what a program gets, and where each byte of it stands, in each shell.
func TestShellCommands(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string // the words of each docker command
	}{
		{"posix", "a.sh", "#!/bin/sh\n# docker run no\nX=1 sudo docker run \\\n  --security-opt \"credentialspec=file://a b.json\" -h 'it'\\''s' img # end\necho docker run x\n",
			[]string{"docker|run|--security-opt|credentialspec=file://a b.json|-h|it's|img"}},
		{"posix lists", "a.sh", "if true; then docker create img && docker run b|cat; fi; id=$(docker run -d c) >log 2>&1\ncat <<EOF\ndocker run not this\nEOF\ndocker run d",
			[]string{"docker|create|img", "docker|run|b", "docker|run|-d|c", "docker|run|d"}},
		{"posix backslash", "a.sh", `docker run --security-opt credentialspec=file://..\x.json img`, []string{"docker|run|--security-opt|credentialspec=file://..x.json|img"}},
		{"powershell", "a.ps1", "$id = docker run `\r\n  --security-opt 'credentialspec=file://..\\a.json' `\r\n  --name \"a`\"b\" $image; if ($id) { & docker.exe create img }\n<# docker run no #>\n",
			[]string{"docker|run|--security-opt|credentialspec=file://..\\a.json|--name|a\"b|$image", "docker.exe|create|img"}},
		{"powershell raw", "a.ps1", `docker run --security-opt 'credentialspec=raw://{\"a\":1}' i`, []string{`docker|run|--security-opt|credentialspec=raw://{"a":1}|i`}},
		{"cmd", "a.cmd", "@echo off\r\nrem docker run no\r\n@docker run ^\r\n  --security-opt \"credentialspec=raw://{\\\"a\\\":1}\" ^\r\n  %IMAGE% & docker run 'x\r\n",
			[]string{`docker|run|--security-opt|credentialspec=raw://{"a":1}|%IMAGE%`, "docker|run|'x"}},
		{"stdin", "-", "docker run -h a img\n", []string{"docker|run|-h|a|img"}},
	}
	for _, tt := range tests {
		f := source.NewFile(tt.file, []byte(tt.text))
		docs := documents(f)
		if len(docs) != 1 || docs[0].Form != FormDockerArgs {
			t.Fatalf("%s: %d documents", tt.name, len(docs))
		}
		var got []string
		for _, line := range docs[0].Root.List() {
			var words []string
			for _, n := range line.List() {
				words = append(words, n.Text)
				if raw := string(f.Data[n.Start:n.End]); raw != strings.TrimSpace(raw) || strings.Trim(raw, `"'`) != n.Text && !strings.ContainsAny(raw, "\\`'") {
					t.Errorf("%s: the word %q stands in %q", tt.name, n.Text, raw)
				}
			}
			got = append(got, strings.Join(words, "|"))
		}
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// TestArgumentEdits: a part of an argument is replaced in its own quotes, and nothing else is touched.
func TestArgumentEdits(t *testing.T) {
	for file, tests := range map[string][][2]string{
		"a.sh": {
			{`docker run --security-opt=credentialspec:file://a.json i`, `docker run --security-opt=credentialspec:file://b.json i`},
			{`docker run --security-opt 'credentialspec=file://a.json' i`, `docker run --security-opt 'credentialspec=file://b.json' i`},
			{`docker run --security-opt "credentialspec=file://a.json" i`, `docker run --security-opt "credentialspec=file://b.json" i`},
			{`docker run --security-opt credentialspec="file://a.json" i`, `docker run --security-opt credentialspec="file://a.json" i`},
		},
		"a.json": {{`["docker","run","--security-opt","credentialspec=file://a.json","i"]`, `["docker","run","--security-opt","credentialspec=file://b.json","i"]`}},
	} {
		for _, tt := range tests {
			s := Read([]*source.File{source.NewFile(file, []byte(tt[0]))})
			if len(s.Uses) != 1 || s.Uses[0].Options[0].Value.Text != "a.json" {
				t.Fatalf("%s: %+v", tt[0], s.Uses)
			}
			after := tt[0]
			if e, ok := s.Uses[0].Options[0].Value.Replace("b.json"); ok {
				text, _ := source.Apply(s.Files[0], []source.Edit{e})
				after = string(text)
			}
			if after != tt[1] {
				t.Errorf("%s: got %s", tt[0], after)
			}
		}
	}
}

// TestUses: what each form says about its containers.
func TestUses(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"run", "a.sh", "docker run --security-opt credentialspec=file://spec.json -ith web --user 'NT AUTHORITY\\SYSTEM' --isolation=process mcr.microsoft.com/windows/servercore:ltsc2019 cmd\n",
			[]string{`docker "" file spec.json host=web user=NT AUTHORITY\SYSTEM isolation=process os=windows ltsc2019 supplied`}},
		{"last wins", "a.sh", "docker run --security-opt credentialspec=file://x.json --security-opt CredentialSpec=rEgistry://spec img", []string{`docker "" registry spec os= held elsewhere`}},
		{"behind", "a.sh", "docker run img --security-opt=credentialspec=file://spec.json", []string{`docker "" none  os= not named`}},
		{"options in a variable", "a.ps1", "docker run $more --security-opt credentialspec=file://spec.json img", []string{`docker "" file spec.json os= supplied`}},
		{"variables of sh", "a.sh", "SPEC=spec\nexport HOST='a b'\nX=1; X=2\nfor N in 1 2; do docker run -h $HOST --name w$X --security-opt \"credentialspec=file://${SPEC}.json\" -u \"$N\" img; done", []string{`docker "w$X" file spec.json host=$HOST user=$N os= supplied`}},
		{"variable that changes", "a.sh", "A=spec\nif x; then A=other; fi\ndocker run --security-opt credentialspec=file://$A.json img", []string{`docker "" file $A.json os= not supplied`}},
		{"variables of PowerShell", "a.ps1", "$Spec = 'spec'\n$other = Get-Thing\ndocker run -h $other --security-opt \"credentialspec=file://$spec.json\" img", []string{`docker "" file spec.json host=$other os= supplied`}},
		{"variables of cmd", "a.cmd", "set SPEC=spec\r\nset \"IMG=mcr.microsoft.com/windows/nanoserver:ltsc2022\"\r\ndocker run --security-opt credentialspec=file://%spec%.json %IMG% %1\r\n", []string{`docker "" file spec.json os=windows ltsc2022 supplied`}},
		{"no container of ours", "a.sh", "docker run --security-opt no-new-privileges img", nil},
		{"service", "a.sh", "docker config create cfg ./spec.json; docker service create --replicas 3 --name s --credential-spec config://cfg img", []string{`swarm "s" config cfg os= x3 supplied`}},
		{"compose", "compose.yaml", "services:\n  base:\n    image: img:${TAG:-ltsc2022}\n    hostname: h\n  web:\n    extends: base\n    security_opt: ['credentialspec=file://${NAME:-spec}.json']\n",
			[]string{`compose "web" file spec.json host=h os=windows ltsc2022 supplied`}},
		{"compose config", "compose.yaml", "services:\n  web:\n    image: i\n    credential_spec: {config: c}\n    deploy: {replicas: 2}\nconfigs:\n  c: {file: ./sub/spec.json}\n",
			[]string{`compose "web" config c os= x2 supplied`}},
		{"compose variable", "compose.yaml", "services:\n  web:\n    image: i\n    credential_spec: {file: '${SPEC}'}\n", []string{`compose "web" file ${SPEC} os= not supplied`}},
		{"api", "service.json", `{"Name": "w", "TaskTemplate": {"ContainerSpec": {"Image": "i", "Privileges": {"CredentialSpec": {"Config": "id1"}}}}}`, []string{`swarm "w" config id1 os= held elsewhere`}},
		{"inspect", "inspect.json", `[{"Id":"0123456789abcdef","Name":"/w","Config":{"Hostname":"0123456789ab","User":"","Image":"i"},"HostConfig":{"SecurityOpt":["credentialspec=raw://{\"CmsPlugins\":[]}"],"Isolation":"default"}}]`,
			[]string{`docker "/w" inline {"CmsPlugins":[]} os= supplied`}},
		{"fabric", "ApplicationManifest.xml", `<?xml version="1.0" encoding="utf-8"?><ApplicationManifest xmlns="http://schemas.microsoft.com/2011/01/fabric"><Parameters><Parameter Name="S" DefaultValue="credentialspec=file://spec.json"/></Parameters>
			<ServiceManifestImport><ServiceManifestRef ServiceManifestName="P"/><Policies><!-- <ContainerHostPolicies CodePackageRef="No"><SecurityOption Value="credentialspec=file://no.json"/></ContainerHostPolicies> -->
			<ContainerHostPolicies CodePackageRef="Code" Isolation="hyperv" Hostname="a&amp;b"><SecurityOption Value="[S]"/></ContainerHostPolicies></Policies></ServiceManifestImport></ApplicationManifest>`,
			[]string{`servicefabric "Code" file spec.json host=a&b isolation=hyperv os= supplied`}},
		{"nomad", "job.nomad", `variable "spec" { default = "spec" }
job "web" {
  group "g" {
    count = 2
    task "t" {
      driver = "docker"
      user   = "NT AUTHORITY\\SYSTEM"
      config {
        image        = "mcr.microsoft.com/windows/servercore:ltsc2022"
        security_opt = ["credentialspec=file://${var.spec}.json"]
      }
    }
  }
}`, []string{`nomad "t" file spec.json user=NT AUTHORITY\SYSTEM os=windows ltsc2022 x2 supplied`}},
		{"nomad in the API's JSON", "job.json", `{"Job": {"TaskGroups": [{"Count": 3, "Tasks": [{"Name": "t", "Driver": "docker", "Config": {"image": "i", "security_opt": ["credentialspec=file://spec.json"]}}]}]}}`,
			[]string{`nomad "t" file spec.json os= x3 supplied`}},
		{"nomad in HCL's JSON", "job.json", `{"job": {"web": {"group": {"g": {"task": {"t": [{"driver": "docker", "config": [{"image": "i", "security_opt": ["credentialspec=registry://v"]}]}]}}}}}}`,
			[]string{`nomad "t" registry v os= held elsewhere`}},
		{"terraform", "main.tf", `resource "docker_service" "web" {
  task_spec {
    container_spec {
      image = "i"
      privileges { 
        credential_spec { file = "spec.json" }
      }
    }
  }
}
resource "docker_container" "c" {
  image         = docker_image.x.image_id
  security_opts = ["credentialspec=file://spec.json"]
}`, []string{`swarm "web" file spec.json os= supplied`, `docker "c" file spec.json os= supplied`}},
		{"terraform of ECS", "main.tf", `resource "aws_ecs_task_definition" "web" {
  family                = "web"
  container_definitions = jsonencode([{ name = "web", image = "i", credentialSpecs = ["credentialspec:file://spec.json"] }, { name = "api", credentialSpecs = ["credentialspec:${aws_ssm_parameter.x.arn}"] }])
}
resource "aws_ssm_parameter" "x" {
  name = "x"
}`, []string{`ecs "web" file spec.json os= supplied`, `ecs "api" unknown  os= not named`}},
		{"open template", "job.nomad", `config { security_opt = ["credentialspec=file://${var.x}_${upper("a")}.json"] }`, []string{`nomad "" file ${var.x}_${upper("a")}.json os= not supplied`}},
		{"bundle", "config.json", `{"ociVersion": "1.1.0", "hostname": "h", "process": {"user": {"username": "u"}}, "windows": {"credentialSpec": "{\"CmsPlugins\":[]}", "hyperv": {}}}`,
			[]string{`oci "h" inline {"CmsPlugins":[]} host=h user=u isolation=hyperv os=windows supplied`}},
		{"bundle with an object", "config.json", `{"ociVersion": "1.1.0", "windows": {"credentialSpec": {"CmsPlugins": []}}}`, []string{`oci "" unknown  os=windows not named`}},
		{"request of the CRI", "pod.json", `{"metadata": {"name": "p"}, "windows": {"security_context": {"credential_spec": "{}", "run_as_username": "u"}}}`, []string{`oci "p" inline {} user=u os=windows supplied`}},
	}
	for _, tt := range tests {
		s := Read([]*source.File{source.NewFile(tt.file, []byte(tt.text)), source.NewFile("CredentialSpecs/Spec.json", []byte(`{"CmsPlugins": ["ActiveDirectory"]}`))})
		var got []string
		for _, u := range s.Uses {
			text := fmt.Sprintf("%s %q %s %s", u.Carrier, u.Name, u.Source, u.Value)
			for _, p := range []struct {
				key string
				n   *source.Node
			}{{"host", u.Hostname}, {"user", u.User}, {"isolation", u.Isolation}} {
				if p.n != nil {
					text += " " + p.key + "=" + p.n.String()
				}
			}
			text += " os=" + u.OS
			if u.Release != "" {
				text += " " + u.Release
			}
			if u.Replicas > 0 {
				text += fmt.Sprintf(" x%d", u.Replicas)
			}
			if u.Spec != nil {
				text += " supplied"
			} else {
				text += " " + string(u.Missing)
			}
			got = append(got, text)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
			t.Errorf("%s\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

// TestAcross: what only another file of the set tells, whatever the order of the files.
func TestAcross(t *testing.T) {
	files := map[string]string{
		"a/compose.yaml":             "services:\n  web:\n    extends: {file: ../base/common.yaml, service: base}\n    image: mcr.microsoft.com/windows/nanoserver:ltsc2019\n  other:\n    extends: {file: nowhere.yaml, service: base}\n    image: i\n",
		"base/common.yaml":           "services:\n  base:\n    hostname: webapp\n    credential_spec: {file: spec.json}\n",
		"a/spec.json":                `{"CmsPlugins": ["a"]}`,
		"base/spec.json":             `{"CmsPlugins": ["base"]}`,
		"sf/ApplicationManifest.xml": `<ApplicationManifest><Parameters><Parameter Name="Host" DefaultValue=""/></Parameters><ServiceManifestImport><ServiceManifestRef ServiceManifestName="Pkg"/><Policies><ContainerHostPolicies CodePackageRef="Code" Hostname="[Host]"><SecurityOption Value="credentialspec=file://spec.txt"/></ContainerHostPolicies></Policies></ServiceManifestImport></ApplicationManifest>`,
		"sf/Cloud.xml":               `<Application Name="fabric:/App"><Parameters><Parameter Name="Host" Value="webapp"/></Parameters></Application>`,
		"sf/ServiceManifest.xml":     `<ServiceManifest Name="Pkg"><CodePackage Name="Code"><EntryPoint><ContainerHost><ImageName> mcr.microsoft.com/windows/servercore:1803 </ImageName></ContainerHost></EntryPoint></CodePackage></ServiceManifest>`,
		"sf/spec.txt":                "no JSON",
		"swarm.json":                 `{"TaskTemplate": {"ContainerSpec": {"Image": "i", "Privileges": {"CredentialSpec": {"Config": "id7"}}}}}`,
		"configs.json":               `[{"ID": "id7", "Spec": {"Name": "web", "Data": "eyJDbXNQbHVnaW5zIjogWyJjb25maWciXX0="}}]`,
	}
	for _, backwards := range []bool{false, true} {
		var list []*source.File
		for _, name := range slices.Sorted(maps.Keys(files)) {
			list = append(list, source.NewFile(name, []byte(files[name])))
		}
		if backwards {
			slices.Reverse(list)
		}
		var got []string
		for _, u := range Read(list).Uses {
			plugin := "-"
			if u.Spec != nil && u.Spec.Root != nil {
				plugin = u.Spec.Root.JSON()
			} else if u.Spec != nil {
				plugin = "broken"
			}
			got = append(got, fmt.Sprintf("%s %s %s %s %s", u.Carrier, u.Name, u.Hostname.String(), u.Release, plugin))
		}
		slices.Sort(got)
		want := []string{
			`compose base webapp  {"CmsPlugins":["base"]}`, `compose web webapp ltsc2019 {"CmsPlugins":["a"]}`, `servicefabric Code webapp 1803 broken`, `swarm    {"CmsPlugins":["config"]}`,
		}
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		if !slices.Equal(got, want) {
			t.Errorf("backwards %t\n got %q\nwant %q", backwards, got, want)
		}
	}
}

// TestDepth: what would make a parser call itself without end is an error with its place.
func TestDepth(t *testing.T) {
	for name, text := range map[string]string{
		"brackets.nomad":   "a = " + strings.Repeat("[", 100_000),
		"signs.nomad":      "a = " + strings.Repeat("!", 100_000) + "true",
		"conditions.nomad": "a = " + strings.Repeat("a?a:", 100_000) + "a",
		"large.nomad":      strings.Repeat("# comment\n", 200_000),
		"elements.xml":     strings.Repeat("<a>", 100_000),
		"open.xml":         "<a b='",
		"none.xml":         "<!-- nothing -->",
	} {
		d := Read([]*source.File{source.NewFile(name, []byte(text))}).Documents[0]
		if e, ok := errors.AsType[*source.SyntaxError](d.Err); !ok || !strings.HasPrefix(e.Error(), name+":1:") {
			t.Errorf("%s: %v", name, d.Err)
		}
	}
}
