package check

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// manifests are the texts of n files as a team's repository has them: of ten, four workloads, two GMSACredentialSpecs, two files with a role and a
// binding, a compose file and a credential spec. Every tenth group has a few of the usual mistakes.
func manifests(n int) map[string]string {
	files := map[string]string{}
	const spec = `CmsPlugins:
  - ActiveDirectory
  DomainJoinConfig:
    Sid: S-1-5-21-2005147832-1190431754-3022818347
    MachineAccountName: app%[1]d
    Guid: 3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36
    DnsTreeName: corp.example
    DnsName: corp.example
    NetBiosName: CORP
  ActiveDirectoryConfig:
    GroupManagedServiceAccounts:
    - Name: app%[1]d
      Scope: corp.example
    - Name: app%[1]d
      Scope: CORP
`
	for i := range n {
		group := i / 10
		name := fmt.Sprintf("app%d", group)
		switch i % 10 {
		case 0, 1, 2, 3:
			selector := "      nodeSelector:\n        kubernetes.io/os: windows\n"
			if group%10 == 0 {
				selector = ""
			}
			files[fmt.Sprintf("%s/deployment%d.yaml", name, i%10)] = fmt.Sprintf(`# The web tier of %[1]s.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web%[2]d
  namespace: %[1]s
  labels: {app: web, team: "web"}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      serviceAccountName: web
      securityContext:
        windowsOptions:
          gmsaCredentialSpecName: %[1]s
%[3]s      containers:
      - name: web
        image: registry.corp.example/web:1.%[2]d
        ports:
        - containerPort: 80
        env:
        - {name: A, value: "1"}
        - name: B
          valueFrom:
            secretKeyRef: {name: s, key: b}
        resources:
          limits:
            cpu: 500m
            memory: 512Mi
---
apiVersion: v1
kind: Service
metadata:
  name: web%[2]d
  namespace: %[1]s
spec:
  ports:
  - port: 80
`, name, i, selector)
		case 4, 5:
			suffix := map[int]string{5: "-b"}[i%10]
			files[fmt.Sprintf("%s/credspec%d.yaml", name, i%10)] = fmt.Sprintf("apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata:\n  name: %[2]s\ncredspec:\n  "+spec, group, name+suffix)
		case 6, 7:
			files[fmt.Sprintf("%s/rbac%d.yaml", name, i%10)] = fmt.Sprintf(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: use-%[1]s-%[2]d
rules:
- apiGroups: [windows.k8s.io]
  resources: [gmsacredentialspecs]
  verbs: [use]
  resourceNames: [%[1]s]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: use
  namespace: %[1]s
subjects:
- kind: ServiceAccount
  name: web
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: use-%[1]s-%[2]d
`, name, i)
		case 8:
			files[name+"/compose.yaml"] = fmt.Sprintf("services:\n  web:\n    image: mcr.microsoft.com/windows/servercore:ltsc2022\n    hostname: %[1]s\n    security_opt:\n    - credentialspec=file://%[1]s.json\n", name)
		case 9:
			files[name+"/"+name+".json"] = fmt.Sprintf(`{
  "CmsPlugins": ["ActiveDirectory"],
  "DomainJoinConfig": {
    "Sid": "S-1-5-21-2005147832-1190431754-3022818347",
    "MachineAccountName": "%[1]s",
    "Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36",
    "DnsTreeName": "corp.example",
    "DnsName": "corp.example",
    "NetBiosName": "CORP"
  },
  "ActiveDirectoryConfig": {
    "GroupManagedServiceAccounts": [
      {"Name": "%[1]s", "Scope": "corp.example"},
      {"Name": "%[1]s", "Scope": "CORP"}
    ]
  }
}
`, name)
		}
	}
	return files
}

func benchmarkCheck(b *testing.B, n int) {
	texts := manifests(n)
	if len(texts) != n {
		b.Fatalf("%d files", len(texts))
	}
	b.ReportAllocs()
	reports := 0
	for b.Loop() {
		var files []*source.File
		for name, text := range texts {
			files = append(files, source.NewFile(name, []byte(text)))
		}
		reports = len(Run(setup.Read(files), Options{}).Reports)
	}
	b.ReportMetric(float64(reports), "reports")
	runtime.KeepAlive(texts)
}

// BenchmarkCheck1000 reads and checks a thousand files on one core: under a second is the aim.
func BenchmarkCheck1000(b *testing.B) { benchmarkCheck(b, 1_000) }

// BenchmarkCheck10000 shows that ten times the files take ten times as long.
func BenchmarkCheck10000(b *testing.B) { benchmarkCheck(b, 10_000) }
