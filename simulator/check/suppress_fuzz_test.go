package check

import (
	"testing"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// FuzzSuppress: whatever comments and side files say, every request has its place in its file, and what is suppressed has been asked for with a reason.
func FuzzSuppress(f *testing.F) {
	for _, seed := range []string{
		"# gmsasim:ignore account-dollar-suffix the template takes it away\nDomainJoinConfig:\n  MachineAccountName: webapp$ # gmsasim:ignore account-dollar-suffix,x",
		"a: |\n  # gmsasim:ignore sid-syntax in a text\n# gmsasim:ignore-file sid-syntax r\r\nb: 'c\n  d'\n",
		"<a><!-- gmsasim:ignore sf-hostname-mismatch r -->\n<b c='>\n' d=\"e\">\n<!-- gmsasim:ignore",
		"REM gmsasim:ignore docker-user\ndocker run \\\n --user x ^\n y `\n:: gmsasim:ignore",
		"account-dollar-suffix /DomainJoinConfig/MachineAccountName r\n# c\n\xff /a~1b/0/9999999999999 \n//",
	} {
		for language := range 5 {
			f.Add([]byte(seed), language)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, language int) {
		if len(text) > 1<<14 {
			return
		}
		names := []string{"a.yaml", "a.xml", "a.sh", "a.nomad", ".b.json.lint"}
		files := []*source.File{
			source.NewFile(names[uint(language)%uint(len(names))], text),
			source.NewFile("b.json", []byte(`{"DomainJoinConfig": {"MachineAccountName": "webapp$", "a/b": [1]}}`)),
		}
		result := Run(setup.Read(files), Options{All: true})
		for _, s := range result.Suppressed {
			if s.Reason == "" || s.By.File != files[0] || s.By.Length <= 0 || s.By.Offset+s.By.Length > len(files[0].Data) {
				t.Errorf("%s is suppressed by %+v for %q", s.Report.Rule.ID, s.By, s.Reason)
			}
		}
		for _, r := range result.Reports {
			if r.Rule.Group == "suppressions" && (r.Where.File != files[0] || r.Where.Offset < 0 || r.Where.Offset+r.Where.Length > len(files[0].Data)) {
				t.Errorf("%s: %+v", r.Rule.ID, r.Where)
			}
		}
	})
}
