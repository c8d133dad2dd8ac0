package simulator

import (
	"fmt"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// programError: a 32-bit program does not come up, because host and image are on different sides of an update (KB4542617).
type programError struct {
	r *Running
}

func (e *programError) Error() string {
	return "the program ends at once, or hangs, and prints nothing"
}

// finding tells both versions.
func (e *programError) finding(*Domain, *stepError) *diag.Finding {
	r := e.r
	f := &diag.Finding{Code: diag.Baselines, Mode: "rt-feb2020-baseline",
		Facts:   []diag.Fact{{Name: "host", Value: r.host.Version.String()}, {Name: "image", Value: r.image.Version.String()}, {Name: "update", Value: "11 February 2020, KB4542617"}},
		SeenAs:  []string{"a 32-bit program in the container that prints nothing and does not end, or ends at once"},
		Because: "the security update of February 2020 changed how 32-bit programs call the kernel, and a container in process isolation calls its host's"}
	image := r.image
	image.Version, image.Reference = r.host.Version, ""
	f.Help = []diag.Help{
		{Text: "take an image of the host's update level", Command: "docker pull " + image.String(), Do: []string{r.again(arg{"image", image.String()})}},
		{Text: "or update the host", Do: []string{flowStep("upgradeHost", arg{"host", r.h.Name()}, arg{"os", (windows.OS{Version: r.image.Version, Edition: r.host.Edition}).String()}), r.again()}},
		{Text: "or run the container in Hyper-V isolation", Command: r.dockerRun(func(c *Container) { c.Isolation = windows.HyperV }), Do: []string{r.again(arg{"isolation", string(windows.HyperV)})}},
	}
	return f
}

// RunProgram starts a program of the image, of 32 or 64 bits. An error wraps a [diag.Finding] when the cause is known.
func (p *Process) RunProgram(bits int) error {
	r := p.c
	if err := r.runs(); err != nil {
		return err
	}
	var err error
	if bits == 32 && windows.BaselinesDiffer(r.host.Version, r.image.Version, r.isolation) {
		err = &programError{r}
	}
	r.h.d.event(Event{Op: opHost, From: r.st.name, Text: fmt.Sprintf("a program of %d bits", bits), Result: resultText(err)})
	return p.explain(err, "")
}

func resultText(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}
