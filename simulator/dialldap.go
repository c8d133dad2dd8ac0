package simulator

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
)

// DialLDAP opens an LDAP connection to a domain controller of a domain, "" for the forest's root domain, that stays in this process: it is
// served at domain time, and is in the events under the name of its client. The first controller that runs is taken. The connection ends with
// ctx and with the domain.
func (d *Domain) DialLDAP(ctx context.Context, client, domain string) (net.Conn, *DC, error) {
	dom := d.root()
	if domain != "" {
		if dom = d.forest.Domain(domain); dom == nil {
			return nil, nil, fmt.Errorf("no domain %s in the forest of %s", domain, d.DNSName())
		}
	}
	var stopped []string
	for _, dc := range d.dcs {
		if dc.dom != dom {
			continue
		}
		if !dc.Running() {
			stopped = append(stopped, dc.DNSName()+" is stopped")
			continue
		}
		ctx, cancel := context.WithCancel(ctx)
		detach := context.AfterFunc(d.ctx, cancel)
		line, err := (&station{d: d, name: client, dom: dom}).connect(ctx, dc)
		if err != nil {
			detach()
			cancel()
			return nil, nil, err
		}
		return &dialled{Conn: line.near, end: sync.OnceFunc(func() {
			detach()
			dc.connected(line, false)
			line.stop()
			_ = line.near.Close() // it may be closed already
			<-line.done
			cancel()
		})}, dc, nil
	}
	return nil, nil, fmt.Errorf("no domain controller of %s answers: %s", dom.DNSName, strings.Join(stopped, ", "))
}

// dialled is a connection in process in the hands of somebody who knows nothing of lines.
type dialled struct {
	net.Conn
	end func()
}

// Close ends the connection and waits for the server's side.
func (c *dialled) Close() error {
	c.end()
	return nil
}
