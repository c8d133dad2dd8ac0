module github.com/gmsasim/gmsasim

go 1.26.0

// Every direct dependency has its reason. Versions are pinned exactly and never updated in bulk.
require (
	// Changes of files, for check --watch.
	github.com/fsnotify/fsnotify v1.10.1
	// BER of LDAP messages in tests and of check's controls: an independent judge of the codec in fakeads.
	github.com/go-asn1-ber/asn1-ber v1.5.8
	// The LDAP client most Go tools use: check asks directories with it, and our tests drive the simulated one.
	github.com/go-ldap/ldap/v3 v3.4.15
	// Strict YAML whose errors carry line, column and an excerpt: scenario bundles are written by people.
	github.com/goccy/go-yaml v1.19.2
	// Jobs of Nomad and files of Terraform with the place of each value: the parser of those products.
	github.com/hashicorp/hcl/v2 v2.24.0
	// ASN.1 with the string types Kerberos needs; gokrb5's messages can only be marshalled with it, in tests and the load generator.
	github.com/jcmturner/gofork v1.7.6
	// Keys from passwords, RFC 3962 and 8009; the client that gets tickets for check; and the judge of fakekdc in tests: messages, types, keytabs, crypto.
	github.com/jcmturner/gokrb5/v8 v8.4.4
	// DNS messages and server for the domain-controller locator's zone.
	github.com/miekg/dns v1.1.73
	// Scenario and conformance suites, tests only.
	github.com/onsi/ginkgo/v2 v2.34.0
	github.com/onsi/gomega v1.44.0
	// The schema of SARIF as OASIS publishes it; a test takes the text from its source.
	github.com/owenrumney/go-sarif/v3 v3.0.0
	// testscript: golden tests of the command line; and the differences that check --fix --dry-run prints.
	github.com/rogpeppe/go-internal v1.16.0
	// JSON Schema, tests only: what check writes is held against published schemas.
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	// Command line: completions, help, unknown flags refused.
	github.com/spf13/cobra v1.10.2
	// Flags of cobra: which flag was unknown, so that the nearest one can be named.
	github.com/spf13/pflag v1.0.9
	// Accept loop, dispatch and shutdown of the LDAP face. The commit is MIT, the tag v1.0.1 is GPL-2.
	github.com/vjeantet/ldapserver v1.0.2-0.20260218215457-e117373377c0
	// The values of HCL's literals.
	github.com/zclconf/go-cty v1.16.3
	// YAML of users' manifests as nodes with their places, every document up to a mistake; the family of readers that kubectl and compose use, with their texts.
	go.yaml.in/yaml/v3 v3.0.5
	// MD4 for the NT hash.
	golang.org/x/crypto v0.54.0
	// Network namespaces in the benchmark, whose client meets Samba in one.
	golang.org/x/sys v0.47.0
	// txtar: one file holds a scenario, its inputs and its goldens.
	golang.org/x/tools v0.48.0
	// Property tests: interval arithmetic, round trips, replica convergence.
	pgregory.net/rapid v1.3.0
)

require (
	github.com/Azure/go-ntlmssp v0.1.1 // indirect
	github.com/Masterminds/semver/v3 v3.4.0 // indirect
	github.com/agext/levenshtein v1.2.1 // indirect
	github.com/alexbrainman/sspi v0.0.0-20250919150558-7d374ff0d59e // indirect
	github.com/apparentlymart/go-textseg/v15 v15.0.0 // indirect
	github.com/go-logr/logr v1.4.3 // indirect
	github.com/go-task/slim-sprig/v3 v3.0.0 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/google/pprof v0.0.0-20260402051712-545e8a4df936 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/hashicorp/go-uuid v1.0.3 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jcmturner/aescts/v2 v2.0.0 // indirect
	github.com/jcmturner/dnsutils/v2 v2.0.0 // indirect
	github.com/jcmturner/goidentity/v6 v6.0.1 // indirect
	github.com/jcmturner/rpc/v2 v2.0.3 // indirect
	github.com/mitchellh/go-wordwrap v1.0.1 // indirect
	github.com/vjeantet/goldap v0.0.0-20260218214109-3dcf54ec83d6 // indirect
	github.com/xeipuuv/gojsonpointer v0.0.0-20180127040702-4e3ac2762d5f // indirect
	github.com/xeipuuv/gojsonreference v0.0.0-20180127040603-bd5ef7bd5415 // indirect
	github.com/xeipuuv/gojsonschema v1.2.0 // indirect
	golang.org/x/mod v0.38.0 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)
