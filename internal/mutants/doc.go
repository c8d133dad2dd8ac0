// Mutants asks whether the suite would notice a decision that is wrong. Each function of [decisions] is made to answer always yes and
// always no, whatever it is asked, and the tests of its package and the catalogue of scenarios run against each of these mutants.
//
//	go run ./internal/mutants [-only GLOB,GLOB] [-j N]
//
// One table comes out: the function, where it stands, the mutant, the first test of its package that fails, the first scenario of the
// catalogue that does, and the time that took. The exit status is 1 when a mutant survives both, when one survives the catalogue and the list
// does not say why it may, and when a function of the list is not there any more.
//
// The tree is not touched. Changed copies of the files are handed to the compiler by -overlay, all mutants in one build: a mutated function
// begins with a switch over the environment variable GMSASIM_MUTANT, so a mutant costs a run and no compilation.
package main
