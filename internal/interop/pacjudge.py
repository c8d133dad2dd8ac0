#!/usr/bin/python3
"""Lets MIT's acceptor and impacket judge the PAC of a ticket for the first account of a keytab, as it is and with one bit changed.

    pacjudge.py KEYTAB      KRB5CCNAME names the client's cache: FILE:PATH

Whoever holds the service's key can change what is in a ticket: this script decrypts it, changes the PAC, and encrypts it again.
Only the signatures of the PAC show that. Prints `name: value` lines.
"""
import os
import struct
import subprocess
import sys

import gssapi
from impacket.krb5 import asn1, pac
from impacket.krb5.crypto import Key, _enctype_table, verify_checksum
from impacket.krb5.keytab import Keytab
from pyasn1.codec.der import decoder

AD_WIN2K_PAC = 128
KEY_USAGE_TICKET = 2
KEY_USAGE_SIGNATURE = 17


def first_principal(keytab):
    for line in subprocess.check_output(['klist', '-k', keytab], text=True).splitlines():
        if '@' in line:
            return line.split()[1]
    raise SystemExit('no principal in ' + keytab)


def accept(cache, keytab, principal):
    """What MIT's acceptor says about the client of a fresh context: name, and the attributes it has authenticated."""
    name = gssapi.Name(principal, gssapi.NameType.kerberos_principal)
    client = gssapi.Credentials(usage='initiate', store={'ccache': 'FILE:' + cache})
    server = gssapi.Credentials(usage='accept', store={'keytab': keytab})
    initiator = gssapi.SecurityContext(name=name, creds=client, usage='initiate')
    acceptor = gssapi.SecurityContext(creds=server, usage='accept')
    token = initiator.step()
    while token and not acceptor.complete:
        token = acceptor.step(token)
        if token and not initiator.complete:
            token = initiator.step(token)
    who = acceptor.initiator_name
    try:
        return str(who), {a.decode(): who.attributes[a].authenticated for a in who.attributes}
    except gssapi.exceptions.OperationUnavailableError:
        return str(who), {}  # a name without any attribute


def show_accept(label, *args):
    who, found = accept(*args)
    mspac = sorted(a for a in found if a.startswith('urn:mspac:'))
    print('%s: client %s' % (label, who))
    print('%s: authenticated %s' % (label, ' '.join(a for a in mspac if found[a]) or 'nothing'))


def pac_of(plain):
    part = decoder.decode(plain, asn1Spec=asn1.EncTicketPart())[0]
    for element in part['authorization-data']:
        if int(element['ad-type']) == 1:
            for inner in decoder.decode(bytes(element['ad-data']), asn1Spec=asn1.AuthorizationData())[0]:
                if int(inner['ad-type']) == AD_WIN2K_PAC:
                    return bytes(inner['ad-data'])
    raise SystemExit('the ticket has no PAC')


def buffers(blob):
    """Type, offset and size of each buffer, by impacket's structures."""
    head = pac.PACTYPE(blob)
    rest = head['Buffers']
    for _ in range(head['cBuffers']):
        info = pac.PAC_INFO_BUFFER(rest)
        yield info['ulType'], info['Offset'], info['cbBufferSize']
        rest = rest[len(info):]


def judge(blob, key):
    """impacket's view: the account of the logon information, and whether the server's signature fits."""
    zeroed, signature, account = bytearray(blob), None, None
    for kind, offset, size in buffers(blob):
        data = blob[offset:offset + size]
        if kind in (pac.PAC_SERVER_CHECKSUM, pac.PAC_PRIVSVR_CHECKSUM):
            zeroed[offset + 4:offset + size] = bytes(size - 4)
            if kind == pac.PAC_SERVER_CHECKSUM:
                signature = struct.unpack('<i', data[:4])[0], data[4:]
        elif kind == pac.PAC_LOGON_INFO:
            info = pac.VALIDATION_INFO()
            info.fromString(data)
            info.fromStringReferents(data, len(info.getData()))
            account = info['Data']['EffectiveName']
    try:
        verify_checksum(signature[0], key, KEY_USAGE_SIGNATURE, bytes(zeroed), signature[1])
        verdict = 'signature fits'
    except Exception as e:
        verdict = 'signature does not fit (%s)' % type(e).__name__
    return '%s, %s' % (account, verdict)


def main():
    keytab = sys.argv[1].removeprefix('FILE:')
    cache = os.environ['KRB5CCNAME'].removeprefix('FILE:')
    principal = first_principal(keytab)
    subprocess.check_call(['kvno', '-q', principal])
    show_accept('MIT', cache, keytab, principal)

    stored = open(cache, 'rb').read()
    found = None
    # The cache holds tickets as they are on the wire; the last one for the principal is the one just fetched.
    at = 0
    while True:
        at = stored.find(b'\x61\x82', at)
        if at < 0:
            break
        try:
            ticket = decoder.decode(stored[at:], asn1Spec=asn1.Ticket())[0]
            if '/'.join(map(str, ticket['sname']['name-string'])) == principal.split('@')[0]:
                found = ticket
        except Exception:
            pass
        at += 1
    etype, cipher = int(found['enc-part']['etype']), bytes(found['enc-part']['cipher'])
    block = Keytab.loadFile(keytab).getKey(principal, etype)
    key = Key(etype, block['keyvalue']['data'])
    crypto = _enctype_table[etype]
    plain = crypto.decrypt(key, KEY_USAGE_TICKET, cipher)
    blob = pac_of(plain)
    print('impacket: buffers ' + ' '.join(str(k) for k in sorted(k for k, _, _ in buffers(blob))))
    print('impacket: ' + judge(blob, key))

    for kind, offset, size in buffers(blob):
        if size == 0 or kind == pac.PAC_PRIVSVR_CHECKSUM:
            continue  # the KDC's own signature says nothing to a service
        flipped = bytearray(blob)
        flipped[offset + size - 1] ^= 0x10
        changed = crypto.encrypt(key, KEY_USAGE_TICKET, plain.replace(blob, bytes(flipped)), None)
        assert len(changed) == len(cipher)
        other = cache + '.flipped'
        with open(other, 'wb') as f:
            f.write(stored.replace(cipher, changed))
        label = 'flipped buffer %d' % kind
        show_accept(label + ', MIT', other, keytab, principal)
        try:
            print('%s, impacket: %s' % (label, judge(bytes(flipped), key)))
        except Exception as e:
            print('%s, impacket: undecodable (%s)' % (label, type(e).__name__))


if __name__ == '__main__':
    main()
