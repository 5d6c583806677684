import { beforeEach, describe, expect, it } from '@jest/globals'
import { become, type Identity, processIdentity, type WantedIdentity } from '../../../lib/cli/worker/identity.js'
import { ConfigurationError } from '../../../lib/errors.js'

const PASSWD: Readonly<Record<string, string>> = { celery: 'celery:x:70:71:Celery:/:/bin/false' }
const GROUP: Readonly<Record<string, string>> = { staff: 'staff:x:50:' }

describe('becoming another user', () => {
  let uid: number
  let gid: number
  let calls: string[]
  let identity: Identity

  beforeEach(() => {
    uid = 0
    gid = 0
    calls = []
    identity = {
      getuid: () => uid,
      getgid: () => gid,
      setuid: (id) => {
        if (uid !== 0) throw new Error('EPERM, Operation not permitted')
        calls.push(`setuid ${id}`)
        uid = id
      },
      setgid: (id) => {
        if (uid !== 0) throw new Error('EPERM, Operation not permitted')
        calls.push(`setgid ${id}`)
        gid = id
      },
      initgroups: (user, id) => void calls.push(`initgroups ${user} ${id}`),
      setgroups: (ids) => void calls.push(`setgroups ${ids}`),
      umask: (mask) => void calls.push(`umask ${mask}`),
      lookUp: (database, key) => (database === 'passwd' ? PASSWD : GROUP)[key]?.split(':') ?? null,
    }
  })

  const want = (wanted: Partial<WantedIdentity>): void =>
    void become({ uid: null, gid: null, umask: null, ...wanted }, identity)

  it('changes nothing that is not asked for', () => {
    want({})
    expect(calls).toEqual([])
  })

  it('takes the groups first, and the primary group of a user without another', () => {
    want({ uid: 'celery' })
    expect(calls).toEqual(['initgroups celery 71', 'setgid 71', 'setuid 70'])
  })

  it('takes the group that is given', () => {
    want({ uid: 'celery', gid: 'staff' })
    expect(calls).toEqual(['initgroups celery 50', 'setgid 50', 'setuid 70'])
  })

  it('takes a group alone', () => {
    want({ gid: 'staff' })
    expect(calls).toEqual(['setgid 50'])
  })

  it('takes numbers that nobody has', () => {
    want({ uid: '1234', gid: '5678' })
    expect(calls).toEqual(['setgroups 5678', 'setgid 5678', 'setuid 1234'])
  })

  it('wants a group for a number that nobody has', () => {
    expect(() => want({ uid: '1234' })).toThrow('--uid 1234: this user is in no group; give one with --gid')
  })

  it('stays what it is already, as a worker that starts again does', () => {
    uid = 70
    gid = 71
    want({ uid: 'celery' })
    expect(calls).toEqual([])
  })

  it.each([
    [{ uid: 'nobody-of-the-kind' }, '--uid nobody-of-the-kind: User does not exist: nobody-of-the-kind'],
    [{ gid: 'nowhere' }, '--gid nowhere: Group does not exist: nowhere'],
  ])('tells of %j', (wanted, message) => {
    expect(() => want(wanted)).toThrow(new ConfigurationError([message]))
    expect(calls).toEqual([])
  })

  it('tells what the system does not allow', () => {
    uid = 1000
    gid = 1000
    expect(() => want({ uid: 'celery', gid: 'staff' })).toThrow('--uid celery --gid staff: EPERM')
  })

  it('reads the mask in octal', () => {
    want({ umask: '027' })
    expect(calls).toEqual([`umask ${0o027}`])
  })

  it('finds users and groups where the system keeps them', () => {
    expect(processIdentity.lookUp('passwd', 'root')?.slice(0, 4)).toEqual(['root', 'x', '0', '0'])
    expect(processIdentity.lookUp('group', '0')?.[0]).toBe('root')
    expect(processIdentity.lookUp('passwd', 'no-such-user')).toBeNull()
    expect(processIdentity.lookUp('passwd', '-x')).toBeNull()
  })
})
