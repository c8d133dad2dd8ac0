// Package security holds the values that Windows access control is made of:
// SIDs, GUIDs, access control lists and security descriptors in their binary
// and SDDL forms, the access check of Active Directory and the inheritance of
// access control entries.
//
// The access check is that of [MS-ADTS] 5.1.3.3 on the tokens and descriptors
// of [MS-DTYP] 2.4 and 2.5. Not modelled: conditional and resource-attribute
// ACEs (parsed, kept and never matching), audit, integrity labels.
package security
