package simulator

import (
	"fmt"
	"strconv"
	"strings"
)

// arg is one argument of a step: a text, a list of texts, a number or a bool.
type arg struct {
	name  string
	value any
}

// flowStep writes a step of a scenario in YAML's flow style, what [diag.Help.Do] holds: restartHost: {host: ContainerHost01}. Without a
// name, a single argument stands alone: restartHost: ContainerHost01.
func flowStep(verb string, args ...arg) string {
	if len(args) == 1 && args[0].name == "" {
		return verb + ": " + flowValue(args[0].value)
	}
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.name + ": " + flowValue(a.value)
	}
	return verb + ": {" + strings.Join(parts, ", ") + "}"
}

func flowValue(v any) string {
	switch v := v.(type) {
	case string:
		return flowText(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = flowText(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// flowText quotes whatever YAML could read as something else than this text.
func flowText(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("./-_$", r)
	})
	first := byte(0)
	if s != "" {
		first = s[0]
	}
	if plain && (first >= 'a' && first <= 'z' || first >= 'A' && first <= 'Z') && !wordOfYAML(s) {
		return s
	}
	return strconv.Quote(s)
}

// wordOfYAML tells that YAML reads s as a bool or as nothing.
func wordOfYAML(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null":
		return true
	}
	return false
}

// flowMap writes arguments in YAML's flow style.
func flowMap(args ...arg) string {
	_, text, _ := strings.Cut(flowStep("", args...), ": ")
	return text
}
