#!/usr/bin/python3
"""Raw Kerberos requests and what came back, as `name: value` lines.

Reads one request per line from standard input, as a shell would write it, and answers each with lines that end in an empty
line. The ASN.1 and the crypto are impacket's, the PAC decoder is Samba's: neither knows gmsasim.

    as CLIENT [options]             an AS exchange; with --save the TGT is kept under a name; --blob FILE takes the password
                                    from an LDIF file with msDS-ManagedPassword
    tgs TGT SERVER [options]        a TGS exchange with a TGT that was kept
    pac TICKET --account A --password P|--blob FILE
                                    decrypts a kept service ticket with the key of account A and prints its PAC
"""
import argparse
import base64
import datetime
import random
import shlex
import socket
import struct
import sys

from Cryptodome.Hash import MD4
from impacket.krb5 import asn1, constants
from impacket.krb5.crypto import Key, _enctype_table, make_checksum, string_to_key
from impacket.krb5.types import KerberosTime
from pyasn1.codec.der import decoder, encoder
from pyasn1.type.univ import noValue
from samba.dcerpc import krb5pac
from samba.ndr import ndr_unpack

REALM = 'CONTOSO.COM'
KDC = ('dc01.contoso.com', 88)
# Kept tickets: name -> (ticket as decoded, session key, client name parts, client name type, realm)
kept = {}

KDC_OPTIONS = {
    'forwardable': 1, 'forwarded': 2, 'proxiable': 3, 'proxy': 4, 'renewable': 8, 'cname-in-addl-tkt': 14,
    'canonicalize': 15, 'renewable-ok': 27, 'enc-tkt-in-skey': 28, 'renew': 30, 'validate': 31,
}
TICKET_FLAGS = {
    1: 'forwardable', 2: 'forwarded', 3: 'proxiable', 4: 'proxy', 8: 'renewable', 9: 'initial', 10: 'pre-authent',
    12: 'transited-policy-checked', 13: 'ok-as-delegate', 15: 'enc-pa-rep',
}


def options(text):
    return constants.encodeFlags([KDC_OPTIONS[name] for name in text.split(',') if name])


def exchange(message, udp):
    """Sends one request and returns the reply, None for silence."""
    if udp:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(message, KDC)
            return s.recv(65536)
    with socket.create_connection(KDC, 5) as s:
        s.settimeout(5)
        s.sendall(struct.pack('!I', len(message)) + message)
        head = b''
        while len(head) < 4:
            part = s.recv(4 - len(head))
            if not part:
                return None
            head += part
        size, reply = struct.unpack('!I', head)[0], b''
        while len(reply) < size:
            part = s.recv(size - len(reply))
            if not part:
                return None
            reply += part
        return reply


def fields(message):
    """The names of the components that are there, in order."""
    return ' '.join(name for name in message if message[name].isValue)


def name_of(principal):
    return '%d %s' % (int(principal['name-type']), '/'.join(str(c) for c in principal['name-string']))


def blob_of(path):
    """msDS-ManagedPassword of an LDIF file, as [MS-ADTS] 2.2.19 lays it out."""
    for line in open(path):
        if line.lower().startswith('msds-managedpassword:: '):
            return base64.b64decode(line.split(':: ')[1])
    raise ValueError('no msDS-ManagedPassword in ' + path)


def passwords_of(blob):
    """The current and, if there is one, the previous password: 256 octets each."""
    return [blob[o:o + 256] for o in struct.unpack_from('<HH', blob, 8) if o]


def utf8_of(password):
    """UTF-8 in which every unpaired surrogate is U+FFFD: what string-to-key takes."""
    text = password.decode('utf-16-le', 'surrogatepass')
    return ''.join('\ufffd' if 0xd800 <= ord(c) <= 0xdfff else c for c in text)


def key_of(etype, password, salt):
    if etype == 23:
        return Key(23, MD4.new(password).digest())
    return string_to_key(etype, utf8_of(password).encode(), salt)


def etype_info2(value):
    for entry in decoder.decode(value, asn1Spec=asn1.ETYPE_INFO2())[0]:
        text = str(int(entry['etype']))
        text += ' salt=' + str(entry['salt']) if entry['salt'].isValue else ' no-salt'
        text += ' s2kparams=' + bytes(entry['s2kparams']).hex() if entry['s2kparams'].isValue else ''
        yield text


def show_error(reply):
    error = decoder.decode(reply, asn1Spec=asn1.KRB_ERROR())[0]
    yield 'error: %d' % int(error['error-code'])
    yield 'fields: ' + fields(error)
    yield 'realm: ' + str(error['realm'])
    yield 'sname: ' + name_of(error['sname'])
    if not error['e-data'].isValue:
        return
    data = bytes(error['e-data'])
    try:
        methods = decoder.decode(data, asn1Spec=asn1.METHOD_DATA())[0]
    except Exception:
        yield 'e-data: other'
        return
    yield 'padata: ' + ' '.join(str(int(m['padata-type'])) for m in methods)
    yield 'padata-set: ' + ' '.join(map(str, sorted({int(m['padata-type']) for m in methods})))
    for m in methods:
        if int(m['padata-type']) == 19:
            for line in etype_info2(bytes(m['padata-value'])):
                yield 'etype-info2: ' + line


def hours(start, end):
    """A lifetime in hours, to the minute."""
    return '%.2fh' % (round((end - start).total_seconds() / 60) / 60)


def time_of(value):
    return datetime.datetime.strptime(str(value), '%Y%m%d%H%M%SZ')


def show_enc_part(part):
    flags = part['flags'].asNumbers()
    number = 0
    for octet in flags:
        number = number << 8 | octet
    yield 'flags: 0x%08x' % number
    yield 'flag-names: ' + ' '.join(n for bit, n in sorted(TICKET_FLAGS.items()) if number >> (31 - bit) & 1)
    yield 'enc-fields: ' + fields(part)
    yield 'session-etype: %d' % int(part['key']['keytype'])
    yield 'enc-sname: ' + name_of(part['sname'])
    yield 'enc-srealm: ' + str(part['srealm'])
    start = time_of(part['starttime'] if part['starttime'].isValue else part['authtime'])
    yield 'life: ' + hours(start, time_of(part['endtime']))
    if part['renew-till'].isValue:
        yield 'renew: ' + hours(start, time_of(part['renew-till']))
    if part['encrypted_pa_data'].isValue:
        yield 'enc-padata: ' + ' '.join(str(int(m['padata-type'])) for m in part['encrypted_pa_data'])
        for m in part['encrypted_pa_data']:
            if int(m['padata-type']) == 165:
                yield 'supported-etypes: ' + bytes(m['padata-value']).hex()


def show_reply(reply, part):
    yield 'error: 0'
    yield 'fields: ' + fields(reply)
    yield 'crealm: ' + str(reply['crealm'])
    yield 'cname: ' + name_of(reply['cname'])
    yield 'ticket-sname: ' + name_of(reply['ticket']['sname'])
    yield 'ticket-realm: ' + str(reply['ticket']['realm'])
    yield 'ticket-etype: %d' % int(reply['ticket']['enc-part']['etype'])
    if reply['ticket']['enc-part']['kvno'].isValue:
        yield 'ticket-kvno: %d' % int(reply['ticket']['enc-part']['kvno'])
    yield 'enc-part-etype: %d' % int(reply['enc-part']['etype'])
    if reply['padata'].isValue and len(reply['padata']):
        yield 'padata: ' + ' '.join(str(int(m['padata-type'])) for m in reply['padata'])
        for m in reply['padata']:
            if int(m['padata-type']) == 19:
                for line in etype_info2(bytes(m['padata-value'])):
                    yield 'etype-info2: ' + line
    yield from show_enc_part(part)


def body(request, args, etypes, server, server_type, client=None, client_type=1):
    b = asn1.seq_set(request, 'req-body')
    b['kdc-options'] = options(args.options)
    if client is not None:
        asn1.seq_set(b, 'cname', lambda p: principal(p, client_type, client))
    b['realm'] = args.realm
    if server is not None:
        asn1.seq_set(b, 'sname', lambda p: principal(p, server_type, server))
    till = datetime.datetime.utcnow() + datetime.timedelta(days=30)
    b['till'] = KerberosTime.to_asn1(till)
    if 'renewable' in args.options.split(','):
        b['rtime'] = KerberosTime.to_asn1(till)
    b['nonce'] = random.getrandbits(31)
    asn1.seq_set_iter(b, 'etype', etypes)
    return b


def inside(der):
    """The contents of an explicit tag."""
    return der[2 + (der[1] & 0x7f if der[1] & 0x80 else 0):]


def principal(p, kind, parts):
    p['name-type'] = kind
    asn1.seq_set_iter(p, 'name-string', parts)
    return p


def add_padata(request, *items):
    if not items:
        return
    request['padata'] = noValue
    for i, (kind, value) in enumerate(items):
        request['padata'][i] = noValue
        request['padata'][i]['padata-type'] = kind
        request['padata'][i]['padata-value'] = value


def split(name, enterprise):
    return [name] if enterprise else name.split('/')


def probe_as(args):
    etypes = [int(e) for e in args.etypes.split(',')]
    client = split(args.client, args.name_type == 10)
    server = (args.server or 'krbtgt/' + args.realm).split('/')

    def request(extra):
        r = asn1.AS_REQ()
        r['pvno'], r['msg-type'] = 5, 10
        items = list(extra)
        if args.pac is not None:
            pac = asn1.KERB_PA_PAC_REQUEST()
            pac['include-pac'] = bool(args.pac)
            items.append((128, encoder.encode(pac)))
        if args.enc_pa_rep:
            items.append((149, b''))
        add_padata(r, *items)
        body(r, args, etypes, server, args.server_type, client, args.name_type)
        return encoder.encode(r)

    key = None
    if args.key:
        etype, value = args.key.split(':')
        key = Key(int(etype), bytes.fromhex(value))
    elif args.password is not None or args.blob:
        # The salt is the KDC's to tell.
        first = exchange(request([]), False)
        error = decoder.decode(first, asn1Spec=asn1.KRB_ERROR())[0]
        if int(error['error-code']) != 25:
            return show_error(first)
        for m in decoder.decode(bytes(error['e-data']), asn1Spec=asn1.METHOD_DATA())[0]:
            if int(m['padata-type']) == 19:
                entry = decoder.decode(bytes(m['padata-value']), asn1Spec=asn1.ETYPE_INFO2())[0][0]
                salt = str(entry['salt']) if entry['salt'].isValue else ''
                if args.blob:
                    key = key_of(int(entry['etype']), passwords_of(blob_of(args.blob))[args.previous], salt)
                else:
                    key = string_to_key(int(entry['etype']), args.password, salt)
    extra = []
    if key is not None:
        stamp = asn1.PA_ENC_TS_ENC()
        now = datetime.datetime.utcnow() + datetime.timedelta(seconds=args.skew)
        stamp['patimestamp'] = KerberosTime.to_asn1(now)
        stamp['pausec'] = now.microsecond
        data = asn1.EncryptedData()
        data['etype'] = key.enctype
        data['cipher'] = _enctype_table[key.enctype].encrypt(key, 1, encoder.encode(stamp), None)
        extra.append((2, encoder.encode(data)))
    reply = exchange(request(extra), args.udp)
    if reply is None:
        return ['silence: closed']
    if reply[0] == 0x7e:
        return show_error(reply)
    rep = decoder.decode(reply, asn1Spec=asn1.AS_REP())[0]
    plain = _enctype_table[key.enctype].decrypt(key, 3, bytes(rep['enc-part']['cipher']))
    part = decoder.decode(plain, asn1Spec=asn1.EncASRepPart())[0]
    if args.save:
        session = Key(int(part['key']['keytype']), bytes(part['key']['keyvalue']))
        name = [str(c) for c in rep['cname']['name-string']]
        kept[args.save] = (rep['ticket'], session, name, int(rep['cname']['name-type']), str(rep['crealm']))
    return show_reply(rep, part)


def s4u2self(session, name, realm):
    """PA-FOR-USER of [MS-SFU] 2.2.1, its checksum keyed with the TGT's session key."""
    p = asn1.PA_FOR_USER_ENC()
    asn1.seq_set(p, 'userName', lambda n: principal(n, 1, [name]))
    p['userRealm'] = realm
    octets = struct.pack('<I', 1) + name.encode() + realm.encode() + b'Kerberos'
    p['cksum'] = noValue
    p['cksum']['cksumtype'] = -138
    p['cksum']['checksum'] = make_checksum(-138, session, 17, octets)
    p['auth-package'] = 'Kerberos'
    return 129, encoder.encode(p)


def ticket_again(t, ticket, kvno=None, damage=False):
    """Writes a ticket that was decoded into t, which has other tags; perhaps with another key version or one bit changed."""
    t['tkt-vno'] = 5
    t['realm'] = str(ticket['realm'])
    names = [str(c) for c in ticket['sname']['name-string']]
    asn1.seq_set(t, 'sname', lambda p: principal(p, int(ticket['sname']['name-type']), names))
    cipher = bytearray(bytes(ticket['enc-part']['cipher']))
    if damage:
        cipher[len(cipher) // 2] ^= 1
    enc = asn1.seq_set(t, 'enc-part')
    enc['etype'] = int(ticket['enc-part']['etype'])
    if kvno is None and ticket['enc-part']['kvno'].isValue:
        kvno = int(ticket['enc-part']['kvno'])
    if kvno is not None:
        enc['kvno'] = kvno
    enc['cipher'] = bytes(cipher)
    return t


def probe_tgs(args):
    ticket, session, cname, cname_type, crealm = kept[args.tgt]
    etypes = [int(e) for e in args.etypes.split(',')]
    r = asn1.TGS_REQ()
    r['pvno'], r['msg-type'] = 5, 12
    b = body(r, args, etypes, split(args.server, args.name_type == 10), args.name_type)
    if args.evidence:
        asn1.seq_set_iter(b, 'additional-tickets', (ticket_again(asn1.Ticket(), kept[args.evidence][0]),))

    ap = asn1.AP_REQ()
    ap['pvno'], ap['msg-type'] = 5, 14
    ap['ap-options'] = constants.encodeFlags([])
    ticket_again(asn1.seq_set(ap, 'ticket'), ticket, args.kvno, args.damage)

    a = asn1.Authenticator()
    a['authenticator-vno'] = 5
    a['crealm'] = crealm
    asn1.seq_set(a, 'cname', lambda p: principal(p, cname_type, [args.cname] if args.cname else cname))
    if not args.no_checksum:
        cksum_type = {17: 15, 18: 16, 23: -138}[session.enctype]
        a['cksum'] = noValue
        a['cksum']['cksumtype'] = cksum_type
        a['cksum']['checksum'] = make_checksum(cksum_type, session, 6, inside(encoder.encode(b)))
    now = datetime.datetime.utcnow() + datetime.timedelta(seconds=args.skew)
    a['cusec'], a['ctime'] = now.microsecond, KerberosTime.to_asn1(now)
    crypto = _enctype_table[session.enctype]
    ap['authenticator'] = noValue
    ap['authenticator']['etype'] = session.enctype
    ap['authenticator']['cipher'] = crypto.encrypt(session, 7, encoder.encode(a), None)
    items = [(1, encoder.encode(ap))]
    if args.impersonate:
        items.append(s4u2self(session, args.impersonate, crealm))
    if args.rbcd:
        o = asn1.PA_PAC_OPTIONS()
        o['flags'] = constants.encodeFlags([3])
        items.append((167, encoder.encode(o)))
    add_padata(r, *items)
    reply = exchange(encoder.encode(r), args.udp)
    if reply is None:
        return ['silence: closed']
    if reply[0] == 0x7e:
        return show_error(reply)
    rep = decoder.decode(reply, asn1Spec=asn1.TGS_REP())[0]
    plain = crypto.decrypt(session, 8, bytes(rep['enc-part']['cipher']))
    part = decoder.decode(plain, asn1Spec=asn1.EncTGSRepPart())[0]
    if args.save:
        key = Key(int(part['key']['keytype']), bytes(part['key']['keyvalue']))
        name = [str(c) for c in rep['cname']['name-string']]
        kept[args.save] = (rep['ticket'], key, name, int(rep['cname']['name-type']), str(rep['crealm']))
    return show_reply(rep, part)


def memberships(sids, kind):
    for s in sids:
        yield '%s: %s attributes=0x%x' % (kind, s.sid, s.attributes)


def rids(array, kind, domain):
    for g in sorted(array.rids, key=lambda g: g.rid) if array and array.rids else []:
        yield '%s: %s-%d attributes=0x%x' % (kind, domain, g.rid, g.attributes)


def filetime(base, value):
    if value in (0, 0x7fffffffffffffff):
        return {0: 'zero'}.get(value, 'never')
    return '%+.1fd' % ((value - base) / 864e9)


def show_pac(blob):
    pac = ndr_unpack(krb5pac.PAC_DATA, blob)
    raw = ndr_unpack(krb5pac.PAC_DATA_RAW, blob)
    sizes = {b.type: b.ndr_size for b in raw.buffers}
    yield 'buffers: ' + ' '.join(str(b.type) for b in pac.buffers)
    yield 'buffer-set: ' + ' '.join(str(t) for t in sorted(b.type for b in pac.buffers))
    for b in pac.buffers:
        if b.type == krb5pac.PAC_TYPE_LOGON_INFO:
            info = b.info.info.info3
            base = info.base
            yield 'account: ' + base.account_name.string
            for field in ('full_name', 'logon_script', 'profile_path', 'home_directory', 'home_drive'):
                yield '%s: %s' % (field, getattr(base, field).string or '')
            yield 'user: %s-%d' % (base.domain_sid, base.rid)
            yield 'primary-group: %d' % base.primary_gid
            yield from rids(base.groups, 'group', base.domain_sid)
            yield 'user-flags: 0x%x' % base.user_flags
            yield 'logon-server: ' + base.logon_server.string
            yield 'logon-domain: ' + base.logon_domain.string
            yield 'uac: 0x%x' % base.acct_flags
            yield 'logoff: ' + filetime(0, base.logoff_time)
            yield 'kickoff: ' + filetime(0, base.kickoff_time)
            yield 'can-change: ' + filetime(base.last_password_change, base.allow_password_change)
            yield 'must-change: ' + filetime(base.last_password_change, base.force_password_change)
            yield 'session-key: ' + ('zero' if not any(base.key.key) else 'set')
            yield from memberships(info.sids[:info.sidcount] if info.sids else [], 'extra')
            groups = b.info.info.resource_groups
            if groups.groups.rids:
                yield from rids(groups.groups, 'resource', groups.domain_sid)
        elif b.type == krb5pac.PAC_TYPE_LOGON_NAME:
            yield 'client-info: ' + b.info.account_name
        elif b.type == krb5pac.PAC_TYPE_UPN_DNS_INFO:
            i = b.info
            yield 'upn: ' + i.upn_name
            yield 'dns-domain: ' + i.dns_domain_name
            yield 'upn-flags: %d' % i.flags
            if i.flags & 2:
                yield 'upn-sam: ' + i.ex.samaccountname
                yield 'upn-sid: ' + str(i.ex.objectsid)
        elif b.type in (6, 7, 16, 19):
            yield 'signature-%d: type=%d size=%d' % (b.type, b.info.type, len(bytes(b.info.signature)))
        elif b.type == 11:
            yield 'delegation: %s via %s' % (b.info.info.proxy_target.string, ' '.join(
                s.string for s in b.info.info.transited_services))
        else:
            yield 'size-%d: %d' % (b.type, sizes.get(b.type, -1))


def probe_pac(args):
    ticket = kept[args.ticket][0]
    etype = int(ticket['enc-part']['etype'])
    if args.blob:
        salt = '%shost%s.contoso.com' % (REALM, args.account.rstrip('$').lower())
        key = key_of(etype, passwords_of(blob_of(args.blob))[0], salt)
    else:
        salt = '%shost%s.contoso.com' % (REALM, args.account.rstrip('$').lower())
        key = string_to_key(etype, args.password, salt)
    plain = _enctype_table[etype].decrypt(key, 2, bytes(ticket['enc-part']['cipher']))
    part = decoder.decode(plain, asn1Spec=asn1.EncTicketPart())[0]
    yield 'ticket-fields: ' + fields(part)
    yield 'transited: %d %d' % (int(part['transited']['tr-type']), len(bytes(part['transited']['contents'])))
    blob = None
    for element in part['authorization-data'] if part['authorization-data'].isValue else []:
        if int(element['ad-type']) == 1:
            for inner in decoder.decode(bytes(element['ad-data']), asn1Spec=asn1.AuthorizationData())[0]:
                if int(inner['ad-type']) == 128:
                    blob = bytes(inner['ad-data'])
    if blob is None:
        yield 'buffers: none'
        return
    yield from show_pac(blob)


def arguments():
    p = argparse.ArgumentParser(prog='krb')
    sub = p.add_subparsers(dest='kind', required=True)
    a = sub.add_parser('as')
    a.add_argument('client')
    a.add_argument('--server')
    a.add_argument('--server-type', type=int, default=2)
    a.add_argument('--name-type', type=int, default=1)
    a.add_argument('--password')
    a.add_argument('--key', help='ETYPE:HEX')
    a.add_argument('--blob', help='LDIF file')
    a.add_argument('--previous', type=int, default=0, help='1: the previous password of the blob')
    a.add_argument('--pac', type=int)
    a.add_argument('--enc-pa-rep', action='store_true')
    a.set_defaults(run=probe_as)
    t = sub.add_parser('tgs')
    t.add_argument('tgt')
    t.add_argument('server')
    t.add_argument('--name-type', type=int, default=2)
    t.add_argument('--cname')
    t.add_argument('--damage', action='store_true')
    t.add_argument('--kvno', type=int)
    t.add_argument('--no-checksum', action='store_true')
    t.add_argument('--impersonate')
    t.add_argument('--evidence')
    t.add_argument('--rbcd', action='store_true')
    t.set_defaults(run=probe_tgs)
    for s in (a, t):
        s.add_argument('--realm', default=REALM)
        s.add_argument('--etypes', default='18,17,23')
        s.add_argument('--options', default='forwardable,renewable')
        s.add_argument('--skew', type=int, default=0)
        s.add_argument('--udp', action='store_true')
        s.add_argument('--save')
    c = sub.add_parser('pac')
    c.add_argument('ticket')
    c.add_argument('--account', default='')
    c.add_argument('--password', default='')
    c.add_argument('--blob')
    c.set_defaults(run=probe_pac)
    return p


def main():
    parser = arguments()
    for line in sys.stdin:
        try:
            args = parser.parse_args(shlex.split(line))
            for out in args.run(args):
                print(out)
        except (Exception, SystemExit) as e:
            print('probe-failed: %s: %s' % (type(e).__name__, str(e).replace('\n', ' ')[:300]))
        print(flush=True)


if __name__ == '__main__':
    main()
