package fakeads

import "errors"

// defaultBuffered is ours; Active Directory has no limit of this kind.
const defaultBuffered = 256 << 20

// errCrowded is why a session ends whose request finds no room.
var errCrowded = errors.New("no room for another large request")

// charge brings what the server counts for an inbox in step with its buffer. Without a limit on all of them together, as many clients
// as are let in, each with most of a large request and no need to bind for it, would fill any memory. The first octets of a connection,
// keep, are not counted: their number is limited by that of the connections.
func (c *conn) charge(i *inbox) error {
	now := max(cap(i.b)-keep, 0)
	more := int64(now - i.charged)
	if more == 0 {
		return nil
	}
	i.charged = now
	if total := c.s.buffered.Add(more); more > 0 && total > int64(c.s.cfg.MaxBuffered) {
		return errCrowded
	}
	return nil
}

// discharge gives back what the session's inboxes hold. Nothing is read after it.
func (c *conn) discharge() {
	for _, i := range []*inbox{&c.plain, &c.sealed} {
		c.s.buffered.Add(-int64(i.charged))
		*i = inbox{}
	}
}
