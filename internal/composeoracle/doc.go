// Package composeoracle lets the readers themselves judge what gmsasim check says of compose files, docker's command lines and the services of a
// swarm: compose-go, which docker compose loads files with; the loader, the schema and the converter of docker stack deploy; the option tables of
// the docker command; the engine's converter of services. What they refuse, a rule has to report, with their words; what they take, no rule of
// the kind may; and what they read is what package setup reads.
//
// It is a module of its own because the docker command and what it needs have a hundred modules, which nobody who uses the simulator shall
// download.
package composeoracle
