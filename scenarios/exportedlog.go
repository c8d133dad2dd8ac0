package scenarios

// logVerbs are about logs that are read elsewhere than where they were written.
var logVerbs = []verb{
	{"readExportedLog", false, "Get-WinEvent -Path of a log of Container Credential Guard that another host has exported", func() action { return &readExportedLog{} }},
	{"importCCGManifest", false, "wevtutil im CCGEvents.man on a host", func() action { return &importCCGManifest{} }},
}

type readExportedLog struct {
	Of string `yaml:"of"`
	On string `yaml:"on"`
}

func (a *readExportedLog) check(s *scope, n *node) {
	s.host(argument(n, "of"), a.Of)
	s.host(argument(n, "on"), a.On)
}

func (a *readExportedLog) do(r *attempt) error {
	of, err := r.host(a.Of)
	if err != nil {
		return err
	}
	on, err := r.host(a.On)
	if err != nil {
		return err
	}
	text, err := of.ReadExportedCCGLog(on)
	r.output(text)
	return err
}

type importCCGManifest struct {
	Host string `yaml:"host,scalar"`
}

func (a *importCCGManifest) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *importCCGManifest) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.ImportCCGManifest()
	}
	return err
}
