package setup

import (
	"regexp"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// SecureString is the text that PowerShell writes for a secret that somebody put into a string (microsoft/Windows-Containers #520).
const SecureString = "System.Security.SecureString"

// accountSecret is one line of the forms user:password that name a domain: domain\user and user@domain.
var accountSecret = regexp.MustCompile(`^([^\s\\:/@]+\\[^\s\\:/@]+:\S*|[^\s\\:/@]+@[A-Za-z0-9.-]+:[^\s/]*)$`)

// isPluginSecret tells whether a document is the secret of a plug-in: the keys of a user of a domain, or the one line of the Key Vault.
func isPluginSecret(root *source.Node) bool {
	if root.Kind == source.String {
		return root.Text == SecureString || accountSecret.MatchString(root.Text)
	}
	found, domain := 0, false
	for _, m := range root.Map() {
		for _, key := range plugin.SecretKeys() {
			if strings.EqualFold(m.Key.Text, key) {
				found++
				domain = domain || strings.EqualFold(key, "domainName")
			}
		}
	}
	return domain && found >= 2
}

// isCcgVault tells whether a document is the settings of CcgVault: sources, each with a type.
func isCcgVault(root *source.Node) bool {
	sources := root.Get("sources").Map()
	if len(sources) == 0 {
		return false
	}
	if root.Get("defaults", "vault_addr") != nil {
		return true
	}
	for _, m := range sources {
		if !strings.HasPrefix(m.Value.Get("type").String(), "kv") {
			return false
		}
	}
	return true
}
