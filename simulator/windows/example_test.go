package windows_test

import (
	"fmt"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// The guide's command line, on the release that it was written for and on the one before.
func ExampleDecide() {
	for _, release := range []string{"Windows Server 2019", "Windows Server 1803"} {
		host, err := windows.ParseOS(release)
		if err != nil {
			fmt.Println(err)
			return
		}
		image, err := windows.BaseImage(windows.ServerCore, host.Build)
		if err != nil {
			fmt.Println(err)
			return
		}
		d, err := windows.Decide(windows.Setup{
			Host: host, HostDomain: "contoso.com", Image: image, Hostname: "frontend", ID: "85d3c0ffee12",
			CredentialSpec: true, Account: "webapp01$", AccountDomain: "contoso.com",
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: start %s, channel %s, Kerberos %s, NTLM %s\n", host, d.Start, d.Channel, d.Kerberos, d.NTLM)
	}
	// Output:
	// Windows Server 2019: start ok, channel ok, Kerberos ok, NTLM ok
	// Windows Server 1803: start ok, channel fail, Kerberos fail-in-app, NTLM fail
}

// A release that never was is refused with the reason and the nearest one that was.
func ExampleParseOS() {
	_, err := windows.ParseOS("Windows Server 1703")
	fmt.Println(err)
	// Output:
	// "Windows Server 1703" is no Windows release: build 15063 was released as Windows 10 1703 only, not as a server edition; did you mean "Windows Server 1709"?
}
