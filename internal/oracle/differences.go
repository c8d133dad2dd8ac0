package oracle

// A Difference is one way in which Samba 4.22 and gmsasim are meant to differ.
type Difference struct {
	// Samba and Gmsasim say in words what either side does.
	Samba, Gmsasim string
	// Because is the reason, with its source.
	Because string
	// NotOnTheWire marks a row that no operation of the suite can show, because it takes another clock or another domain.
	NotOnTheWire bool
}

// Differences is the table of allowed differences. A check names a row and gives the outcome of either side.
//
// Nothing here may touch who reads the password on which transport, absence against error, the layout of the blob, derived keys,
// salts, aliases, the codes 6, 7, 14, 18, 24, 25, 36, 37, 44 and 52, or the placement of resource groups.
var Differences = map[string]Difference{
	"D1": {Samba: "32 noSuchObject", Gmsasim: "53 unwillingToPerform",
		Because: "a gMSA without a usable root key: Samba's own tests note 53 as the answer of Windows; both have 8009000D in the text"},
	"D2": {Samba: "a root key is usable 10 h and 5 min after its effective time", Gmsasim: "exactly 10 h after it (a policy value)",
		Because: "Microsoft's guide says 10 hours; the 5 minutes are Samba's reading of the clock skew in [MS-GKDI] 3.1.4.1.1"},
	"D3": {Samba: "00002020 first, 0000202D inside", Gmsasim: "0000202D first",
		Because: "the number of the refusal of an unsealed read: Samba's module wraps the text of another"},
	"D4": {Samba: "the PAC of a service ticket names a global group that the account joined after its TGT", Gmsasim: "it takes a new TGT",
		Because: "[MS-KILE] 3.3.5.7 copies the groups of the TGT and adds only domain-local ones; the guide tells the admin to restart the host"},
	"D5": {Samba: "userAccountControl 4130: disabled, no password needed", Gmsasim: "4096",
		Because: "New-ADServiceAccount makes enabled accounts"},
	"D6": {Samba: "accepted", Gmsasim: "refused",
		Because: "sAMAccountName longer than 20 or without its dollar, a descriptor that is none, a domain-local group in a global one: rules of [MS-ADTS] 3.1.1.2.3, 3.1.1.5 and of the cmdlet that Samba does not check"},
	"D7": {Samba: "19 with 0000202F", Gmsasim: "19 with 000021C7 or 000021C8; 20 for a value that is there in another case",
		Because: "uniqueness of SPN and UPN, [MS-ADTS] 3.1.1.5.1.3: the numbers are Windows error codes of its DCs since 2012 R2"},
	"D8": {Samba: "host/X is refused while another account holds http/X", Gmsasim: "accepted",
		Because: "Windows compares the literal value only; Samba treats the mapped classes as a conflict in this direction"},
	"D9": {Samba: "32 without a number", Gmsasim: "32 with 0000208D, and 10 with a referral for a domain that the DC does not hold",
		Because: "[MS-ADTS] 3.1.1.3.1.1 name errors and referrals"},
	"D10": {Samba: "the client's size limit is ignored", Gmsasim: "4 sizeLimitExceeded",
		Because: "RFC 4511 4.5.1.4"},
	"D11": {Samba: "49", Gmsasim: "0, an anonymous session",
		Because: "a simple bind with a name and no password: RFC 4513 5.1.2 unauthenticated, which AD accepts ([MS-ADTS] 5.1.1.1.1)"},
	"D12": {Samba: "53", Gmsasim: "48 inappropriateAuthentication",
		Because: "a SASL layer over TLS; tools that meet Windows there report error 48 with the same text"},
	"D13": {Samba: "KRB-ERROR carries cname and crealm, with TGS ctime and cusec, sometimes e-text", Gmsasim: "it does not",
		Because: "what Windows sends; all of them are optional in RFC 4120 5.9.1"},
	"D14": {Samba: "16 15 2 136 19; s2kparams; one entry of ETYPE-INFO2", Gmsasim: "19 2 16 15; no s2kparams; RC4 as the second entry",
		Because: "order and contents of METHOD-DATA as Windows sends them; FAST (136) is not modelled"},
	"D15": {Samba: "31 for a damaged TGT, 6 for another realm", Gmsasim: "41, 68",
		Because: "[MS-KILE] 3.3.5: KRB_AP_ERR_MODIFIED; KDC_ERR_WRONG_REALM names the right realm"},
	"D16": {Samba: "an SPN with a port maps to the name without it", Gmsasim: "7: a port is part of the name",
		Because: "servicePrincipalName is compared as a whole ([MS-KILE] 3.3.5.1.1); decided in the design, Windows not measured"},
	"D17": {Samba: "buffers 1 13 10 12 6 7 16 19, an empty claims buffer, S-1-5-21-0-0-0-497", Gmsasim: "1 6 7 10 12 16 19, neither",
		Because: "order and set of a ticket of Windows Server 2022 with claims off"},
	"D18": {Samba: "the catalog serves the managed password; ;binary finds nothing", Gmsasim: "it does not; the option is echoed",
		Because: "msDS-ManagedPassword is in no partial attribute set ([MS-ADA2]); option handling of [MS-ADTS] 3.1.1.3.1.1.4"},
	"D19": {Samba: "netlogon flags 0x1D1BD", Gmsasim: "0x1F3FD",
		Because: "a Windows DC also has a time service and ADWS ([MS-ADTS] 6.3.1.2)"},
	"D20": {Samba: "msKds-PrivateKeyLength 256", Gmsasim: "512",
		Because: "the value that Windows writes"},
	"D22": {Samba: "a password may contain the account's name", Gmsasim: "it may not",
		Because: "DOMAIN_PASSWORD_COMPLEX of [MS-SAMR] 3.1.1.7.1; Samba counts kinds of characters only"},
	"D23": {Samba: "vendorName in the root DSE", Gmsasim: "supportedLDAPPolicies",
		Because: "[MS-ADTS] 3.1.1.3.2: the attributes of the root DSE"},
	"D24": {Samba: "(!(unknown attribute=x)) is true", Gmsasim: "undefined, and so no match",
		Because: "RFC 4511 4.5.1.7: an attribute description that is not recognised makes the item Undefined"},
	"D25": {Samba: "no localPolicyFlags on computers", Gmsasim: "0",
		Because: "[MS-SAMR] 3.1.1.8.11 and dumps of Windows directories"},
	"D26": {Samba: "an AS reply has no starttime", Gmsasim: "it has",
		Because: "captures of Windows; impacket cannot save a TGT without it"},
	"D27": {Samba: "transited-policy-checked in service tickets, ok-as-delegate in those for krbtgt", Gmsasim: "bit 15 (name-canonicalize) and no others",
		Because: "0x40A10000 in captures of Windows"},
	"D28": {Samba: "PA-SUPPORTED-ENCTYPES alone", Gmsasim: "with PA-PAC-OPTIONS",
		Because: "[MS-KILE] 3.3.5.6: encrypted-pa-data of a KDC of Windows Server 2012 and later"},
	"D29": {Samba: "50 for an authenticator without checksum", Gmsasim: "accepted",
		Because: "impacket sends none, and works with Windows"},
	"D30": {Samba: "S4U2Self without delegation is not forwardable", Gmsasim: "forwardable, as it was asked for",
		Because: "[MS-SFU] 3.2.5.1.2 clears the flag only when msDS-AllowedToDelegateTo has values and the account is not trusted to authenticate"},
	"D31": {Samba: "12 policy", Gmsasim: "18 client revoked",
		Because: "S4U2Self for a disabled user: [MS-SFU] 3.2.5.1.2 makes the checks of an AS exchange"},
	"D32": {Samba: "a ticket for a disabled service", Gmsasim: "7",
		Because: "[MS-KILE] 3.3.5.7: a disabled account is no service principal"},
	"D33": {Samba: "finds a computer by its dNSHostName when no SPN fits", Gmsasim: "7: names are compared with servicePrincipalName only",
		Because: "[MS-KILE] 3.3.5.1.1"},
	"D34": {Samba: "every read looks the root key up", Gmsasim: "the key distribution service keeps the keys that it has read until it is restarted",
		Because: "[MS-GKDI] 3.1.1 and Microsoft's guidance on deleting root keys"},
	"D35": {Samba: "7 for DOMAIN\\account of type -128 and for an enterprise name without a suffix", Gmsasim: "the account's ticket",
		Because: "impacket asks for service tickets by both, of Windows with success"},
}
