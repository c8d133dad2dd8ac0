package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// LDAP tags, RFC 4511.
const (
	tagEntry     = 0x64
	tagDone      = 0x65
	tagReference = 0x73
	tagBindReply = 0x61
	controlsTag  = 0xA0
	pagedOID     = "1.2.840.113556.1.4.319"
)

// An ldapConn is a client connection that parses no more of the answers than it must.
type ldapConn struct {
	net.Conn
	patience
	r   *bufio.Reader
	buf []byte
	id  int64
}

// connect opens a connection and binds it.
func (t ldapTarget) connect() (*ldapConn, error) {
	dial := t.dialer
	if dial == nil {
		dial = net.Dial
	}
	c, err := dial("tcp", t.addr)
	if err != nil {
		return nil, err
	}
	l := &ldapConn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}
	bind := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 0, nil, "bind")
	bind.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 3, "version"))
	bind.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, t.bindDN, "name"))
	bind.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, t.password, "simple"))
	op, _, err := l.roundTrip(bind, nil, tagBindReply)
	if err == nil {
		err = resultOK(op)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return l, nil
}

// roundTrip sends an operation and reads to the answer with the tag last. It counts the entries before it and gives that answer's
// operation with its controls.
func (l *ldapConn) roundTrip(op, controls *ber.Packet, last byte) (final []byte, entries int, err error) {
	l.id++
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "message")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, l.id, "id"))
	m.AppendChild(op)
	if controls != nil {
		m.AppendChild(controls)
	}
	return l.exchange(m.Bytes(), last)
}

func (l *ldapConn) exchange(request []byte, last byte) (final []byte, entries int, err error) {
	if err := l.renew(l.Conn); err != nil {
		return nil, 0, err
	}
	if _, err := l.Write(request); err != nil {
		return nil, 0, err
	}
	for {
		op, err := l.next()
		if err != nil {
			return nil, entries, err
		}
		switch op[0] {
		case tagEntry:
			entries++
		case tagReference:
		case last:
			return op, entries, nil
		default:
			return nil, entries, fmt.Errorf("unexpected answer %x", op[:min(len(op), 32)])
		}
	}
}

// next reads one message and gives what follows the message ID.
func (l *ldapConn) next() ([]byte, error) {
	head, err := l.r.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0x30 {
		return nil, fmt.Errorf("answer begins with %#x", head[0])
	}
	n, header := int(head[1]), 2
	if n >= 0x80 {
		width := n & 0x7f
		if head, err = l.r.Peek(2 + width); err != nil {
			return nil, err
		}
		n, header = 0, 2+width
		for _, b := range head[2:] {
			n = n<<8 | int(b)
		}
	}
	if cap(l.buf) < header+n {
		l.buf = make([]byte, header+n)
	}
	l.buf = l.buf[:header+n]
	if _, err := io.ReadFull(l.r, l.buf); err != nil {
		return nil, err
	}
	body := l.buf[header:]
	if len(body) < 3 || body[0] != 0x02 || len(body) < 3+int(body[1]) {
		return nil, errors.New("answer without a message ID")
	}
	return body[2+int(body[1]):], nil
}

// resultOK checks the resultCode of an LDAPResult operation.
func resultOK(op []byte) error {
	p, err := ber.DecodePacketErr(op)
	if err != nil {
		return err
	}
	if len(p.Children) < 3 {
		return errors.New("result of fewer than three parts")
	}
	code, ok := p.Children[0].Value.(int64)
	if !ok || code != 0 {
		return fmt.Errorf("result %v: %v", p.Children[0].Value, p.Children[2].Value)
	}
	return nil
}

// searchOp is a subtree search for (attr=value), or for (attr=*) when value is nil.
func searchOp(base, attr string, value []byte, attributes ...string) *ber.Packet {
	s := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 3, nil, "search")
	s.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, base, "base"))
	s.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 2, "scope"))
	s.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, "deref"))
	s.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, "size"))
	s.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 0, "time"))
	s.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, "types"))
	if value == nil {
		s.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, attr, "present"))
	} else {
		eq := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "equal")
		eq.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, attr, "attribute"))
		eq.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value), "value"))
		s.AppendChild(eq)
	}
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "attributes")
	for _, a := range attributes {
		list.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, a, "attribute"))
	}
	s.AppendChild(list)
	return s
}

// ldapTarget is a directory under load with its accounts named by accountName.
type ldapTarget struct {
	addr, base, bindDN, password string
	accounts                     int
	dialer                       dialer // nil: net.Dial
	server                       *server
}

// accountName is the sAMAccountName of the account number i, the same in every directory that is measured.
func accountName(i int) string { return fmt.Sprintf("acct%06d", i) }

// searchRates measures searches for one account by its indexed sAMAccountName, each for another account.
func searchRates(targets []ldapTarget, clients int, o options) ([]rate, error) {
	loads, err := loadsOf(targets, func(t ldapTarget) ([]worker, error) { return t.searchers(clients) })
	defer closeAll(loads)
	if err != nil {
		return nil, err
	}
	return measure(loads, o)
}

// searchLatencies are the times within which 99 of 100 such searches of one client are answered.
func searchLatencies(targets []ldapTarget, o options) ([]time.Duration, error) {
	loads, err := loadsOf(targets, func(t ldapTarget) ([]worker, error) { return t.searchers(1) })
	defer closeAll(loads)
	if err != nil {
		return nil, err
	}
	return percentile99(loads, o)
}

// enumerationRates measures entries a second of one client that reads all accounts in pages of 1,000.
func enumerationRates(targets []ldapTarget, o options) ([]rate, error) {
	loads, err := loadsOf(targets, ldapTarget.enumerator)
	defer closeAll(loads)
	if err != nil {
		return nil, err
	}
	return measure(loads, o)
}

// loadsOf makes the clients of all targets. Those made before an error are given too, to be closed.
func loadsOf(targets []ldapTarget, of func(ldapTarget) ([]worker, error)) (loads []load, err error) {
	for _, t := range targets {
		workers, err := of(t)
		loads = append(loads, load{workers, t.server})
		if err != nil {
			return loads, fmt.Errorf("%s: %w", t.server.name, err)
		}
	}
	return loads, nil
}

// searchers are clients that search. Those made before an error are given too, to be closed.
func (t ldapTarget) searchers(clients int) (workers []worker, err error) {
	for c := range clients {
		l, err := t.connect()
		if err != nil {
			return workers, err
		}
		// One template; the message ID and the name's digits are put in place, so that the client does not dominate.
		l.id = 0x01000000
		m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "message")
		m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, l.id, "id"))
		m.AppendChild(searchOp(t.base, "sAMAccountName", []byte(accountName(0)), "cn", "sAMAccountName", "objectSid", "userAccountControl", "servicePrincipalName"))
		request := m.Bytes()
		digits := lastIndexDigits(request, len(accountName(0))-len("acct"))
		id := len(request) - len(m.Data.Bytes())
		n := c * 7919
		workers = append(workers, worker{
			do: func() (int, error) {
				n++
				l.id++
				binary.BigEndian.PutUint32(request[id+2:], uint32(l.id))
				putDigits(request[digits:digits+6], n%t.accounts)
				op, entries, err := l.exchange(request, tagDone)
				if err != nil {
					return 0, err
				}
				if entries != 1 {
					return 0, fmt.Errorf("search for %s: %d entries, %w", request[digits-4:digits+6], entries, resultOK(op))
				}
				return 1, nil
			},
			close: func() { l.Close() },
		})
	}
	return workers, nil
}

// lastIndexDigits finds the template's account number.
func lastIndexDigits(b []byte, n int) int {
	want := []byte(accountName(0))
	for i := len(b) - len(want); i >= 0; i-- {
		if string(b[i:i+len(want)]) == string(want) {
			return i + len(want) - n
		}
	}
	return -1
}

func putDigits(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// enumerator is a client that reads all accounts in pages of 1,000.
func (t ldapTarget) enumerator() ([]worker, error) {
	l, err := t.connect()
	if err != nil {
		return nil, err
	}
	w := worker{close: func() { l.Close() }, do: func() (int, error) {
		total := 0
		var cookie []byte
		for {
			op, n, err := l.roundTrip(searchOp(t.base, "sAMAccountName", nil, "cn", "sAMAccountName", "objectSid", "userAccountControl", "servicePrincipalName"), paged(1000, cookie), tagDone)
			if err != nil {
				return 0, err
			}
			total += n
			if cookie, err = nextCookie(op); err != nil {
				return 0, err
			}
			if len(cookie) == 0 {
				break
			}
		}
		if total < t.accounts {
			return 0, fmt.Errorf("enumeration gave %d entries of %d", total, t.accounts)
		}
		return total, nil
	}}
	return []worker{w}, nil
}

// paged is the controls element with a paged-results control, RFC 2696.
func paged(size int64, cookie []byte) *ber.Packet {
	value := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "value")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, size, "size"))
	value.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(cookie), "cookie"))
	control := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "control")
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, pagedOID, "oid"))
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value.Bytes()), "value"))
	list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
	list.AppendChild(control)
	return list
}

// nextCookie reads the cookie out of a searchResultDone that is followed by its controls.
func nextCookie(done []byte) ([]byte, error) {
	if err := resultOK(done); err != nil {
		return nil, err
	}
	// Servers choose between short and long lengths, so that the size of the element decoded and encoded again tells nothing.
	r := bytes.NewReader(done)
	if _, err := ber.ReadPacket(r); err != nil {
		return nil, err
	}
	rest := done[len(done)-r.Len():]
	if len(rest) == 0 || rest[0] != controlsTag {
		return nil, errors.New("page without a paged-results control")
	}
	list, err := ber.DecodePacketErr(rest)
	if err != nil {
		return nil, err
	}
	for _, c := range list.Children {
		if len(c.Children) < 2 || c.Children[0].Value != pagedOID {
			continue
		}
		value, err := ber.DecodePacketErr(c.Children[len(c.Children)-1].Data.Bytes())
		if err != nil {
			return nil, err
		}
		if len(value.Children) != 2 {
			return nil, errors.New("paged-results control without a cookie")
		}
		return value.Children[1].Data.Bytes(), nil
	}
	return nil, errors.New("page without a paged-results control")
}
