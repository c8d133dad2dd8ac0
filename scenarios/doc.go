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
//	domain: contoso
//	steps:
//	  - joinHost: {name: Build01}
//	  - id: test
//	    testServiceAccount: {host: Build01, account: WebApp01}
//	    expect: {finding: GMSA201}
//
// The form is strict. What is unknown, named twice, not used or cannot be is refused with file, line, column and the nearest valid
// name. A step whose end is not stated must succeed. There are no anchors, no includes and no expressions; repetition is cases,
// whose columns are $name in domain and steps.
//
// [Load] reads bundles, [Bundle.Run] runs one, [Catalog] has those that are built in. A [Session] carries out single steps in a
// domain that runs already.
package scenarios
