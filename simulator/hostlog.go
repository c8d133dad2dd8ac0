package simulator

import (
	"errors"
	"fmt"
	"strings"
)

// logCannotUse is what Netlogon writes on a host that cannot use a managed service account: 9001 when no encryption type is common, 9000
// when the password could not be retrieved (log Microsoft-Windows-Security-Netlogon/Operational, message table).
func (h *Host) logCannotUse(account string, err error) {
	if err == nil {
		return
	}
	id, text := 9000, "Netlogon could not retrieve the password of the account %s."
	if errors.Is(err, errNoCommonEType) {
		id, text = 9001, "The account %s cannot be used: it and this computer support no encryption type in common."
	}
	h.d.event(Event{Op: opEventLog, From: h.Name(), Text: fmt.Sprintf("Microsoft-Windows-Security-Netlogon/Operational %d", id), Result: "Error",
		Detail: fmt.Sprintf(text, strings.TrimSuffix(account, "$")+"$")})
}
