package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkCheck checks folders of Kubernetes manifests, of which all or few have to do with credential specs; the time of one file and what it leaves
// in memory are beside it.
func BenchmarkCheck(b *testing.B) {
	for _, tt := range []struct {
		name         string
		files, every int // every how manieth has an identity
	}{{"1000-all", 1000, 1}, {"1000-few", 1000, 20}, {"10000-few", 10_000, 20}} {
		b.Run(tt.name, func(b *testing.B) {
			dir := b.TempDir()
			for i := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("app%d.yaml", i)), []byte(manifest(i, i%tt.every == 0)), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			for b.Loop() {
				if status := newApp(strings.NewReader(""), io.Discard, io.Discard).run(b.Context(), []string{"check", "--fail-on", "never", dir}); status != exitOK {
					b.Fatalf("status %d", status)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*tt.files), "µs/file")
		})
	}
}

// manifest is a deployment with its service, with the identity of a service account or without.
func manifest(i int, identity bool) string {
	options := ""
	if identity {
		options = fmt.Sprintf("      nodeSelector: {kubernetes.io/os: windows}\n      securityContext:\n        windowsOptions: {gmsaCredentialSpecName: webapp%d}\n", i)
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: app%[1]d, namespace: team%[2]d, labels: {app: app%[1]d}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app%[1]d}}
  template:
    metadata: {labels: {app: app%[1]d}}
    spec:
      serviceAccountName: app%[1]d
%[3]s      containers:
      - name: app
        image: registry.corp.example/app%[1]d:1.0
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        readinessProbe: {httpGet: {path: /, port: 80}}
        resources: {limits: {cpu: 100m, memory: 1Gi}}
---
apiVersion: v1
kind: Service
metadata: {name: app%[1]d, namespace: team%[2]d}
spec: {selector: {app: app%[1]d}, ports: [{port: 80}]}
`, i, i%50, options)
}
