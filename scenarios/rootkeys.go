package scenarios

import "github.com/gmsasim/gmsasim/simulator"

type addKDSRootKey struct {
	Effective simulator.Effective `yaml:"effective,omitempty,scalar"`
	// LocalTestOnly is the switch of this name: the cmdlet prints True or False and makes nothing.
	LocalTestOnly bool `yaml:"localTestOnly,omitempty"`
}

func (*addKDSRootKey) check(*scope, *node) {}

func (a *addKDSRootKey) do(r *attempt) error {
	if a.LocalTestOnly {
		ok, err := r.admin().TestKDSRootKey()
		if err != nil {
			return err
		}
		output := "False"
		if ok {
			output = "True"
		}
		r.output(output)
		return nil
	}
	key, err := r.admin().AddKDSRootKey(a.Effective)
	if err != nil {
		return err
	}
	r.keep(key)
	r.fact("key", key.ID)
	r.fact("effective", key.Effective.Time(r.d.Clock.Now()))
	r.fact("DC", key.DC)
	return nil
}

type deleteKDSRootKey struct {
	Key string `yaml:"key,omitempty,scalar"`
	ID  string `yaml:"id,omitempty"`
}

func (a *deleteKDSRootKey) check(s *scope, n *node) {
	switch {
	case (a.Key == "") == (a.ID == ""):
		s.d.fail(n.errorAt("either key, a step that added one, or id, a GUID"))
	case a.Key != "":
		s.result(argument(n, "key"), a.Key, "addKDSRootKey")
	}
}

func (a *deleteKDSRootKey) do(r *attempt) error {
	id := a.ID
	if id == "" {
		key, err := resultOf[simulator.KDSRootKey](r, a.Key, "root key")
		if err != nil {
			return err
		}
		id = key.ID
	}
	return r.admin().DeleteKDSRootKey(id)
}

type listKDSRootKeys struct {
	DC string `yaml:"dc,scalar"`
}

func (a *listKDSRootKeys) check(s *scope, n *node) { s.dc(argument(n, "dc"), a.DC) }

func (a *listKDSRootKeys) do(r *attempt) error {
	dc, err := r.dc(a.DC)
	if err != nil {
		return err
	}
	keys, err := r.admin().Server(a.DC).KDSRootKeys()
	if err != nil {
		return err
	}
	r.fact("keys", len(keys))
	for _, k := range keys {
		r.fact("key", k.ID)
		r.fact("effective", k.Effective)
		r.fact("usable", k.Usable)
		r.fact("isFormatValid", k.AttributeOfWrongFormat == "")
		if k.AttributeOfWrongFormat != "" {
			r.fact("attributeOfWrongFormat", k.AttributeOfWrongFormat)
		}
	}
	r.fact("DC", dc.Name())
	return nil
}
