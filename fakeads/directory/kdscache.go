package directory

// rootKeyCache is what a domain controller's Key Distribution Service remembers of the root keys. It does not change.
type rootKeyCache struct{}
