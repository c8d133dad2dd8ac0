package intake

import (
	"encoding/json"
	"path"
	"strings"
)

// Spec is a credential spec file.
type Spec struct {
	// File is where it is, and Name its name in the folder of an engine.
	File, Name string
	Text       string
	// Account is MachineAccountName; "" when the file is not JSON or has none.
	Account string
	// Faults are what is wrong with its form, with line and column. What its contents do is for the doctor to find.
	Faults []Remark
}

// ReadSpec looks into a credential spec. One that Windows cannot read is one too: that may be what is wrong.
func ReadSpec(file string, data []byte) *Spec {
	s := &Spec{File: file, Name: path.Base(strings.ReplaceAll(file, `\`, "/")), Text: string(data)}
	var doc struct {
		DomainJoinConfig struct{ MachineAccountName string }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		line := 0
		if at, ok := jsonOffset(data, err); ok {
			line, _ = position(data, at)
		}
		remark(&s.Faults, file, line, "Windows cannot read the credential spec: %s", term(err.Error()))
	}
	s.Account = doc.DomainJoinConfig.MachineAccountName
	return s
}
