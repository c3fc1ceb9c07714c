import { OPEN_ACL, digestOf, fixupAcl, permits } from '../../../zookeeper/acl'
import type { Acl, Id } from '../../../zookeeper/acl'
import { KeeperError, Perms } from '../../../zookeeper/protocol'

const joe: Id = { scheme: 'digest', id: digestOf('joe:pass') }
const address = (id: string): Id => ({ scheme: 'ip', id })
const ip = (id: string, perms: number = Perms.all): Acl[] => [{ perms, scheme: 'ip', id }]

test('a digest is the user and the hash of user and password', () => {
  expect(digestOf('joe:pass')).toBe('joe:HLc397LlD+sT88h0WKi3UdRNu44=')
  expect(digestOf('a:b:c')).toMatch(/^a:/)
})

test.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.2', '127.0.0.1', false],
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '10.1.2.0/31', false],
  ['10.1.2.3', '10.1.2.2/31', true],
  ['10.1.2.3', '0.0.0.0/0', true],
  ['::1', '::1', true],
  ['::1', '127.0.0.1', false],
  ['fe80::1:2', 'fe80::/10', true],
  ['2001:db8::7', '2001:db8:0:0:0:0:0:0/32', true],
  ['2001:db9::7', '2001:db8::/32', false],
])('from %s, ip:%s: %p', (from, expression, allowed) => {
  expect(permits(ip(expression), Perms.read, [address(from)])).toBe(allowed)
})

test('only the permissions that an entry names', () => {
  expect(permits(ip('10.0.0.1', Perms.read), Perms.read, [address('10.0.0.1')])).toBe(true)
  expect(permits(ip('10.0.0.1', Perms.read), Perms.write, [address('10.0.0.1')])).toBe(false)
  expect(permits(ip('10.0.0.1', Perms.read), Perms.read | Perms.admin, [address('10.0.0.1')])).toBe(true)
  expect(permits([{ perms: 0, scheme: 'world', id: 'anyone' }], Perms.read, [])).toBe(false)
  expect(permits([{ perms: 0, scheme: 'world', id: 'anyone' }], Perms.read, [{ scheme: 'super', id: '' }])).toBe(true)
})

test('auth becomes the ids that were proved', () => {
  const own = fixupAcl([{ perms: Perms.all, scheme: 'auth', id: '' }], [address('10.0.0.1'), joe])
  expect(own).toEqual([{ perms: Perms.all, scheme: 'digest', id: joe.id }])
  expect(permits(own, Perms.delete, [joe])).toBe(true)
  expect(permits(own, Perms.delete, [{ scheme: 'digest', id: digestOf('joe:wrong') }])).toBe(false)
  expect(() => fixupAcl([{ perms: Perms.all, scheme: 'auth', id: '' }], [address('10.0.0.1')])).toThrow(KeeperError)
})

test('the usual list is one object, and entries are not repeated', () => {
  expect(fixupAcl([{ perms: 31, scheme: 'world', id: 'anyone' }], [])).toBe(OPEN_ACL)
  expect(fixupAcl([...ip('10.0.0.1'), ...ip('10.0.0.1'), ...ip('10.0.0.1', 1)], [])).toHaveLength(2)
})

test.each([
  [[]],
  [[{ perms: 31, scheme: null, id: 'x' }]],
  [[{ perms: 31, scheme: 'world', id: 'x' }]],
  [[{ perms: 31, scheme: 'x509', id: 'x' }]],
  [ip('1.2.3')],
  [ip('1.2.3.256')],
  [ip('1.2.3.4/33')],
  [ip('1.2.3.4/')],
  [ip('1::2::3')],
  [ip('::1/129')],
  [[{ perms: 31, scheme: 'digest', id: 'a' }]],
  [[{ perms: 31, scheme: 'digest', id: 'a:b:c' }]],
  [[{ perms: 31, scheme: 'ip', id: null }]],
])('%j is no list of permissions', (acl) => {
  expect(() => fixupAcl(acl, [])).toThrow(KeeperError)
})
