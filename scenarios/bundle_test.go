package scenarios

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// bundleText puts a domain and steps into a bundle; the first line of the domain is line 9.
func bundleText(rest string) string {
	return "A lesson\n\n-- scenario.yaml --\nschema: gmsasim/v1\nid: test\ntitle: A test\n" + rest
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // one for each fault, in order
	}{
		{"nothing", "", []string{"test.txtar:1:1: there is no part -- scenario.yaml --"}},
		{"an empty part", "-- scenario.yaml --\n", []string{"test.txtar:2:1: there is nothing in it"}},
		{"not YAML", bundleText("steps: [\n"), []string{"test.txtar:7:8: sequence end token ']' not found"}},
		{"a list", "-- scenario.yaml --\n- 1\n", []string{"test.txtar:2:1: want a mapping with schema, id, title, area, level, mode, covers, findings, domain, cases, steps, got a list"}},
		{"a later schema", "-- scenario.yaml --\nschema: gmsasim/v2\nfuture: 1\n",
			[]string{`test.txtar:2:9: schema "gmsasim/v2": this version reads gmsasim/v1; nearest: gmsasim/v1`}},
		{"schema not first", "-- scenario.yaml --\nid: test\nschema: gmsasim/v1\ntitle: x\nsteps: [advance: 1h]\n",
			[]string{"test.txtar:2:1: the first key is schema: gmsasim/v1"}},
		{"missing keys", "-- scenario.yaml --\nschema: gmsasim/v1\n",
			[]string{"test.txtar:2:1: the key id is missing", "test.txtar:2:1: the key title is missing", "test.txtar:2:1: the key steps is missing"}},
		{"an unknown key", bundleText("domian: contoso\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:7:1: no key "domian" here; known: schema, id, title, area, level, mode, covers, findings, domain, cases, steps; nearest: domain`}},
		{"a key twice", bundleText("area: spn\narea: kds\nsteps: [advance: 1h]\n"), []string{`test.txtar:8:1: mapping key "area" already defined at [4:1]`}},
		{"an anchor", bundleText("domain: &d contoso\nsteps: [advance: 1h]\n"),
			[]string{"test.txtar:7:9: anchors and aliases are not part of the format; repetition is cases, reuse is again"}},
		{"another id than the file", strings.Replace(bundleText("steps: [advance: 1h]\n"), "id: test", "id: other", 1),
			[]string{"test.txtar:5:5: the id is other and the file is named test; they must be the same"}},
		{"an id that is none", strings.Replace(bundleText("steps: [advance: 1h]\n"), "id: test", "id: Test It", 1),
			[]string{`test.txtar:5:5: "Test It" is not an id: up to five words of small letters and digits, joined by hyphens`}},
		{"area, level, section, finding", bundleText("area: spnn\nlevel: 4\ncovers: [guide/create-acount]\nfindings: [GMSA1002]\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:7:7: no area "spnn"; known: path, kds, …; nearest: spn`,
				"test.txtar:8:8: level 4 is not 1, 2 or 3",
				`test.txtar:9:10: no section "guide/create-acount" of the guide; nearest: guide/create-account`,
				`test.txtar:10:12: no finding "GMSA1002"; nearest: GMSA102`}},
		{"no steps", bundleText("steps: []\n"), []string{"test.txtar:7:8: 0 steps; a scenario has 1 to 1024"}},
		{"a part that nothing uses", bundleText("steps: [advance: 1h]\n-- notes.txt --\nx\n"),
			[]string{"test.txtar:8:1: nothing uses the part notes.txt; goldens are below want/"}},
		{"a part twice", bundleText("steps: [advance: 1h]\n-- scenario.yaml --\nx\n"), []string{"test.txtar:8:1: the part scenario.yaml is there already"}},
		{"a part outside", bundleText("steps: [advance: 1h]\n-- ../x --\nx\n"), []string{`test.txtar:8:1: "../x" is not a clean relative name`}},
		{"a golden that nothing refers to", bundleText("steps:\n  - advance: 1h\n    expect: {output: want/advance.txt}\n-- want/advances.txt --\nx\n"),
			[]string{"test.txtar:10:1: no step has the output want/advances.txt; nearest: want/advance.txt"}},

		{"an unknown ready-made domain", bundleText("domain: conotso\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:7:9: no ready-made domain "conotso"; there is contoso; nearest: contoso`}},
		{"an unknown key of the domain", bundleText("domain:\n  groups:\n    - {name: G, member: [A]}\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:9:17: no key "member" here; known: name, scope, category, members, membersSince, rid, domain; nearest: members`}},
		{"a reference to nothing in the domain", bundleText("domain:\n  hosts: [{name: Host01}]\n  groups:\n    - {name: G, members: [Hots01]}\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:10:27: no account or group "Hots01"; nearest: Host01`}},
		{"a duplicate name in the domain", bundleText("domain:\n  users: [{name: alice}]\n  groups: [{name: Alice}]\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:9:19: the name "Alice" (sAMAccountName Alice) is taken by users[0]`}},
		{"an impossible domain", bundleText("domain:\n  serviceAccounts: [{name: WebApp01}]\nsteps: [advance: 1h]\n"),
			[]string{"test.txtar:8:20: no KDS root key is usable at the start, and a DC makes no service account without one; add a key with effective: -10h"}},
		{"wrong words and values", bundleText("domain:\n  rootKeyPolicy: stict\n  start: 2019-05-03T10:00:00+02:00\n  replicationDelay: 5\n  seed: -1\nsteps: [advance: 1h]\n"),
			[]string{`test.txtar:8:18: "stict" is not one of strict, interval, samba; nearest: strict`,
				`test.txtar:9:10: "2019-05-03T10:00:00+02:00" is not a time in UTC such as 2019-05-03T10:00:00Z`,
				`test.txtar:10:21: "5" is not a duration such as 10h or 9h59m`,
				`test.txtar:11:9: "-1" is not a whole number from 0`}},

		{"cases that are none", bundleText("cases: {a: 1}\nsteps: [advance: 1h]\n"), []string{"test.txtar:7:8: want a list of cases, got a mapping"}},
		{"columns that differ", bundleText("cases:\n  - {a: 1h}\n  - {b: 1h}\nsteps: [advance: $a]\n"),
			[]string{"test.txtar:9:5: the columns are b, those of the first case are a"}},
		{"a case twice", bundleText("cases:\n  - {a: 1h}\n  - {a: 1h}\nsteps: [advance: $a]\n"), []string{`test.txtar:9:5: there is a case "a=1h" already`}},
		{"a column that no step uses", bundleText("cases:\n  - {a: 1h, b: 2}\nsteps: [advance: $a]\n"),
			[]string{"test.txtar:8:13: no step uses the column b; write $b where its value goes"}},
		{"a column that is not there", bundleText("cases:\n  - {wait: 1h}\nsteps:\n  - advance: $wiat\n  - advance: $wait\n"),
			[]string{"test.txtar:10:14: no column wiat in cases; nearest: wait", `test.txtar:10:14: "$wiat" is not a duration such as 10h or 9h59m`}},
		{"a fault in the value of a case", bundleText("cases:\n  - {wait: 1h}\n  - {wait: soon}\nsteps: [advance: $wait]\n"),
			[]string{`test.txtar:9:12: "soon" is not a duration such as 10h or 9h59m`}},

		{"a step that is none", bundleText("steps:\n  - advance\n"), []string{"test.txtar:8:5: want a step: a mapping with one verb, got a single value"}},
		{"an unknown verb", bundleText("steps:\n  - testServiceAcount: {host: a, account: b}\n"),
			[]string{`test.txtar:8:5: no verb or key "testServiceAcount" in a step; nearest: testServiceAccount`}},
		{"two verbs", bundleText("steps:\n  - advance: 1h\n    replicate:\n"), []string{"test.txtar:9:5: a step has one verb, and advance is there already"}},
		{"no verb", bundleText("steps:\n  - id: x\n"), []string{"test.txtar:8:5: the step has no verb: one of addKDSRootKey, …"}},
		{"an unknown argument", bundleText("domain: contoso\nsteps:\n  - testServiceAccount: {host: ContainerHost01, acount: WebApp01}\n"),
			[]string{`test.txtar:9:49: no key "acount" here; known: host, account; nearest: account`, "test.txtar:9:25: the key account is missing"}},
		{"an unknown host", bundleText("domain: contoso\nsteps:\n  - testServiceAccount: {host: ContainerHots01, account: WebApp01}\n"),
			[]string{`test.txtar:9:32: no host "ContainerHots01" at this step; nearest: ContainerHost01`}},
		{"an unknown account", bundleText("domain: contoso\nsteps:\n  - testServiceAccount: {host: ContainerHost01, account: WebAp01}\n"),
			[]string{`test.txtar:9:58: no account or group "WebAp01" at this step; nearest: WebApp01`}},
		{"an unknown DC, standing alone", bundleText("steps:\n  - stopDC: DC1\n"), []string{`test.txtar:8:13: no DC "DC1"; nearest: DC01`}},
		{"an unknown member", bundleText("domain: contoso\nsteps:\n  - addGroupMember:\n      group: WebApp01Hosts\n      members: [alice, bob, ContainerHost04]\n"),
			[]string{`test.txtar:11:24: no account or group "bob" at this step`, `test.txtar:11:29: no account or group "ContainerHost04" at this step; nearest: ContainerHost01`}},
		{"a host before it has joined", bundleText("steps:\n  - restartHost: Build01\n  - joinHost: {name: Build01}\n"), []string{`test.txtar:8:18: no host "Build01" at this step`}},
		{"a host twice", bundleText("domain: contoso\nsteps:\n  - joinHost: {name: containerhost01$}\n"), []string{`test.txtar:9:22: there is a host "containerhost01" already`}},
		{"a host that cannot be", bundleText("steps:\n  - joinHost: {name: a_host_with_a_long_name, dcs: [DC02]}\n"),
			[]string{`test.txtar:8:22: "a_host_with_a_long_name" has 23 characters, at most 15 are allowed`,
				`test.txtar:8:22: "a_host_with_a_long_name" is not a computer name: letters, digits and hyphens`,
				`test.txtar:8:53: no DC "DC02"; nearest: DC01`}},
		{"a closed port that is none", bundleText("domain: contoso\nsteps:\n  - closePort: {host: ContainerHost01, port: DC01:99999}\n"),
			[]string{`test.txtar:9:46: "DC01:99999": "99999" is not a port`}},
		{"time that stands or goes back", bundleText("steps:\n  - advance: 0s\n  - advance: -1h\n  - advanceTo: 2019-05-03T09:00:00Z\n"),
			[]string{"test.txtar:8:14: 0s: domain time moves forward only", "test.txtar:9:14: -1h0m0s: domain time moves forward only",
				"test.txtar:10:16: domain time is 2019-05-03T10:00:00Z already at this step"}},
		{"a point that is none", bundleText("domain: contoso\nsteps:\n  - advanceTo: {account: WebApp01, point: skewwindows, interval: -1}\n"),
			[]string{"test.txtar:9:66: -1 is not between 0 and 10000", `test.txtar:9:43: no point "skewwindows" of a rotation; nearest: skewWindow`}},
		{"a fault that cannot happen", bundleText("steps:\n  - inject: {on: kdc.as, do: busy}\n"),
			[]string{"test.txtar:8:30: busy is an answer of LDAP and cannot happen to kdc.as"}},
		{"a protection that is none", bundleText("domain: contoso\nsteps:\n  - readPassword: {host: ContainerHost01, account: WebApp01, protection: seald}\n"),
			[]string{`test.txtar:9:74: "seald" is not one of sealed, signed, plain; nearest: sealed`}},
		{"nothing to set", bundleText("domain: contoso\nsteps:\n  - setServiceAccount: {account: WebApp01}\n"), []string{"test.txtar:9:24: nothing is to be set"}},
		{"either or", bundleText("domain: contoso\nsteps:\n  - kerberosTo: {spn: host/a}\n  - purgeTickets: {}\n"),
			[]string{"test.txtar:9:17: one of from, an account, session, a step that signed one in, and container, a step that runs one", "test.txtar:10:19: either host or session"}},
		{"as and server elsewhere", bundleText("domain: contoso\nsteps:\n  - {as: alice, server: DC01, advance: 1h}\n"),
			[]string{"test.txtar:9:10: as is for the verbs of an administrator; advance is not one", "test.txtar:9:25: server is for the verbs of an administrator; advance is not one"}},
		{"as and server that are not there", bundleText("domain: contoso\nsteps:\n  - {as: alcie, server: DC02, removeGroup: WebApp01Hosts}\n"),
			[]string{`test.txtar:9:25: no DC "DC02"; nearest: DC01`, `test.txtar:9:10: no account or group "alcie" at this step; nearest: alice`}},

		{"an id twice", bundleText("steps:\n  - {id: a, advance: 1h}\n  - {id: a, advance: 1h}\n"), []string{`test.txtar:9:10: there is a step "a" already`}},
		{"an id that is none", bundleText("steps:\n  - {id: a b, advance: 1h}\n"), []string{`test.txtar:8:10: "a b" is not an id: letters, digits and hyphens`}},
		{"again of nothing", bundleText("steps:\n  - {id: wait, advance: 1h}\n  - again: wiat\n"), []string{`test.txtar:9:12: no earlier step "wiat"; nearest: wait`}},
		{"again and a verb", bundleText("steps:\n  - {id: wait, advance: 1h}\n  - {again: wait, advance: 2h}\n"), []string{"test.txtar:9:13: a step has one verb or again, not both"}},
		{"with of nothing", bundleText("steps:\n  - {advance: 1h, with: {by: 2h}}\n"),
			[]string{"test.txtar:8:25: with changes the arguments of a step that is repeated; there is no again here"}},
		{"a ticket of another kind", bundleText("domain: contoso\nsteps:\n  - {id: s, service: {host: ContainerHost01, account: WebApp01}}\n  - accept: {service: s, ticket: s}\n"),
			[]string{`test.txtar:10:34: the step "s" is service; this needs kerberosTo`}},
		{"a ticket of nothing", bundleText("domain: contoso\nsteps:\n  - {id: s, service: {host: ContainerHost01, account: WebApp01}}\n  - {id: tick, kerberosTo: {from: alice, spn: host/WebApp01}}\n  - accept: {service: s, ticket: tikc}\n"),
			[]string{`test.txtar:11:34: no earlier step "tikc" with kerberosTo; nearest: tick`}},
		{"a ticket that is not to come", bundleText("domain: contoso\nfindings: [GMSA501]\nsteps:\n  - {id: s, service: {host: ContainerHost01, account: WebApp01}}\n  - {id: t, kerberosTo: {from: alice, spn: a/b}, expect: GMSA501}\n  - accept: {service: s, ticket: t}\n"),
			[]string{`test.txtar:12:34: the step "t" is to fail with GMSA501, so it gives nothing to use`}},
		{"restore of nothing", bundleText("steps:\n  - {id: a, snapshot: }\n  - restore: b\n"), []string{`test.txtar:9:14: no earlier step "b" with snapshot`}},
		{"a host of after the snapshot", bundleText("steps:\n  - {id: a, snapshot: }\n  - joinHost: {name: H}\n  - restore: a\n  - restartHost: H\n"),
			[]string{`test.txtar:11:18: no host "H" at this step`}},

		{"an expectation that is none", bundleText("steps:\n  - {advance: 1h, expect: GMSA12}\n"), []string{`test.txtar:8:27: "GMSA12" is neither ok nor the code of a finding; nearest: GMSA102`}},
		{"ok: false", bundleText("steps:\n  - {advance: 1h, expect: {ok: false}}\n"), []string{"test.txtar:8:32: a step that is meant to fail says how: finding: CODE or error: TEXT"}},
		{"ok and a finding", bundleText("steps:\n  - {advance: 1h, expect: {ok: true, finding: GMSA102}}\n"), []string{"test.txtar:8:27: ok, finding and error exclude each other"}},
		{"words of a success", bundleText("steps:\n  - {advance: 1h, expect: {says: x, help: y}}\n"),
			[]string{"test.txtar:8:34: says is about a failure; this step is to succeed", "test.txtar:8:43: help is about a finding; name it with finding: CODE"}},
		{"a golden elsewhere", bundleText("steps:\n  - {advance: 1h, expect: {output: advance.txt}}\n"),
			[]string{"test.txtar:8:36: a golden is a part below want/, for instance want/outcome.txt"}},
		{"a fact of nothing", bundleText("steps:\n  - {id: a, advance: 1h}\n  - {advance: 1h, expect: {same: {now: b.now}, differs: {now: now}}}\n"),
			[]string{`test.txtar:9:40: no earlier step "b"`, `test.txtar:9:63: "now" is not the fact of a step: id.fact`}},
		{"findings that no step expects", bundleText("findings: [GMSA101]\nsteps: [advance: 1h]\n"), []string{"test.txtar:7:12: no step expects GMSA101"}},
		{"a finding that the list has not", bundleText("domain: contoso\nsteps:\n  - {kerberosTo: {from: alice, spn: a/b}, expect: GMSA501}\n"),
			[]string{"test.txtar:9:51: a step expects GMSA501, which the list findings does not name"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := Parse("test.txtar", []byte(tt.text))
			if err == nil {
				t.Fatalf("got the bundle %s, want %q", b.ID, tt.want)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(tt.want) {
				t.Fatalf("got %d faults:\n%s\nwant:\n%s", len(got), strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			for i, want := range tt.want {
				if !matches(want, got[i]) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
			if n := len(SourceErrors(err)); n != len(tt.want) {
				t.Errorf("got %d source errors, want %d", n, len(tt.want))
			}
		})
	}
}

// TestParseNotModelled: what the format has and this version has not is another thing than a mistake.
func TestParseNotModelled(t *testing.T) {
	_, err := Parse("test.txtar", []byte(bundleText("steps:\n  - diagnose: {host: x}\n")))
	if !errors.Is(err, diag.NotModelled) || !strings.Contains(err.Error(), "test.txtar:8:5: diagnose is not modelled in this version") {
		t.Errorf("got %v, want GMSA900 at 8:5", err)
	}
}

func TestParse(t *testing.T) {
	text := "The lesson\nin two lines.\n\n-- scenario.yaml --\n" + `schema: gmsasim/v1
id: test
title: "A: test"
area: spn
level: 2
covers: [guide/create-account]
findings: [GMSA501]
domain: contoso
cases:
  - {spn: http/a, before: GMSA501}
  - {spn: host/webapp01, before: ok}
steps:
  - id: ticket
    kerberosTo: {from: alice, spn: $spn}
    expect: $before
  - again: ticket
    with: {spn: host/WebApp01}
    expect: {output: want/x.txt}
-- want/x.txt --
a golden
`
	for _, ends := range []string{"\n", "\r\n"} {
		b, err := Parse("dir/test.txtar", []byte(strings.ReplaceAll(text, "\n", ends)))
		if err != nil {
			t.Fatal(err)
		}
		if b.ID != "test" || b.Title != "A: test" || b.Area != "spn" || b.Level != 2 || b.Lesson != "The lesson\nin two lines." {
			t.Errorf("got %+v", b)
		}
		if len(b.Cases) != 2 || b.Cases[0].Name != "spn=http/a, before=GMSA501" || b.Cases[1].plan.steps[1].action.(*kerberosTo).SPN != "host/WebApp01" {
			t.Errorf("got the cases %+v", b.Cases)
		}
		if got, ok := b.Golden("want/x.txt"); !ok || got != "a golden\n" {
			t.Errorf("golden: got %q", got)
		}
		same, err := b.Format(nil)
		if err != nil || string(same) != text {
			t.Errorf("format: got %q, %v, want the text as it was", same, err)
		}
		changed, err := b.Format(map[string]string{"want/x.txt": "new\n"})
		if err != nil || string(changed) != strings.Replace(text, "a golden", "new", 1) {
			t.Errorf("format with a golden: got %q, %v", changed, err)
		}
	}
}

func TestParseBareYAML(t *testing.T) {
	b, err := Parse("any-name.yaml", []byte("schema: gmsasim/v1\nid: test\ntitle: x\nsteps:\n- advance: 1h\n"))
	if err != nil || b.ID != "test" {
		t.Fatalf("got %v, %v, want the bundle test", b, err)
	}
	if _, err := b.Format(map[string]string{"want/x": "y"}); err == nil {
		t.Error("a bare YAML file took a golden")
	}
	_, err = Parse("x.yaml", []byte("schema: gmsasim/v1\nid: test\ntitle: x\nsteps:\n- advanec: 1h\n"))
	if want := `x.yaml:5:3: no verb or key "advanec" in a step; nearest: advance`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseLimits(t *testing.T) {
	step := "- advance: 1h\n"
	tests := []struct {
		name string
		text string
		want string
	}{
		{"as many steps as there may be", "steps:\n" + strings.Repeat(step, maxSteps), ""},
		{"one step more", "steps:\n" + strings.Repeat(step, maxSteps+1), "1025 steps"},
		{"too large", "steps:\n" + step + "# " + strings.Repeat("x", maxSource), "at most 1048576 are read"},
		{"too deep", "domain: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\nsteps:\n" + step, "brackets are open"},
		{"nested", "domain: " + strings.Repeat("{a: ", 40) + "1" + strings.Repeat("}", 40) + "\nsteps:\n" + step, "nested deeper than 32"},
		{"a zero byte", "steps:\n" + step + "# \x00\n", "zero byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("test.txtar", []byte(bundleText(tt.text)))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig("domain.yaml", []byte("dnsName: fabrikam.com\nstart: 2020-01-01T00:00:00Z\nusers:\n  - name: bob\n"))
	if err != nil || c.DNSName != "fabrikam.com" || !c.Says("start") || c.Says("followRealTime") || len(c.Users) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	c, err = ParseConfig("domain.json", []byte(`{"dnsName": "fabrikam.com", "users": [{"name": "bob"}]}`))
	if err != nil || c.DNSName != "fabrikam.com" || len(c.Users) != 1 {
		t.Errorf("JSON: got %+v, %v", c, err)
	}
	for file, tests := range map[string]map[string]string{
		"d.yaml": {
			"dnsNam: x\n":                          `d.yaml:1:1: no key "dnsNam" here; known: …; nearest: dnsName`,
			"users:\n  - name: bob\n  - name: Bob": `d.yaml:3:11: the name "Bob" (sAMAccountName Bob) is taken by users[0]`,
			"users:\n\t- name: bob":                "d.yaml:2:1: found character '\t' that cannot start any token",
			"a: 1\n---\nb: 2":                      "d.yaml:3:1: a second document begins here; one file holds one",
		},
		"d.json": {
			"{\n  \"dnsNam\": 1}":                  `d.json:2:3: no key "dnsNam" here; known: …; nearest: dnsName`,
			"{\"users\": [\n {\"name\": \"a\",}]}": "d.json:2:14: not JSON: …",
			`{"dnsName": "a.b"} 1`:                 "d.json:1:20: there is more after the value",
			`{"seed": 1, "seed": 2}`:               "d.json:1:13: the key seed is there already",
		},
	} {
		for text, want := range tests {
			if _, err := ParseConfig(file, []byte(text)); err == nil || !matches(want, err.Error()) {
				t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a…", "ab", true}, {"…b", "ab", true}, {"a…c", "abc", true}, {"a…c", "ac", true},
		{"a…c…e", "abcde", true}, {"a…c…e", "abde", false}, {"…", "", true}, {"…a…", "xax", true},
	} {
		if got := matches(tt.pattern, tt.text); got != tt.want {
			t.Errorf("matches(%q, %q): got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}
