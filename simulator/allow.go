package simulator

import "strings"

// addressPlaceholder stands for what only the reader knows: the simulated network has names of DCs and no addresses.
func addressPlaceholder(dc string) string { return "<address of " + dc + ">" }

// allowRules are the rules of a firewall that lets out what was closed: a port, a DC, or one port of a DC, as ClosePort takes them. "" for
// nothing closed.
//
// guess: what is in the way may be any firewall or route between client and DC; the command is that of Windows' own.
func allowRules(closed []string) string {
	var commands []string
	for _, c := range closed {
		dc, port, both := strings.Cut(c, ":")
		if !both && strings.Trim(c, "0123456789") == "" {
			dc, port = "", c
		}
		command := `New-NetFirewallRule -DisplayName "Domain controllers" -Direction Outbound -Action Allow`
		if port != "" {
			command += " -Protocol TCP -RemotePort " + port
		}
		if dc != "" {
			command += ` -RemoteAddress "` + addressPlaceholder(dc) + `"`
		}
		commands = append(commands, command)
	}
	return strings.Join(commands, "; ")
}

// secretCommand is the command line by which a secret of the make's store gets a value; "" where the plug-in has no store.
func (kind PluginKind) secretCommand(secret, value string) string {
	switch kind {
	case AzureKeyVault:
		return "az keyvault secret set --id " + secret + " --value '" + value + "'"
	case AWSPlugin:
		return "aws secretsmanager put-secret-value --secret-id " + secret + " --secret-string '" + value + "'"
	case RancherPlugin:
		namespace, name, _ := strings.Cut(secret, ":")
		return "kubectl -n " + namespace + " edit secret " + name
	}
	return ""
}

// grantCommand lets an identity read a secret of the make's store.
func (kind PluginKind) grantCommand(secret, identity string) string {
	if kind == AzureKeyVault {
		vault, _, _ := strings.Cut(strings.TrimPrefix(secret, "https://"), ".")
		return "az keyvault set-policy --name " + vault + " --secret-permissions get --object-id " + identity
	}
	return "aws iam put-role-policy --role-name " + identity + ` --policy-name gmsa --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + secret + `"}]}'`
}
