package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
)

// Webhook is the windows-gmsa admission webhook. The zero value is healthy: two replicas, failurePolicy Fail, a certificate that is good
// for a year under a CA that the API server has been told of.
type Webhook struct {
	// Ready is how many replicas answer; nil: two.
	Ready *int `json:"ready,omitempty" yaml:"ready,omitempty"`
	// FailurePolicy is Fail or Ignore. Default Fail.
	FailurePolicy string `json:"failurePolicy,omitempty" yaml:"failurePolicy,omitempty"`
	// RandomHostname is the environment variable RANDOM_HOSTNAME, the chart's randomHostname (v0.11).
	RandomHostname bool `json:"randomHostname,omitempty" yaml:"randomHostname,omitempty"`
	// SignerName is the signer that the installation asks for a certificate. Default kubernetes.io/kubelet-serving, as the deploy
	// script has it.
	SignerName string `json:"signerName,omitempty" yaml:"signerName,omitempty"`
	// Lifetime is that of the certificate. Default a year.
	Lifetime time.Duration `json:"lifetime,omitempty" yaml:"lifetime,omitempty"`

	issuer, caBundle string // names of CAs: of the certificate, and the one in the webhook configuration
	notAfter         time.Time
}

const (
	signerKubeletServing = "kubernetes.io/kubelet-serving"
	policyFail           = "Fail"
	policyIgnore         = "Ignore"
	year                 = 365 * 24 * time.Hour
	webhookName          = "admission-webhook.windows-gmsa.sigs.k8s.io"
	webhookService       = "gmsa-webhook"
)

// Validate checks the words.
func (w *Webhook) Validate() error {
	switch {
	case w.FailurePolicy != "" && w.FailurePolicy != policyFail && w.FailurePolicy != policyIgnore:
		return fmt.Errorf("failurePolicy %q: want Fail or Ignore", w.FailurePolicy)
	case w.Ready != nil && *w.Ready < 0 || w.Lifetime < 0:
		return errors.New("ready and lifetime are not negative")
	}
	return nil
}

// ready tells that a replica answers.
func (w *Webhook) ready() bool { return w.Ready == nil || *w.Ready > 0 }

// InstallWebhook runs the deploy script or the chart: CRD, certificate, deployment, configuration. Its error is that of the script when the
// certificate request is never signed.
func (c *Cluster) InstallWebhook(w Webhook) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := w.Validate(); err != nil {
		return err
	}
	signer := w.SignerName
	if signer == "" {
		signer = signerKubeletServing
	}
	c.crd = true
	if !slices.Contains(c.signers, signer) {
		// windows-gmsa admission-webhook/deploy/create-signed-cert.sh and .helpers.sh
		text := fmt.Sprintf("FATAL ERROR: after approving CSR %s, the signed certificate did not appear on the resource, giving up after 30 attempts", csrName)
		c.d.Record("deploy-gmsa-webhook.sh", "certificate request "+csrName+" for signer "+signer, "approved, not issued")
		return c.findNotSigned(errors.New(text), signer)
	}
	c.installLocked(w)
	c.d.Record("deploy-gmsa-webhook.sh", "install "+webhookService, "ok")
	return nil
}

const (
	webhookNamespace = "gmsa-webhook"
	csrName          = webhookService + "." + webhookNamespace
)

func (c *Cluster) installLocked(w Webhook) {
	c.webhook = &w
	c.renewLocked(false)
}

// renewLocked gives the webhook a new certificate, under a new CA each time.
func (c *Cluster) renewLocked(keepBundle bool) {
	w := c.webhook
	life := w.Lifetime
	if life == 0 {
		life = year
	}
	c.installs++
	w.issuer, w.notAfter = fmt.Sprintf("CA %d", c.installs), c.d.Clock.Now().Add(life)
	if !keepBundle {
		w.caBundle = w.issuer
	}
}

// RenewWebhookCertificate makes a new certificate under a new CA. With keepBundle the webhook configurations go on naming the old CA, as after
// a rotation that forgot them.
func (c *Cluster) RenewWebhookCertificate(keepBundle bool) error {
	return c.changeWebhook(func(*Webhook) { c.renewLocked(keepBundle) })
}

// ScaleWebhook is kubectl scale deployment gmsa-webhook.
func (c *Cluster) ScaleWebhook(ready int) error {
	return c.changeWebhook(func(w *Webhook) { w.Ready = &ready })
}

// SetRandomHostname sets RANDOM_HOSTNAME of the webhook's deployment.
func (c *Cluster) SetRandomHostname(on bool) error {
	return c.changeWebhook(func(w *Webhook) { w.RandomHostname = on })
}

// SetFailurePolicy sets failurePolicy in both webhook configurations.
func (c *Cluster) SetFailurePolicy(policy string) error {
	if err := (&Webhook{FailurePolicy: policy}).Validate(); err != nil {
		return err
	}
	return c.changeWebhook(func(w *Webhook) { w.FailurePolicy = policy })
}

func (c *Cluster) changeWebhook(change func(*Webhook)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.webhook == nil {
		return fmt.Errorf("Error from server (NotFound): deployments.apps %q not found", webhookService)
	}
	change(c.webhook)
	return nil
}

// deniedError is a refusal of the webhook: an HTTP status and its message.
type deniedError struct {
	code    int
	text    string
	refused diagnosis
	spec    string // the object that it is about
}

// diagnosis tells the refusals apart.
type diagnosis int

const (
	specAbsent diagnosis = iota
	specWithoutKey
	useDenied
	contentsDiffer
	contentsNameless
	updateForbidden
)

func (e *deniedError) Error() string {
	// The webhook's status has no reason, so kubectl names none (webhook.go deniedAdmissionResponse; kubectl, StandardErrorMessage).
	return fmt.Sprintf("admission webhook %q denied the request: %s", webhookName, e.text)
}

// callError: the API server cannot call the webhook.
type callError struct {
	path, text string
	x509       bool
}

func (e *callError) Error() string {
	// apiserver, admission/plugin/webhook: ErrCallingWebhook
	return fmt.Sprintf("Internal error occurred: failed calling webhook %q: failed to call webhook: Post \"https://%s.%s.svc:443/%s?timeout=10s\": %s",
		webhookName, webhookService, webhookNamespace, e.path, e.text)
}

// reach tells why the API server gets no answer of the webhook; nil when it does.
func (c *Cluster) reach(path string) error {
	w, now := c.webhook, c.d.Clock.Now()
	switch {
	case !w.ready():
		return &callError{path: path, text: fmt.Sprintf("no endpoints available for service %q", webhookService)}
	case w.issuer != w.caBundle:
		return &callError{path: path, text: "x509: certificate signed by unknown authority", x509: true}
	case now.After(w.notAfter):
		// crypto/x509, CertificateInvalidError
		return &callError{path: path, x509: true, text: fmt.Sprintf("x509: certificate has expired or is not yet valid: current time %s is after %s",
			now.UTC().Format(time.RFC3339), w.notAfter.UTC().Format(time.RFC3339))}
	}
	return nil
}

// admit sends a new pod through the webhook. expanded tells that the webhook has seen it.
func (c *Cluster) admit(p *Pod) (expanded bool, err error) {
	if c.webhook == nil || slices.Contains(c.disabled, p.Namespace) {
		return false, nil
	}
	for _, call := range []struct {
		path string
		do   func(*Pod) error
	}{{"mutate", c.mutate}, {"validate", c.validate}} {
		if err := c.reach(call.path); err != nil {
			if c.webhook.FailurePolicy == policyIgnore {
				return false, nil
			}
			return false, err
		}
		if err := call.do(p); err != nil {
			return false, err
		}
	}
	return true, nil
}

// each goes over the options that the webhook looks at: those of the pod and of its containers, not of init containers (webhook.go,
// iterateOverWindowsSecurityOptions).
func (p *Pod) each(f func(o *WindowsOptions, kind, name string) error) error {
	if err := f(&p.SecurityContext.WindowsOptions, "pod", p.Name); err != nil {
		return err
	}
	for i := range p.Containers {
		if err := f(&p.Containers[i].SecurityContext.WindowsOptions, "container", p.Containers[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// contents gives a credential spec's contents with their keys sorted, as encoding/json writes them.
func (c *Cluster) contents(name string) (string, error) {
	raw, ok := c.specs[name]
	if !ok {
		return "", &deniedError{404, fmt.Sprintf("cred spec %s does not exist", name), specAbsent, name}
	}
	if raw == nil {
		return "", &deniedError{417, fmt.Sprintf("cred spec %s does not have a credspec key", name), specWithoutKey, name}
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return "", fmt.Errorf("credspec of %s: %w", name, err)
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func (c *Cluster) mutate(p *Pod) error {
	has := false
	err := p.each(func(o *WindowsOptions, _, _ string) (err error) {
		if o.GMSACredentialSpecName == "" {
			return nil
		}
		has = true
		if o.GMSACredentialSpec == "" {
			o.GMSACredentialSpec, err = c.contents(o.GMSACredentialSpecName)
		}
		return err
	})
	if err == nil && has && c.webhook.RandomHostname && p.Hostname == "" {
		p.Hostname = c.uuid()[:15] // webhook.go, generateUUID
	}
	return err
}

func (c *Cluster) validate(p *Pod) error {
	return p.each(func(o *WindowsOptions, kind, name string) error {
		spec := o.GMSACredentialSpecName
		switch {
		case spec == "" && o.GMSACredentialSpec != "":
			return &deniedError{422, fmt.Sprintf("%s %q has a GMSA cred spec set, but does not define the name of the corresponding resource", kind, name), contentsNameless, ""}
		case spec == "":
			return nil
		case !c.mayUse(p.Namespace, p.ServiceAccountName, spec):
			return &deniedError{403, fmt.Sprintf("service account %q is not authorized to `use` GMSA cred spec %q", p.ServiceAccountName, spec), useDenied, spec}
		case o.GMSACredentialSpec == "":
			return nil
		}
		want, err := c.contents(spec)
		if err != nil {
			return err
		}
		same, err := consumer.WebhookContents(o.GMSACredentialSpec, want)
		if same && err == nil {
			return nil
		}
		text := fmt.Sprintf("the GMSA cred spec contents for %s %q does not match the contents of GMSA resource %q", kind, name, spec)
		if err != nil {
			text += ": " + err.Error()
		}
		return &deniedError{422, text, contentsDiffer, spec}
	})
}

// validateUpdate refuses to change the gMSA of a pod that is there (webhook.go, validateUpdateRequest). A manifest without contents
// leaves those that the webhook put in, as kubectl apply does.
func validateUpdate(old, updated *Pod) error {
	was := map[string]WindowsOptions{}
	_ = old.each(func(o *WindowsOptions, kind, name string) error { // f never fails
		was[kind+" "+name] = *o
		return nil
	})
	return updated.each(func(o *WindowsOptions, kind, name string) error {
		before := was[kind+" "+name]
		if o.GMSACredentialSpec == "" && o.GMSACredentialSpecName != "" {
			o.GMSACredentialSpec = before.GMSACredentialSpec
		}
		var changed []string
		if o.GMSACredentialSpecName != before.GMSACredentialSpecName {
			changed = append(changed, "name")
		}
		if o.GMSACredentialSpec != before.GMSACredentialSpec {
			changed = append(changed, "contents")
		}
		if changed == nil {
			return nil
		}
		return &deniedError{403, fmt.Sprintf("cannot update an existing pod's GMSA settings (GMSA %s modified on %s %q)", strings.Join(changed, " and "), kind, name),
			updateForbidden, o.GMSACredentialSpecName}
	})
}
