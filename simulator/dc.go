package simulator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads"
	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc"
)

// DC is a domain controller: its replica of the directory, its KDC and its LDAP server.
type DC struct {
	d       *Domain
	name    string
	replica *directory.Replica
	dom     *directory.Domain
	kdc     *fakekdc.KDC

	mu      sync.Mutex
	stopped bool
	updated DCUpdate
	lines   map[*line]struct{} // connections in process
	ldap    *fakeads.Server    // made when first needed

	tested   time.Time // of the last Add-KdsRootKey -LocalTestOnly
	channels channelTable
}

// Name is the short name, for instance DC01.
func (dc *DC) Name() string { return dc.name }

// DNSName is the full name in lower case, for instance dc01.contoso.com.
func (dc *DC) DNSName() string { return dc.replica.DNSName() }

// Domain is the DNS name of the DC's domain.
func (dc *DC) Domain() string { return dc.dom.DNSName }

// Stop takes the DC off the network. Its records stay in DNS, as those of a DC that has crashed.
func (dc *DC) Stop() { dc.setStopped(true, "stop") }

// Start puts the DC back on the network.
func (dc *DC) Start() { dc.setStopped(false, "start") }

func (dc *DC) setStopped(stopped bool, text string) {
	dc.mu.Lock()
	dc.stopped = stopped
	var lines []*line
	if stopped {
		lines = slices.Collect(maps.Keys(dc.lines))
	}
	dc.mu.Unlock()
	if stopped {
		dc.d.faces.hangUp(dc)
	}
	for _, l := range lines {
		l.lose("does not answer")
	}
	dc.d.event(Event{Op: opDC, To: dc.name, Text: text})
}

// connected keeps a connection in process, so that a stop ends it, or takes it out again.
func (dc *DC) connected(l *line, open bool) {
	dc.mu.Lock()
	stopped := dc.stopped
	if open {
		if dc.lines == nil {
			dc.lines = map[*line]struct{}{}
		}
		dc.lines[l] = struct{}{}
	} else {
		delete(dc.lines, l)
	}
	dc.mu.Unlock()
	if open && stopped { // between the look at the DC and the connection
		l.lose("does not answer")
	}
}

// Running tells whether the DC answers.
func (dc *DC) Running() bool {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	return !dc.stopped
}

// RestartKDS restarts the key distribution service, which then reads the root keys from the directory again.
func (dc *DC) RestartKDS() {
	dc.replica.RestartKDS()
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "Restart-Service KdsSvc"})
}

// Replicate brings all changes of the forest to this DC at once (repadmin /syncall).
func (dc *DC) Replicate() {
	dc.replica.Sync()
	dc.d.event(Event{Op: opDC, To: dc.name, Text: "repadmin /syncall " + dc.name})
}

// peers are the DCs of the same domain, itself included.
func (dc *DC) peers() []*DC {
	var list []*DC
	for _, o := range dc.d.dcs {
		if o.dom == dc.dom {
			list = append(list, o)
		}
	}
	return list
}

// ldapServer gives the DC's LDAP server.
func (dc *DC) ldapServer() (*fakeads.Server, error) {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	if dc.d.ctx.Err() != nil {
		return nil, errClosed
	}
	if dc.ldap == nil {
		s, err := dc.newLDAPServer()
		if err != nil {
			return nil, fmt.Errorf("LDAP server of %s: %w", dc.name, err)
		}
		dc.ldap = s
	}
	return dc.ldap, nil
}

func (dc *DC) close() error {
	dc.mu.Lock()
	s := dc.ldap
	dc.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.Close()
}

// search looks into the DC's replica as the system, for the domain's own bookkeeping and for diagnosis.
func (dc *DC) search(base string, f *filter.Filter, attrs []string, each func(*directory.Entry)) error {
	req := &directory.SearchRequest{Base: base, Scope: directory.Subtree, Filter: f, Attributes: attrs, ExtendedDN: -1, DomainScope: true}
	page := &directory.Page{Size: 1000}
	req.Page = page
	for {
		res, err := dc.replica.Search(context.Background(), directory.System(), req, func(e *directory.Entry) error {
			each(e)
			return nil
		})
		if err != nil {
			return err
		}
		if len(res.Cookie) == 0 {
			return nil
		}
		page.Cookie = res.Cookie
	}
}

// rootKeys are the KDS root keys in the DC's replica.
func (dc *DC) rootKeys() []directory.RootKeyObject { return dc.replica.RootKeys() }

var (
	serviceAccountFilter = filter.MustParse("(objectClass=msDS-GroupManagedServiceAccount)")
)

// objectWith is the name of the object with a SID, or with a GUID when field is Guid.
func (dc *DC) objectWith(field, value string) (string, error) {
	f := &filter.Filter{Op: filter.Equal, Attr: "objectSid"}
	if field == "Guid" {
		guid, err := security.ParseGUID(strings.Trim(value, "{}"))
		if err != nil {
			return "", err
		}
		f.Attr, f.Value = "objectGUID", guid[:]
	} else {
		sid, err := security.ParseSID(value)
		if err != nil {
			return "", err
		}
		f.Value = sid.Bytes()
	}
	name := ""
	err := dc.search(dc.dom.DN, f, []string{"sAMAccountName", "name"}, func(e *directory.Entry) {
		if name = e.Value("sAMAccountName"); name == "" {
			name = e.DN
		}
	})
	if err == nil && name == "" {
		err = errAbsent
	}
	return name, err
}

// rotations are the timelines of the service accounts in the DC's domain.
func (dc *DC) rotations() []Rotation {
	var list []Rotation
	err := dc.search(dc.dom.DN, serviceAccountFilter, []string{"sAMAccountName", "whenCreated", "msDS-ManagedPasswordInterval"}, func(e *directory.Entry) {
		created, err := time.Parse("20060102150405.0Z", e.Value("whenCreated"))
		if err != nil {
			return
		}
		days, err := strconv.Atoi(e.Value("msDS-ManagedPasswordInterval"))
		if err != nil {
			return
		}
		cycles, err := kds.Rollover(days)
		if err != nil {
			return
		}
		list = append(list, Rotation{account: e.Value("sAMAccountName"), first: kds.IntervalAt(created).Start(), length: time.Duration(cycles) * kds.KeyCycle})
	})
	if err != nil {
		return nil
	}
	return list
}

// fileTime reads a large integer of 100 ns since 1601; zero when it is none.
func fileTime(s string) time.Time {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}
	}
	return kds.FILETIME(n).Time()
}
