// Package scenarios runs scenario bundles: a domain as data, the steps of an administrator in it, and what each step must come to.
//
// A bundle is one txtar file. The text above the first marker is the lesson, the part scenario.yaml says what happens, parts below
// want/ are goldens:
//
//	The host is in the group, and still refused
//
//	-- scenario.yaml --
//	schema: gmsasim/v1
//	id: membership-newer-than-ticket
//	title: The membership is newer than the ticket
//	findings: [GMSA201]
//	domain: contoso
//	steps:
//	  - joinHost: {name: Build01}
//	  - id: test
//	    testServiceAccount: {host: Build01, account: WebApp01}
//	    expect: {finding: GMSA201}
//
// The form is strict. What is unknown, named twice, not used or cannot be is refused with file, line, column and the nearest valid
// name. A step whose end is not stated must succeed. There are no anchors, no includes and no expressions; repetition is cases,
// whose columns are $name in domain and steps. A YAML file that holds scenario.yaml alone is a bundle too.
//
// # scenario.yaml
//
// The keys are schema, id, title, area, level, covers, findings, domain, cases and steps. The id is the name of the file. findings
// are exactly the codes that steps expect; covers are names of [Sections]. domain is the word contoso, for simulator.Contoso, or the
// keys of simulator.Config. Times are RFC 3339 in UTC and durations are Go's.
//
// Each case is a mapping; all have the same columns. A value in domain or steps that is $column as a whole becomes the column's
// value, which may be a list or a mapping. The column case names the case; without it the name is made of all columns.
//
// A step has one verb ([Verbs] lists them with their arguments; each is one method of package simulator) and beside it
//
//	id      names the step, for again and for steps that use its ticket, session, service, fault or snapshot
//	note    is for the reader
//	as      the account of the administrator, server the DC that he works on
//	again   repeats an earlier step; with changes some of its arguments. Its end is expected anew
//	expect  ok, the code of a finding, or a mapping with ok, finding or error (text of an error without a code), and
//	        says     text in the failure or in what Windows prints of it
//	        facts    names and values that the finding or the success states; … stands for any text
//	        same     names of facts that equal those of an earlier step, as id.fact; differs the opposite
//	        nearest  the name that the finding offers; help: text in one of its helps
//	        trace    texts that the events of the step contain in this order
//	        output   the golden that the outcome is compared with, rewritten by -update
//
// A verb with one main argument takes it alone: advance: 10h is advance: {by: 10h}.
//
// # Running
//
// [Load] and [Parse] read bundles, [Catalog] has those that are built in, [Select] chooses by pattern. [Bundle.Run] and [Run] run
// each case in a domain of its own; the case ends at the first step that does not come to what it should, and the steps after it are
// [NotReached]. Results are the same bytes for the same seed. A [Session] carries out single steps in a domain that runs already.
package scenarios
