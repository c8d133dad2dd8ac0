package check

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// The rules about the comments that ask not to report something. Their reports come from [Result.suppress], when all others are known.
var suppressionRules = []*Rule{
	{
		ID: "ignore-unknown-rule", Group: "suppressions", Severity: Warning, Needs: []How{Offline},
		Title:  "a comment asks to ignore a rule that does not exist",
		Why:    "Nothing is suppressed by it: the name is misspelt, or the rule has another one in this version of gmsasim.",
		Repair: "name a rule of `gmsasim list rules`",
		Bad:    "# gmsasim:ignore scope-missing-netbois only Linux hosts read this", Good: "# gmsasim:ignore scope-missing-netbios only Linux hosts read this",
	},
	{
		ID: "ignore-without-reason", Group: "suppressions", Severity: Warning, Needs: []How{Offline},
		Title:  "a comment asks to ignore a rule and gives no reason",
		Why:    "Who reads the file later cannot tell whether the reason still holds; so a request without one is not followed.",
		Repair: "write the reason behind the rule's name",
		Bad:    "# gmsasim:ignore scope-missing-netbios", Good: "# gmsasim:ignore scope-missing-netbios only Linux hosts read this",
	},
	{
		ID: "ignore-unused", Group: "suppressions", Severity: Info, Needs: []How{Offline},
		Title:  "a comment asks to ignore what is not reported",
		Why:    "What it was written for has been repaired, or it stands in another place than it should; the next fault of this kind would be hidden by it.",
		Repair: "remove the comment, or put it on the line of the fault or the line above",
		Bad:    "# gmsasim:ignore account-dollar-suffix the name is right now\nMachineAccountName: webapp", Good: "MachineAccountName: webapp",
	},
}

// Every comment may be: # gmsasim:ignore RULE[,RULE…] REASON. With ignore-file it counts for the whole file.
var (
	ignoreHash = regexp.MustCompile(`(?m)(?:^|[ \t])#[ \t]*gmsasim:ignore(-file)?(?:[ \t]+([^\r\n]*))?[ \t\r]*$`)
	ignoreHCL  = regexp.MustCompile(`(?m)(?:^|[ \t])(?:#|//|/\*)[ \t]*gmsasim:ignore(-file)?(?:[ \t]+([^\r\n]*?))?[ \t]*(?:\*/)?[ \t\r]*$`)
	ignoreXML  = regexp.MustCompile(`<!--[ \t]*gmsasim:ignore(-file)?(?:[ \t]+([^\r\n]*?))?[ \t]*-->`)
	ignoreRem  = regexp.MustCompile(`(?mi)(?:^|[ \t])(?:#|@?rem[ \t]|::)[ \t]*gmsasim:ignore(-file)?(?:[ \t]+([^\r\n]*))?[ \t\r]*$`)
)

// ignore is one request not to report a rule.
type ignore struct {
	id, reason string
	by         source.Span  // the request
	idAt       source.Span  // the rule's name in it
	file       *source.File // what it is about
	// first and last are the lines; 0: the whole file.
	first, last int
	// value is the JSON pointer of a line in a side file, nil when it has none; within is the value's range.
	pointer string
	within  *source.Node
	used    bool
}

// covers tells whether a report is meant.
func (i *ignore) covers(r *Report) bool {
	if i.id != r.Rule.ID || r.Where.File != i.file {
		return false
	}
	if i.pointer != "" {
		s := source.Span{}
		if i.within != nil {
			s = i.within.Span()
		}
		return i.within != nil && r.Where.Offset >= s.Offset && r.Where.Offset <= s.Offset+s.Length
	}
	return i.first == 0 || r.Where.Start.Line >= i.first && r.Where.Start.Line <= i.last
}

// suppress takes out the reports that the files ask not to make, and reports the requests that are wrong. found are all reports, also those that
// yielded to others: a request for one of them is not unused.
func (result *Result) suppress(s *setup.Setup, o *Options, found []Report) {
	ignores := ignoresOf(s)
	if len(ignores) == 0 {
		return
	}
	rules := map[string]*Rule{}
	var ids []string
	for _, r := range Rules() {
		rules[r.ID] = r
		ids = append(ids, r.ID)
	}
	of := map[*source.File][]*ignore{}
	var own []Report
	report := func(id string, at source.Span, message, repair string) {
		own = append(own, Report{Rule: rules[id], Severity: rules[id].Severity, Where: at, Message: message, Repair: repair})
	}
	for _, i := range ignores {
		switch rule := rules[i.id]; {
		case i.id == "":
			report("ignore-unknown-rule", i.by, "no rule is named", "")
		case rule == nil || rule.Group == "suppressions":
			repair := ""
			if near := diag.Nearest(i.id, ids); near != "" {
				repair = "did you mean " + near + "?"
			}
			report("ignore-unknown-rule", i.idAt, "there is no rule "+i.id, repair)
		case i.reason == "":
			report("ignore-without-reason", i.by, i.id+" is still reported: the request gives no reason", "")
		default:
			of[i.file] = append(of[i.file], i)
		}
	}
	for k := range found {
		for _, i := range of[found[k].Where.File] {
			i.used = i.used || i.covers(&found[k])
		}
	}
	result.Reports = slices.DeleteFunc(slices.Clone(result.Reports), func(r Report) bool {
		for _, i := range of[r.Where.File] {
			if i.covers(&r) {
				result.Suppressed = append(result.Suppressed, Suppressed{r, i.reason, i.by})
				return true
			}
		}
		return false
	})
	unseen := map[*Rule]bool{}
	for _, n := range result.NotChecked {
		unseen[n.Rule] = true
	}
	for _, i := range ignores {
		rule := rules[i.id]
		if rule == nil || rule.Group == "suppressions" || i.reason == "" || i.used || unseen[rule] {
			continue
		}
		if len(rule.Targets) > 0 && !slices.ContainsFunc(rule.Targets, func(t Target) bool { return slices.Contains(o.Targets, t) }) {
			continue
		}
		report("ignore-unused", i.by, i.id+" is not reported here", "")
	}
	result.Reports = append(result.Reports, own...)
}

// ignoresOf finds the requests of all files: in comments, and in side files.
func ignoresOf(s *setup.Setup) []*ignore {
	var list []*ignore
	named := map[string]*source.File{}
	docs := map[*source.File][]*setup.Document{}
	marked := []byte("gmsasim:ignore")
	for _, f := range s.Files {
		named[f.Name] = f
	}
	for _, d := range s.Documents {
		docs[d.File.Root()] = append(docs[d.File.Root()], d)
	}
	for _, f := range s.Files {
		if of, side := setup.SideOf(f.Name); side {
			if about := named[of]; about != nil {
				list = append(list, sideIgnores(f, about, docs[about])...)
			}
			continue
		}
		if bytes.Contains(f.Data, marked) {
			list = append(list, comments(f, docs[f])...)
		}
	}
	return list
}

// comments are the requests in a file's comments.
func comments(f *source.File, docs []*setup.Document) []*ignore {
	language := setup.Language(f)
	pattern := map[string]*regexp.Regexp{"yaml": ignoreHash, "hcl": ignoreHCL, "xml": ignoreXML, "shell": ignoreRem}[language]
	if pattern == nil {
		return nil // JSON has no comments
	}
	long := longStrings(f, docs)
	var list []*ignore
	for _, m := range pattern.FindAllSubmatchIndex(f.Data, -1) {
		start, end := m[0], m[1]
		for start < end && (f.Data[start] == ' ' || f.Data[start] == '\t') {
			start++
		}
		if slices.ContainsFunc(long, func(s *source.Node) bool { return s.Start < start && end <= s.End }) {
			continue // the text of a value, not a comment
		}
		base := &ignore{file: f, by: f.Span(start, end)}
		if m[2] < 0 {
			base.first, base.last = covered(f, language, start, long)
		}
		from, to := end, end
		if m[4] >= 0 {
			from, to = m[4], m[5]
		}
		list = append(list, requests(f, base, from, to)...)
	}
	return list
}

// requests reads "RULE[,RULE…] REASON" and makes one request of each rule.
func requests(f *source.File, base *ignore, from, to int) []*ignore {
	text := string(f.Data[from:to])
	names, reason, _ := strings.Cut(strings.TrimLeft(text, " \t"), " ")
	at := from + len(text) - len(strings.TrimLeft(text, " \t"))
	var list []*ignore
	for _, id := range strings.Split(names, ",") {
		i := *base
		i.id, i.reason, i.idAt = id, strings.TrimSpace(reason), f.Span(at, at+len(id))
		at += len(id) + 1
		list = append(list, &i)
	}
	return list
}

// longStrings are the values of a file that go over several lines.
func longStrings(f *source.File, docs []*setup.Document) []*source.Node {
	var list []*source.Node
	for _, d := range docs {
		d.Root.Walk(func(_ []string, n *source.Node) bool {
			if n.Kind == source.String && n.File == f && bytes.IndexByte(f.Data[n.Start:min(n.End, len(f.Data))], '\n') >= 0 {
				list = append(list, n)
			}
			return true
		})
	}
	slices.SortFunc(list, func(a, b *source.Node) int { return cmp.Compare(a.Start, b.Start) })
	return list
}

// covered are the lines that a comment is about: its own when something stands before it, otherwise the next that is no comment; with it all
// that cannot have comments of its own, since a string, a command or a tag goes on there.
func covered(f *source.File, language string, comment int, long []*source.Node) (first, last int) {
	line := f.Position(comment).Line
	if strings.TrimSpace(string(f.Data[lineStart(f.Data, comment):comment])) == "" {
		for line++; isComment(f.Line(line)); line++ {
		}
	}
	first, last = line, line
	for _, s := range long {
		if at := f.Position(s.Start).Line; at >= first && at <= last {
			last = max(last, f.Position(s.End).Line)
		}
	}
	switch language {
	case "shell":
		for ; continues(f.Line(last)); last++ {
		}
	case "xml":
		at := f.Offset(first)
		quote := byte(0)
		for ; at < len(f.Data); at++ {
			switch c := f.Data[at]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return first, f.Position(at).Line
			}
		}
	}
	return first, last
}

func lineStart(b []byte, at int) int { return bytes.LastIndexByte(b[:at], '\n') + 1 }

func isComment(line string) bool {
	line = strings.ToLower(strings.TrimSpace(line))
	for _, mark := range []string{"#", "//", "<!--", "rem ", "@rem ", "::", "/*"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

// continues tells whether a line of a script goes on in the next: \ of sh, ` of PowerShell, ^ of cmd.
func continues(line string) bool {
	line = strings.TrimRight(line, " \t\r")
	return strings.HasSuffix(line, `\`) || strings.HasSuffix(line, "`") || strings.HasSuffix(line, "^")
}

// sideIgnores reads a side file: a request a line, "RULE [/JSON/POINTER] REASON"; what begins with # is a comment.
func sideIgnores(f, about *source.File, docs []*setup.Document) []*ignore {
	var list []*ignore
	at := 0
	for line := range bytes.Lines(f.Data) {
		start := at
		at += len(line)
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		start += bytes.Index(line, []byte(text))
		for _, i := range requests(f, &ignore{file: about, by: f.Span(start, start+len(text))}, start, start+len(text)) {
			if strings.HasPrefix(i.reason, "/") {
				i.pointer, i.reason, _ = strings.Cut(i.reason, " ")
				i.reason = strings.TrimSpace(i.reason)
				for _, d := range docs {
					if n := pointed(d.Root, i.pointer); n != nil && i.within == nil {
						i.within = n
					}
				}
			}
			list = append(list, i)
		}
	}
	return list
}

// pointed is the value at a JSON pointer (RFC 6901), nil when there is none.
func pointed(n *source.Node, pointer string) *source.Node {
	for _, key := range strings.Split(pointer, "/")[1:] {
		key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
		if n != nil && n.Kind == source.Array {
			i := 0
			for _, c := range key {
				if c < '0' || c > '9' || i > len(n.Items) {
					return nil
				}
				i = 10*i + int(c-'0')
			}
			if key == "" || i >= len(n.Items) {
				return nil
			}
			n = n.Items[i]
			continue
		}
		if n = n.Get(key); n == nil {
			return nil
		}
	}
	return n
}
