package scenarios

import (
	"reflect"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ecs"
	"github.com/gmsasim/gmsasim/simulator/swarm"
)

// verb is one kind of step. Each maps to one method of package simulator.
type verb struct {
	name  string
	admin bool // takes as and server
	help  string
	new   func() action
}

// verbs are all kinds of steps, in the order in which they are listed.
var verbs = slices.Concat(
	directoryVerbs,
	spnVerbs,
	appVerbs,
	hostVerbs,
	containerVerbs,
	pluginVerbs,
	hostSystemVerbs,
	dockerVerbs,
	specVerbs,
	fetcherVerbs,
	ecsVerbs,
	accountVerbs,
	dcVerbs,
	sqlVerbs,
	cmdletVerbs,
	logVerbs,
	worldVerbs,
	membershipVerbs,
	hostCareVerbs,
	raceVerbs,
	orchestratorVerbs,
)

// notModelled are verbs of the format that this version does not carry out.
var notModelled = []string{"diagnose", "run"}

func verbOf(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

func verbNames() []string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

// A Verb is a kind of step, for those who list them.
type Verb struct {
	Name string `json:"name"`
	// Help says what it does, where there is one in an administrator's own words.
	Help string `json:"help"`
	// Arguments are the keys that it takes.
	Arguments []string `json:"arguments,omitempty"`
}

// Verbs lists the kinds of steps.
func Verbs() []Verb {
	var list []Verb
	for _, v := range verbs {
		list = append(list, Verb{v.name, v.help, argumentsOf(v.new())})
	}
	return list
}

// argumentsOf are the keys of an action.
func argumentsOf(a action) []string {
	switch a.(type) {
	case *advanceTo:
		return keysOf(reflect.TypeFor[rotationPoint]())
	case *runContainer:
		return append([]string{"host"}, keysOf(reflect.TypeFor[simulator.Container]())...)
	case *runTask:
		return append([]string{"cluster"}, keysOf(reflect.TypeFor[ecs.Task]())...)
	case *installPlugin:
		return append([]string{"host"}, keysOf(reflect.TypeFor[simulator.Plugin]())...)
	case *updateService:
		return keysOf(reflect.TypeFor[swarm.Service]())
	case *rerunContainer:
		return append([]string{"container"}, keysOf(reflect.TypeFor[simulator.Container]())...)
	}
	return keysOf(reflect.TypeOf(a).Elem())
}

// list writes names on one line.
func list(names []string) string { return "{" + strings.Join(names, ", ") + "}" }
