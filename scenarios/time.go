package scenarios

import (
	"errors"
	"fmt"
	"time"
)

type advance struct {
	By time.Duration `yaml:"by,scalar"`
}

func (a *advance) check(s *scope, n *node) {
	if a.By <= 0 {
		s.d.fail(argument(n, "by").errorAt("%v: domain time moves forward only", a.By))
		return
	}
	s.earlier = s.earlier.Add(a.By)
}

func (a *advance) do(r *attempt) error { return r.advanceTo(r.d.Clock.Now().Add(a.By)) }

func (r *attempt) advanceTo(t time.Time) error {
	// Where domain time runs with the machine's, it has moved a little by the time that it is set.
	if now := r.d.Clock.Now(); !t.After(now) {
		return fmt.Errorf("domain time is %s already and does not go back to %s", now.Format(time.RFC3339), t.UTC().Format(time.RFC3339))
	}
	if t.Year() > maxYear {
		return fmt.Errorf("%s is after the year %d", t.UTC().Format(time.RFC3339), maxYear)
	}
	r.d.Clock.AdvanceTo(t)
	r.fact("now", t)
	return nil
}

// maxYear is where the start of a simulator.Config ends too.
const maxYear = 2400

// advanceTo is a time, the word next, or a point in the rotation of an account's password.
type advanceTo struct {
	at   time.Time
	next bool
	rotationPoint
}

type rotationPoint struct {
	Account string `yaml:"account"`
	// Interval counts from 0, the one in which the account was made.
	Interval int `yaml:"interval,omitempty"`
	// Point is one of points.
	Point string `yaml:"point,omitempty"`
}

// points are those of simulator.Rotation.
var points = []string{"start", "middle", "skewWindow", "previousStillValid"}

func (a *advanceTo) decodeNode(d *decoder, n *node) {
	switch {
	case n.kind == scalarNode && n.text == "next":
		a.next = true
	case n.kind == scalarNode:
		d.decode(n, &a.at)
	default:
		d.decode(n, &a.rotationPoint)
	}
}

func (a *advanceTo) check(s *scope, n *node) {
	switch {
	case a.next:
	case !a.at.IsZero():
		if !s.live && !a.at.After(s.earlier) {
			s.d.fail(n.errorAt("domain time is %s already at this step", s.earlier.UTC().Format(time.RFC3339)))
		}
		s.earlier = a.at
	default:
		s.account(argument(n, "account"), a.Account, true)
		if a.Interval < 0 || a.Interval > 10_000 {
			s.d.fail(argument(n, "interval").errorAt("%d is not between 0 and 10000", a.Interval))
		}
		if a.Point != "" && !has(points, a.Point) {
			s.d.fail(argument(n, "point").errorNear(a.Point, points, "no point %q of a rotation", a.Point))
		}
	}
}

func (a *advanceTo) do(r *attempt) error {
	switch {
	case a.next:
		t, what, ok := r.d.Clock.Next()
		if !ok {
			return errors.New("no change is due that only time brings")
		}
		r.fact("what", what)
		return r.advanceTo(t)
	case !a.at.IsZero():
		return r.advanceTo(a.at)
	}
	rot, err := r.d.Rotation(a.Account)
	if err != nil {
		return err
	}
	t := rot.Start(a.Interval)
	switch a.Point {
	case "middle":
		t = rot.Middle(a.Interval)
	case "skewWindow":
		t = rot.SkewWindow(a.Interval)
	case "previousStillValid":
		t = rot.PreviousStillValid(a.Interval)
	}
	return r.advanceTo(t)
}

type setClock struct {
	Host string `yaml:"host,omitempty"`
	// User is one whose workstation's clock is set.
	User   string        `yaml:"user,omitempty"`
	DC     string        `yaml:"dc,omitempty"`
	Offset time.Duration `yaml:"offset"`
}

func (a *setClock) check(s *scope, n *node) {
	switch {
	case given(a.Host, a.User, a.DC) != 1:
		s.d.fail(n.errorAt("one of host, user and dc"))
	case a.DC != "":
		s.dc(argument(n, "dc"), a.DC)
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.account(argument(n, "user"), a.User, true)
	}
}

func (a *setClock) do(r *attempt) error {
	if a.User != "" {
		r.d.SetUserClock(a.User, a.Offset)
		return nil
	}
	if a.DC != "" {
		dc, err := r.dc(a.DC)
		if err == nil {
			dc.SetClockOffset(a.Offset)
		}
		return err
	}
	h, err := r.host(a.Host)
	if err == nil {
		h.SetClockOffset(a.Offset)
	}
	return err
}
