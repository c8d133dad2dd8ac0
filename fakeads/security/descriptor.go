package security

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrDescriptor is wrapped by every error about a malformed security descriptor.
var ErrDescriptor = errors.New("malformed security descriptor")

// AccessMask is a set of rights, [MS-ADTS] 5.1.3.2.
type AccessMask uint32

// Rights on directory objects ([MS-ADTS] 5.1.3.2) and the generic ones.
const (
	RightCreateChild   AccessMask = 0x1
	RightDeleteChild   AccessMask = 0x2
	RightListChildren  AccessMask = 0x4
	RightSelf          AccessMask = 0x8 // validated write
	RightReadProperty  AccessMask = 0x10
	RightWriteProperty AccessMask = 0x20
	RightDeleteTree    AccessMask = 0x40
	RightListObject    AccessMask = 0x80
	RightControlAccess AccessMask = 0x100 // extended right; reading confidential attributes
	RightDelete        AccessMask = 0x10000
	RightReadControl   AccessMask = 0x20000
	RightWriteDAC      AccessMask = 0x40000
	RightWriteOwner    AccessMask = 0x80000
	RightSynchronize   AccessMask = 0x100000
	RightSystem        AccessMask = 0x1000000 // ACCESS_SYSTEM_SECURITY: the SACL
	RightMaximum       AccessMask = 0x2000000
	GenericAll         AccessMask = 0x10000000
	GenericExecute     AccessMask = 0x20000000
	GenericWrite       AccessMask = 0x40000000
	GenericRead        AccessMask = 0x80000000

	// FullControl is what GenericAll means on a directory object.
	FullControl AccessMask = 0xF01FF
)

// ACE types, [MS-DTYP] 2.4.4.1.
const (
	AccessAllowed       byte = 0x00
	AccessDenied        byte = 0x01
	SystemAudit         byte = 0x02
	AccessAllowedObject byte = 0x05
	AccessDeniedObject  byte = 0x06
	SystemAuditObject   byte = 0x07
)

// ACE flags, [MS-DTYP] 2.4.4.1.
const (
	ObjectInherit      byte = 0x01
	ContainerInherit   byte = 0x02
	NoPropagateInherit byte = 0x04
	InheritOnly        byte = 0x08
	Inherited          byte = 0x10
	SuccessfulAccess   byte = 0x40
	FailedAccess       byte = 0x80
)

// Control bits of a descriptor, [MS-DTYP] 2.4.6.
const (
	OwnerDefaulted     uint16 = 0x0001
	GroupDefaulted     uint16 = 0x0002
	DACLPresent        uint16 = 0x0004
	DACLDefaulted      uint16 = 0x0008
	SACLPresent        uint16 = 0x0010
	SACLDefaulted      uint16 = 0x0020
	DACLAutoInheritReq uint16 = 0x0100
	SACLAutoInheritReq uint16 = 0x0200
	DACLAutoInherited  uint16 = 0x0400
	SACLAutoInherited  uint16 = 0x0800
	DACLProtected      uint16 = 0x1000
	SACLProtected      uint16 = 0x2000
	RMControlValid     uint16 = 0x4000
	SelfRelative       uint16 = 0x8000
)

// ACL revisions, [MS-DTYP] 2.4.5: the second is needed for object ACEs.
const (
	ACLRevision   byte = 2
	ACLRevisionDS byte = 4
)

// ACE is an access control entry, [MS-DTYP] 2.4.4.
type ACE struct {
	Type, Flags byte
	Mask        AccessMask
	// ObjectType limits an object ACE to a class, attribute, property set or
	// extended right; InheritedObjectType to the class that inherits it.
	ObjectType, InheritedObjectType       GUID
	HasObjectType, HasInheritedObjectType bool
	SID                                   SID
	// ApplicationData is what follows the SID, as it is.
	ApplicationData []byte
}

// ACL is an access control list, [MS-DTYP] 2.4.5.
type ACL struct {
	Revision byte
	ACEs     []ACE
}

// Descriptor is a security descriptor, [MS-DTYP] 2.4.6. A nil DACL with
// DACLPresent in Control is the null DACL, which grants everyone everything.
type Descriptor struct {
	Control      uint16
	Owner, Group SID
	SACL, DACL   *ACL
}

// maxDescriptor is rangeUpper of nTSecurityDescriptor ([MS-ADA3] 2.37), in bytes.
const maxDescriptor = 132096

const (
	descriptorHeader = 20
	aclHeader        = 8
	aceHeader        = 4
)

// isObject tells whether an ACE of this type carries object types.
func isObject(aceType byte) bool {
	return aceType == AccessAllowedObject || aceType == AccessDeniedObject || aceType == SystemAuditObject ||
		aceType == accessAllowedCallbackObject || aceType == accessDeniedCallbackObject || aceType == systemAuditCallbackObject
}

// ACE types that are carried but take no part in the access check: conditional,
// resource-attribute and label ACEs, [MS-DTYP] 2.4.4.1.
const (
	accessAllowedCallback       byte = 0x09
	accessDeniedCallback        byte = 0x0A
	accessAllowedCallbackObject byte = 0x0B
	accessDeniedCallbackObject  byte = 0x0C
	systemAuditCallback         byte = 0x0D
	systemAuditCallbackObject   byte = 0x0F
	systemMandatoryLabel        byte = 0x11
	systemResourceAttribute     byte = 0x12
	systemScopedPolicyID        byte = 0x13
)

// isKnown tells whether the layout of an ACE of this type is known.
func isKnown(aceType byte) bool {
	switch aceType {
	case AccessAllowed, AccessDenied, SystemAudit, accessAllowedCallback, accessDeniedCallback, systemAuditCallback,
		systemMandatoryLabel, systemResourceAttribute, systemScopedPolicyID:
		return true
	}
	return isObject(aceType)
}

// ParseDescriptor reads the self-relative form ([MS-DTYP] 2.4.6). The parts may
// be in any order. Bytes after an ACL's entries are allowed, as they are in
// Windows, and dropped. The result shares no memory with b.
func ParseDescriptor(b []byte) (*Descriptor, error) {
	if len(b) < descriptorHeader || len(b) > maxDescriptor {
		return nil, fmt.Errorf("%w: %d bytes, must be %d to %d", ErrDescriptor, len(b), descriptorHeader, maxDescriptor)
	}
	if b[0] != 1 {
		return nil, fmt.Errorf("%w: revision %d, only 1 exists", ErrDescriptor, b[0])
	}
	d := &Descriptor{Control: binary.LittleEndian.Uint16(b[2:])}
	if d.Control&SelfRelative == 0 {
		return nil, fmt.Errorf("%w: control 0x%04x is not self-relative", ErrDescriptor, d.Control)
	}
	for _, part := range []struct {
		name string
		at   int
		sid  *SID
	}{{"owner", 4, &d.Owner}, {"group", 8, &d.Group}} {
		tail, err := offset(b, part.at, part.name)
		if err != nil {
			return nil, err
		}
		if tail == nil {
			continue
		}
		if *part.sid, _, err = sidPrefix(tail); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDescriptor, part.name, err)
		}
	}
	for _, part := range []struct {
		name    string
		at      int
		present uint16
		acl     **ACL
	}{{"SACL", 12, SACLPresent, &d.SACL}, {"DACL", 16, DACLPresent, &d.DACL}} {
		tail, err := offset(b, part.at, part.name)
		if err != nil {
			return nil, err
		}
		if tail == nil || d.Control&part.present == 0 {
			continue
		}
		if *part.acl, err = parseACL(tail); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDescriptor, part.name, err)
		}
	}
	return d, nil
}

// offset is what the offset at b[at:] points to; nil for the offset 0.
func offset(b []byte, at int, name string) ([]byte, error) {
	o := binary.LittleEndian.Uint32(b[at:])
	if o == 0 {
		return nil, nil
	}
	if o < descriptorHeader || uint64(o) >= uint64(len(b)) {
		return nil, fmt.Errorf("%w: %s at offset %d of %d bytes", ErrDescriptor, name, o, len(b))
	}
	return b[o:], nil
}

func parseACL(b []byte) (*ACL, error) {
	if len(b) < aclHeader {
		return nil, fmt.Errorf("ACL header cut short: %d bytes", len(b))
	}
	size, count := int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint16(b[4:]))
	if b[0] != ACLRevision && b[0] != ACLRevisionDS {
		return nil, fmt.Errorf("ACL revision %d, must be 2 or 4", b[0])
	}
	if size < aclHeader || size > len(b) {
		return nil, fmt.Errorf("ACL of %d bytes where %d are left", size, len(b))
	}
	acl := &ACL{Revision: b[0]}
	b = b[aclHeader:size]
	if count > len(b)/aceHeader {
		return nil, fmt.Errorf("%d ACEs in %d bytes", count, len(b))
	}
	acl.ACEs = make([]ACE, count)
	for i := range acl.ACEs {
		if len(b) < aceHeader {
			return nil, fmt.Errorf("ACE %d of %d cut short", i, count)
		}
		n := int(binary.LittleEndian.Uint16(b[2:]))
		if n < aceHeader || n > len(b) {
			return nil, fmt.Errorf("ACE %d of %d bytes where %d are left", i, n, len(b))
		}
		if err := acl.ACEs[i].parse(b[:n]); err != nil {
			return nil, fmt.Errorf("ACE %d: %w", i, err)
		}
		b = b[n:]
	}
	return acl, nil
}

// Flags of an object ACE's body, [MS-DTYP] 2.4.4.3.
const (
	objectTypePresent          = 1
	inheritedObjectTypePresent = 2
)

func (a *ACE) parse(b []byte) error {
	a.Type, a.Flags = b[0], b[1]
	b = b[aceHeader:]
	if !isKnown(a.Type) {
		return fmt.Errorf("unknown type 0x%02x", a.Type)
	}
	if len(b) < 4 {
		return errors.New("no room for the mask")
	}
	a.Mask = AccessMask(binary.LittleEndian.Uint32(b))
	b = b[4:]
	if isObject(a.Type) {
		if len(b) < 4 {
			return errors.New("no room for the object flags")
		}
		flags := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if flags&^(objectTypePresent|inheritedObjectTypePresent) != 0 {
			return fmt.Errorf("object flags 0x%x", flags)
		}
		for _, g := range []struct {
			flag uint32
			has  *bool
			guid *GUID
		}{{objectTypePresent, &a.HasObjectType, &a.ObjectType}, {inheritedObjectTypePresent, &a.HasInheritedObjectType, &a.InheritedObjectType}} {
			if flags&g.flag == 0 {
				continue
			}
			if len(b) < 16 {
				return errors.New("no room for the object type")
			}
			*g.has, *g.guid = true, GUID(b[:16])
			b = b[16:]
		}
	}
	sid, n, err := sidPrefix(b)
	if err != nil {
		return err
	}
	a.SID = sid
	if n < len(b) {
		a.ApplicationData = append([]byte(nil), b[n:]...)
	}
	return nil
}

// Marshal is the self-relative form with the parts in the order owner, group,
// SACL, DACL: that of descriptors written by the Active Directory cmdlets.
func (d *Descriptor) Marshal() []byte {
	return d.marshal(false)
}

// MarshalOwnerLast is the self-relative form in the order SACL, DACL, owner,
// group: that of descriptors converted from SDDL by Windows. The Group Key
// Distribution Service hashes one in this form.
func (d *Descriptor) MarshalOwnerLast() []byte {
	return d.marshal(true)
}

func (d *Descriptor) marshal(ownerLast bool) []byte {
	b := make([]byte, descriptorHeader, descriptorHeader+d.Owner.Size()+d.Group.Size()+d.SACL.size()+d.DACL.size())
	b[0] = 1
	binary.LittleEndian.PutUint16(b[2:], d.Control|SelfRelative)
	sids := func() {
		for _, part := range []struct {
			at  int
			sid SID
		}{{4, d.Owner}, {8, d.Group}} {
			if !part.sid.IsZero() {
				binary.LittleEndian.PutUint32(b[part.at:], uint32(len(b)))
				b = part.sid.AppendTo(b)
			}
		}
	}
	if !ownerLast {
		sids()
	}
	for _, part := range []struct {
		at  int
		acl *ACL
	}{{12, d.SACL}, {16, d.DACL}} {
		if part.acl != nil {
			binary.LittleEndian.PutUint32(b[part.at:], uint32(len(b)))
			b = part.acl.appendTo(b)
		}
	}
	if ownerLast {
		sids()
	}
	return b
}

func (a *ACL) size() int {
	if a == nil {
		return 0
	}
	n := aclHeader
	for i := range a.ACEs {
		n += a.ACEs[i].size()
	}
	return n
}

func (a *ACL) appendTo(b []byte) []byte {
	b = append(b, a.Revision, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(a.size()))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(a.ACEs)))
	b = append(b, 0, 0)
	for i := range a.ACEs {
		b = a.ACEs[i].appendTo(b)
	}
	return b
}

func (a *ACE) size() int {
	n := aceHeader + 4 + a.SID.Size() + len(a.ApplicationData)
	if isObject(a.Type) {
		n += 4
		if a.HasObjectType {
			n += 16
		}
		if a.HasInheritedObjectType {
			n += 16
		}
	}
	return n
}

func (a *ACE) appendTo(b []byte) []byte {
	b = append(b, a.Type, a.Flags)
	b = binary.LittleEndian.AppendUint16(b, uint16(a.size()))
	b = binary.LittleEndian.AppendUint32(b, uint32(a.Mask))
	if isObject(a.Type) {
		var flags uint32
		if a.HasObjectType {
			flags |= objectTypePresent
		}
		if a.HasInheritedObjectType {
			flags |= inheritedObjectTypePresent
		}
		b = binary.LittleEndian.AppendUint32(b, flags)
		if a.HasObjectType {
			b = append(b, a.ObjectType[:]...)
		}
		if a.HasInheritedObjectType {
			b = append(b, a.InheritedObjectType[:]...)
		}
	}
	return append(a.SID.AppendTo(b), a.ApplicationData...)
}
