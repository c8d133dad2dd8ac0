// Package intake makes a world for the doctor of what people have of a real case: an LDIF export of the directory, what docker inspect
// prints, a credential spec, and a short world file for what none of these holds.
//
// What was read, what had to be assumed and what was left out is in a [Report], with the lines. Nothing is dropped in silence: what a
// [simulator.Config] cannot express becomes an [simulator.Edit] of the directory, and what has no place there either is said.
//
// [Redact] puts neutral names in the place of names, SIDs, GUIDs and addresses, each time the same one.
package intake
