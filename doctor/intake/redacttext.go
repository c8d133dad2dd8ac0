package intake

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// option is a value of --security-opt, or of credentialspec=.
func (r *redactor) option(s string) string {
	key, value, hasKey := strings.Cut(s, "=")
	if !hasKey || strings.Contains(key, ":") {
		key, value = "", s
	}
	scheme, rest, ok := strings.Cut(value, "://")
	switch {
	case !ok:
		value = r.file(value)
	case strings.EqualFold(scheme, "raw"):
		value = scheme + "://" + r.specText(rest)
	default:
		value = scheme + "://" + r.file(rest)
	}
	if key != "" {
		return key + "=" + value
	}
	return value
}

// file is the neutral form of a file's name as New-CredentialSpec makes them, DOMAIN_ACCOUNT.json. Folders and ending stay.
func (r *redactor) file(s string) string {
	at := strings.LastIndexAny(s, `/\`) + 1
	folder, name, end := s[:at], s[at:], ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name, end = name[:i], name[i:]
	}
	domain, account, both := strings.Cut(name, "_")
	name = r.token(domain, "SPEC")
	if both {
		name += "_" + r.token(account, "SPEC")
	}
	return folder + name + end
}

// jsonText is a text in quotes, in JSON that may be broken elsewhere.
var jsonText = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"`)

// specWords are the keys and the fixed values of credential specs.
var specWords = []string{"CmsPlugins", "DomainJoinConfig", "Sid", "MachineAccountName", "Guid", "DnsTreeName", "DnsName", "NetBiosName", "ActiveDirectoryConfig",
	"GroupManagedServiceAccounts", "Name", "Scope", "HostAccountConfig", "PortableCcgVersion", "PluginGUID", "PluginInput", "ActiveDirectory", "1", ""}

var pluginGUID = regexp.MustCompile(`(?i)("PluginGUID"\s*:\s*)("[^"]*")`)

// specText replaces the texts of a credential spec that are none of its words.
func (r *redactor) specText(s string) string {
	plugins := map[string]bool{}
	for _, m := range pluginGUID.FindAllStringSubmatch(s, -1) {
		plugins[m[2]] = true
	}
	return jsonText.ReplaceAllStringFunc(s, func(quoted string) string {
		var text string
		if err := json.Unmarshal([]byte(quoted), &text); err != nil {
			text = strings.Trim(quoted, `"`)
		}
		if plugins[quoted] || slices.ContainsFunc(specWords, func(w string) bool { return strings.EqualFold(w, text) }) {
			return quoted
		}
		out, err := json.Marshal(r.anything(text))
		if err != nil {
			return `""`
		}
		return string(out)
	})
}

// report is the report with neutral names in its remarks.
func (r *redactor) report(report *Report) *Report {
	if report == nil {
		return nil
	}
	out := *report
	out.File = neutralFile(out.File, "export.ldif")
	out.Domain = r.dns(out.Domain)
	for _, list := range []*[]Remark{&out.Warnings, &out.Assumed, &out.Ignored} {
		*list = slices.Clone(*list)
		for i := range *list {
			m := &(*list)[i]
			m.File = neutralFile(m.File, "file")
			args := slices.Clone(m.args)
			for j, a := range args {
				switch a := a.(type) {
				case string:
					args[j] = r.anything(a)
				case fmt.Stringer: // a SID or a distinguished name
					args[j] = r.anything(a.String())
				}
			}
			m.Text = fmt.Sprintf(m.format, args...)
		}
	}
	// Names of attributes and classes are the schema's; a directory may have added its own.
	own := func(list []Count) []Count {
		list = slices.Clone(list)
		for i := range list {
			if strings.Contains(list[i].Name, "-") && !strings.HasPrefix(strings.ToLower(list[i].Name), "ms") {
				list[i].Name = r.token(list[i].Name, "attribute")
			}
		}
		return list
	}
	out.IgnoredAttributes, out.IgnoredClasses = own(out.IgnoredAttributes), own(out.IgnoredClasses)
	return &out
}

func neutralFile(name, neutral string) string {
	if name == "" {
		return ""
	}
	return neutral
}
