package ldapclient

import (
	"fmt"
)

// Operations of a [Modification], RFC 4511 4.6.
const (
	Add     = 0
	Delete  = 1
	Replace = 2
)

// Modification is one change of a modify request.
type Modification struct {
	Op        int
	Attribute Attribute
}

func (a *Attribute) encode() []byte {
	values := make([][]byte, len(a.Values))
	for i, v := range a.Values {
		values[i] = element(tagOctetString, v)
	}
	return element(tagSequence, text(a.Name), element(tagSet, values...))
}

// change makes a request whose answer is only a result.
func (c *Conn) change(op []byte, kind byte, controls []Control) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.ask(op, kind, controls...)
	if err != nil {
		return err
	}
	return r.err()
}

// Add makes an object.
func (c *Conn) Add(dn string, attributes []Attribute, controls ...Control) error {
	list := make([][]byte, len(attributes))
	for i := range attributes {
		list[i] = attributes[i].encode()
	}
	return c.change(element(opAddRequest, text(dn), element(tagSequence, list...)), opAddResponse, controls)
}

// Modify changes an object, all modifications or none.
func (c *Conn) Modify(dn string, mods []Modification, controls ...Control) error {
	list := make([][]byte, len(mods))
	for i := range mods {
		list[i] = element(tagSequence, number(tagEnumerated, mods[i].Op), mods[i].Attribute.encode())
	}
	return c.change(element(opModifyRequest, text(dn), element(tagSequence, list...)), opModifyResponse, controls)
}

// Delete deletes an object.
func (c *Conn) Delete(dn string, controls ...Control) error {
	return c.change(element(opDeleteRequest, []byte(dn)), opDeleteResponse, controls)
}

// ModifyDN renames an object and, with a superior, moves it.
func (c *Conn) ModifyDN(dn, newRDN string, deleteOld bool, superior string, controls ...Control) error {
	parts := [][]byte{text(dn), text(newRDN), boolean(deleteOld)}
	if superior != "" {
		parts = append(parts, element(tagSuperior, []byte(superior)))
	}
	return c.change(element(opModDNRequest, parts...), opModDNResponse, controls)
}

// Compare tells whether the object has the value.
func (c *Conn) Compare(dn, attribute string, value []byte, controls ...Control) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.ask(element(opCompareRequest, text(dn), element(tagSequence, text(attribute), element(tagOctetString, value))), opCompareResponse, controls...)
	switch {
	case err != nil:
		return false, err
	case r.code == ResultCompareTrue:
		return true, nil
	case r.code == ResultCompareFalse:
		return false, nil
	}
	if err := r.err(); err != nil {
		return false, err
	}
	return false, fmt.Errorf("%w: success is no answer to a comparison", ErrProtocol)
}

// oidWhoAmI is the extended operation of RFC 4532.
const oidWhoAmI = "1.3.6.1.4.1.4203.1.11.3"

// Extended makes an extended request and gives the value of its answer. A nil value is none.
func (c *Conn) Extended(oid string, value []byte, controls ...Control) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	parts := [][]byte{element(tagRequestName, []byte(oid))}
	if value != nil {
		parts = append(parts, element(tagRequestData, value))
	}
	r, err := c.ask(element(opExtendedRequest, parts...), opExtended, controls...)
	if err != nil {
		return nil, err
	}
	return r.data, r.err()
}

// WhoAmI asks for the identity of the connection: u:CONTOSO\alice, or "" for anonymous.
func (c *Conn) WhoAmI() (string, error) {
	data, err := c.Extended(oidWhoAmI, nil)
	return string(data), err
}
