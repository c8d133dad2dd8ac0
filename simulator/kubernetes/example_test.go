package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/kubernetes"
)

// A pod whose service account may not use the credential spec is refused by the webhook; with a role and a binding it has a secure channel.
func Example() {
	d, err := simulator.Start(context.Background(), simulator.Contoso())
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	c, err := kubernetes.New(d, kubernetes.Config{Webhook: &kubernetes.Webhook{}, CredentialSpecs: []kubernetes.CredentialSpec{{Name: "webapp01", Account: "WebApp01"}}})
	if err != nil {
		log.Fatal(err)
	}
	pod := kubernetes.Pod{Name: "web"}
	pod.SecurityContext.WindowsOptions.GMSACredentialSpecName = "webapp01"
	err = c.ApplyPod(pod)
	fmt.Println(errors.Is(err, diag.UseNotAllowed))
	fmt.Println(errors.Unwrap(err))

	c.ApplyRole(kubernetes.ClusterRole{Name: "use-webapp01", Verbs: []string{"use"}, ResourceNames: []string{"webapp01"}})
	c.ApplyRoleBinding(kubernetes.RoleBinding{Name: "use-webapp01", Role: "use-webapp01", ServiceAccounts: []string{"default"}})
	fmt.Println(c.ApplyPod(pod))
	text, err := c.Exec("default", "web", 1, "", "nltest /query")
	fmt.Print(text)
	fmt.Println(err)
	// Output:
	// true
	// Error from server: error when creating "web.yaml": admission webhook "admission-webhook.windows-gmsa.sigs.k8s.io" denied the request: service account "default" is not authorized to `use` GMSA cred spec "webapp01"
	// <nil>
	// Flags: 0
	// Connection Status = 0 0x0 NERR_Success
	// The command completed successfully
	// <nil>
}
