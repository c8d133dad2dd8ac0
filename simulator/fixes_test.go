package simulator

import "testing"

func TestFlowStep(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{flowStep("restartHost", arg{"", "ContainerHost01"}), "restartHost: ContainerHost01"},
		{flowStep("addGroupMember", arg{"group", "Web App Hosts"}, arg{"members", []string{"Host01$", "no"}}), `addGroupMember: {group: "Web App Hosts", members: [Host01$, "no"]}`},
		{flowStep("with", arg{"hostname", ""}, arg{"user", `NT AUTHORITY\SYSTEM`}), `with: {hostname: "", user: "NT AUTHORITY\\SYSTEM"}`},
		{flowStep("setAccountControl", arg{"account", "WebApp01"}, arg{"value", 4096}), "setAccountControl: {account: WebApp01, value: 4096}"},
		{flowStep("rerunContainer", arg{"container", "0123456789ab"}), `rerunContainer: {container: "0123456789ab"}`},
		{flowStep("advance", arg{"", "10h"}), `advance: "10h"`},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}
