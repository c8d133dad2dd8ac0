package setup

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// tasksOf tells of each task: its system, and of each container its entries.
func tasksOf(s *Setup) string {
	var b strings.Builder
	for _, t := range s.Tasks {
		fmt.Fprintf(&b, "%s/%s/%s", t.OS, t.Release, t.Region)
		if t.Fargate {
			b.WriteString(" fargate")
		}
		if t.ExecutionRole != nil {
			fmt.Fprintf(&b, " role %s", t.ExecutionRole)
		}
		for _, c := range t.Containers {
			fmt.Fprintf(&b, " [%s", c.Name)
			for _, e := range c.Entries() {
				fmt.Fprintf(&b, " %s|%s|%s", e.Mode, e.Source, strings.NewReplacer(Unknown, "?", Word, "_", Region, "@").Replace(e.Place()))
			}
			b.WriteString("]")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestTaskDefinitions(t *testing.T) {
	const containers = `[{"name": "web", "image": "web", "credentialSpecs": ["credentialspec:arn:aws:s3:::specs/webapp.json"]}]`
	for _, tt := range []struct{ name, file, text, want string }{
		{"API", "task.json", `{"family": "web", "executionRoleArn": "arn:aws:iam::111122223333:role/e", "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1",
			"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2019_CORE"}, "containerDefinitions": ` + containers + `}`,
			"windows/ltsc2019/eu-west-1 role arn:aws:iam::111122223333:role/e [web credentialspec|s3|arn:aws:s3:::specs/webapp.json]"},
		{"described", "task.json", `{"taskDefinition": {"family": "web", "requiresCompatibilities": ["FARGATE"], "containerDefinitions": ` + containers + `}}`,
			"linux// fargate [web credentialspec|s3|arn:aws:s3:::specs/webapp.json]"},
		{"list", "containers.json", containers, "// [web credentialspec|s3|arn:aws:s3:::specs/webapp.json]"},
		{"old field", "task.json", `{"containerDefinitions": [{"name": "web", "image": "mcr.microsoft.com/windows/servercore:ltsc2022", "dockerSecurityOptions": ["no-new-privileges", "credentialspec:file://webapp.json"]}]}`,
			"windows/ltsc2022/ [web credentialspec|file|file://webapp.json]"},
		{"CloudFormation", "template.yaml", `
Parameters: {Spec: {Type: String}}
Resources:
  Specs: {Type: AWS::S3::Bucket}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      NetworkMode: bridge
      ExecutionRoleArn: !GetAtt Role.Arn
      ContainerDefinitions:
        - Name: a
          CredentialSpecs: [!Sub 'credentialspec:${Specs.Arn}/a.json']
        - Name: b
          CredentialSpecs:
            - !Join ['', ['credentialspecdomainless:arn:', !Ref AWS::Partition, ':ssm:', !Ref AWS::Region, ':', !Ref AWS::AccountId, ':parameter', !Ref Spec]]
        - Name: c
          CredentialSpecs: [{'Fn::Sub': ['credentialspec:arn:aws:s3:::${Bucket}/${!Name}', {Bucket: specs}]}]
        - Name: d
          CredentialSpecs: [!ImportValue spec]
        - Name: e
          CredentialSpecs: !Ref AWS::NoValue
`, "linux// role * [a credentialspec|s3|arn:_:s3:::_/a.json] [b credentialspecdomainless|ssm|arn:_:ssm:@:_:parameter?] [c credentialspec|s3|arn:aws:s3:::specs/${Name}] [d ?|unknown|?] [e]"},
		{"named resources", "template.json", `{"Resources": {
			"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/team/webapp"}}, "S": {"Type": "AWS::SecretsManager::Secret"},
			"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"Name": "a", "CredentialSpecs": [{"Fn::Sub": "credentialspec:arn:aws:ssm:eu-west-1:111122223333:parameter${P}"}]},
				{"Name": "b", "CredentialSpecs": [{"Fn::Join": ["", ["credentialspec:", {"Ref": "S"}]]}]}]}}}}`,
			"// [a credentialspec|ssm|arn:aws:ssm:eu-west-1:111122223333:parameter/team/webapp] [b credentialspec|unknown|arn:_:secretsmanager:@:_:secret:_]"},
		{"Terraform", "main.tf.json", `{"resource": {"aws_ecs_task_definition": {"web": {"family": "web", "execution_role_arn": "${aws_iam_role.e.arn}", "runtime_platform": [{"operating_system_family": "LINUX"}],
			"container_definitions": "[{\"name\": \"web\", \"image\": \"web\", \"credentialSpecs\": [\"credentialspecdomainless:${aws_s3_bucket.specs.arn}/web.json\"]}]"}}}}`,
			"linux// role * [web credentialspecdomainless|unknown|?/web.json]"},
		{"HCL", "main.tf", `
resource "aws_s3_bucket" "specs" {}
resource "aws_ecs_task_definition" "web" {
  family                   = "web"
  execution_role_arn       = aws_iam_role.execution.arn
  requires_compatibilities = ["FARGATE"]
  container_definitions = jsonencode([
    { name = "a", image = "web", credentialSpecs = ["credentialspecdomainless:${aws_s3_bucket.specs.arn}/web.json"] },
    { name = "b", image = "web", credentialSpecs = ["credentialspec:arn:aws:s3:::specs/b.json"] },
    { name = "c", image = "web", credentialSpecs = [local.spec] },
  ])
}
resource "aws_ecs_task_definition" "old" {
  network_mode = "bridge"
  runtime_platform { operating_system_family = "WINDOWS_SERVER_2019_CORE" }
  container_definitions = <<EOF
[{"name": "d", "dockerSecurityOptions": ["credentialspec:file://${var.account}.json"]}]
EOF
}
`, "linux// fargate role * [a credentialspecdomainless|unknown|?/web.json] [b credentialspec|s3|arn:aws:s3:::specs/b.json] [c ?|unknown|?]\nwindows/ltsc2019/ [d credentialspec|file|file://?.json]"},
		{"agent", "state.json", `{"containerDefinitions": [{"name": "web", "dockerConfig": {"hostConfig": "{\"SecurityOpt\":[\"credentialspec:file://webapp.json\"]}"}}], "resources": {}}`,
			"// [web credentialspec|file|file://webapp.json]"},
		{"agent's database", "state.json", `{"Data": {"TaskEngine": {"Tasks": [{"Arn": "arn:aws:ecs:eu-west-1:111122223333:task/1", "Containers": [{"Name": "web", "dockerConfig": {"hostConfig": "{\"SecurityOpt\":[\"credentialspec:file://webapp.json\"]}"}}]}]}}}`,
			"//eu-west-1 [web credentialspec|file|file://webapp.json]"},
		{"unknown prefix", "task.json", `{"containerDefinitions": [{"name": "web", "credentialSpecs": ["domainlesscredentialspec:arn:aws:s3:::b/k", "credentialspec=file://a.json", "x"]}]}`,
			"// [web |s3|arn:aws:s3:::b/k |file|file://a.json |unknown|x]"},
	} {
		s := Read([]*source.File{source.NewFile(tt.file, []byte(tt.text))})
		if got := strings.TrimSpace(tasksOf(s)); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// TestTaskLinks: what S3 or the parameter store holds is found in the set by its name.
func TestTaskLinks(t *testing.T) {
	spec := source.NewFile("specs/webapp.json", []byte(`{"CmsPlugins": ["ActiveDirectory"]}`))
	for _, place := range []string{"arn:aws:s3:::bucket/team/webapp.json", "arn:aws:ssm:eu-west-1:111122223333:parameter/team/webapp", "file://webapp.json"} {
		s := Read([]*source.File{spec, source.NewFile("task.json", []byte(`{"containerDefinitions": [{"name": "web", "credentialSpecs": ["credentialspec:`+place+`"]}]}`))})
		if len(s.Uses) != 1 || s.Uses[0].Spec == nil {
			t.Errorf("%s: %+v", place, s.Uses)
		}
	}
	s := Read([]*source.File{spec, source.NewFile("task.json", []byte(`{"containerDefinitions": [{"name": "web", "credentialSpecs": ["credentialspec:arn:aws:s3:::bucket/other.json"]}]}`))})
	if u := s.Uses[0]; u.Spec != nil || u.Missing != NotHeld {
		t.Errorf("another name: %+v", u)
	}
}

// TestTaskPlaces: a part of an entry is the string that gives it, through JSON in JSON and through a join.
func TestTaskPlaces(t *testing.T) {
	for _, text := range []string{
		`{"containerDefinitions": [{"name": "w", "credentialSpecs": ["credentialspec:file://a.json"]}]}`,
		`{"containerDefinitions": [{"name": "w", "dockerConfig": {"hostConfig": "{\"SecurityOpt\":[\"credentialspec:file://a.json\"]}"}}]}`,
		`{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"CredentialSpecs": [{"Fn::Join": ["", ["credential", "spec:", "file://", "a.json"]]}]}]}}}}`,
		`{"resource": {"aws_ecs_task_definition": {"w": {"container_definitions": "[{\"credentialSpecs\": [\"credentialspec:file://a.json\"]}]"}}}}`,
	} {
		f := source.NewFile("t.json", []byte(text))
		e := Read([]*source.File{f}).Tasks[0].Containers[0].Entries()[0]
		at := strings.Index(e.Value, "a.json")
		edit, ok := e.Part(at, at+6).Replace("b.json")
		if !ok {
			t.Fatalf("%s: no edit", text)
		}
		if got, _ := source.Apply(f, []source.Edit{edit}); string(got) != strings.Replace(text, "a.json", "b.json", 1) {
			t.Errorf("after the edit: %s", got)
		}
	}
}

func TestPluginFiles(t *testing.T) {
	for _, tt := range []struct {
		file, text string
		want       Form
	}{
		{"s.json", `{"username": "svc", "password": "p", "domainName": "corp.example"}`, FormPluginSecret},
		{"s.json", `{"Username": "svc", "DomainName": "corp.example"}`, FormPluginSecret},
		{"s.json", `{"username": "svc", "password": "p", "engine": "mysql", "host": "db"}`, FormUnknown},
		{"s.txt", `corp\svc:p"ss`, FormPluginSecret},
		{"s.txt", `System.Security.SecureString`, FormPluginSecret},
		{"s.txt", `svc@corp.example:p`, FormPluginSecret},
		{"s.txt", `https://corp.example:8443`, FormUnknown},
		{"s.txt", `git@github.com:owner/name`, FormUnknown},
		{"c.yml", "defaults: {vault_addr: 'http://127.0.0.1:8200'}\nsources: {a: {type: kv2}}", FormCcgVault},
		{"c.yml", "sources: {a: {type: git}}", FormUnknown},
	} {
		s := Read([]*source.File{source.NewFile(tt.file, []byte(tt.text))})
		if got := s.Documents[0].Form; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

// TestSubstitutionBomb: substitutions that multiply end as unknown text.
func TestSubstitutionBomb(t *testing.T) {
	inner := `"x"`
	for range 60 {
		inner = `{"Fn::Sub": ["${A}${A}${A}${A}", {"A": ` + inner + `}]}`
	}
	s := Read([]*source.File{source.NewFile("t.json", []byte(`{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"CredentialSpecs": [`+inner+`]}]}}}}`))})
	if e := s.Tasks[0].Containers[0].Specs[0]; e.Known() || len(e.Value) > 3*maxText {
		t.Errorf("%d bytes", len(e.Value))
	}
}

// FuzzTask: no template breaks the reader, and every part of an entry lies in its file.
func FuzzTask(f *testing.F) {
	f.Add("t.json", `{"containerDefinitions": [{"name": "w", "credentialSpecs": ["credentialspec:arn:aws:s3:::b/k"], "dockerSecurityOptions": ["credentialspec:file://a"]}], "executionRoleArn": ""}`)
	f.Add("t.json", `{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [{"CredentialSpecs": [{"Fn::Join": ["", ["a", {"Ref": "B"}]]}, {"Fn::Sub": ["${A}", {"A": "b"}]}]}]}}}}`)
	f.Add("t.yaml", "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n      - CredentialSpecs: [!Sub '${A.Arn}', !Join ['', [!Ref B]], !GetAtt C.D, !If [x, y, z]]\n")
	f.Add("t.json", `{"resource": {"aws_ecs_task_definition": {"w": {"container_definitions": "[{\"credentialSpecs\": [\"credentialspec:file://a.json\"]}]"}}}}`)
	f.Add("t.json", `{"containerDefinitions": [{"dockerConfig": {"hostConfig": "{\"SecurityOpt\":[\"credentialspec:"}}]}`)
	f.Add("main.tf", "resource \"aws_ecs_task_definition\" \"w\" {\n  container_definitions = jsonencode([{ credentialSpecs = [\"credentialspec:${a.b}/c\"] }])\n}\nresource \"aws_ecs_task_definition\" \"x\" {\n  container_definitions = <<E\n[{\"credentialSpecs\": [\"${a}\"]}]\nE\n}\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		s := Read([]*source.File{source.NewFile(name, []byte(text))})
		for _, task := range s.Tasks {
			for _, c := range task.Containers {
				for _, e := range c.Entries() {
					for _, n := range []*source.Node{e.Part(0, len(e.Value)), e.Part(e.From, len(e.Value))} {
						if span := n.Span(); span.Offset < 0 || span.Offset+span.Length > len(span.File.Data) {
							t.Fatalf("%q: the place %d+%d", e.Value, span.Offset, span.Length)
						}
					}
				}
			}
		}
	})
}
