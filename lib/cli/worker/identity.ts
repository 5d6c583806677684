import { execFileSync } from 'node:child_process'
import { ConfigurationError, coerceError } from '../../errors.js'

/** The user and group of the process. Ids are numbers. */
export interface Identity {
  getuid(): number
  getgid(): number
  setuid(uid: number): void
  setgid(gid: number): void
  /** Sets the supplementary groups to those of a known user, and `gid`. */
  initgroups(user: string, gid: number): void
  setgroups(gids: readonly number[]): void
  umask(mask: number): void
  /** The line of the system's database for a name or a number, split at its colons; null if there is none. */
  lookUp(database: 'passwd' | 'group', key: string): readonly string[] | null
}

export interface WantedIdentity {
  /** A name or a number. */
  readonly uid: string | null
  readonly gid: string | null
  /** Octal digits. */
  readonly umask: string | null
}

/**
 * Sets the file mode mask, then switches to another user and group for good: `--umask`, `--uid`, `--gid`. A user
 * without a group gets the user's primary group. Values that already match are left alone, so that a restarted worker
 * accepts the same options.
 * @throws ConfigurationError for users and groups that don't exist, or that the process may not switch to
 */
export function become({ uid, gid, umask }: WantedIdentity, identity: Identity): true {
  if (umask !== null) identity.umask(Number.parseInt(umask, 8))
  const user = uid === null ? null : find(identity, 'passwd', '--uid', uid)
  const group = gid === null ? (user?.gid ?? null) : find(identity, 'group', '--gid', gid).id
  if (user && group === null)
    throw new ConfigurationError([`--uid ${uid}: this user is in no group; give one with --gid`])
  try {
    // The groups first: a process that is no longer root may not change them.
    if (group !== null && (identity.getgid() !== group || (user && identity.getuid() !== user.id))) {
      if (user?.name !== undefined) identity.initgroups(user.name, group)
      else if (user) identity.setgroups([group])
      identity.setgid(group)
    }
    if (user && identity.getuid() !== user.id) identity.setuid(user.id)
  } catch (thrown) {
    const options = [...(uid === null ? [] : [`--uid ${uid}`]), ...(gid === null ? [] : [`--gid ${gid}`])]
    throw new ConfigurationError([`${options.join(' ')}: ${coerceError(thrown).message}`])
  }
  return true
}

interface Entry {
  readonly id: number
  /** Undefined for a number without an entry. */
  readonly name?: string
  /** The primary group of a user. */
  readonly gid?: number
}

function find(identity: Identity, database: 'passwd' | 'group', option: string, key: string): Entry {
  const [name, , id, gid] = identity.lookUp(database, key) ?? []
  if (name !== undefined) return { id: Number(id), name, ...(database === 'passwd' ? { gid: Number(gid) } : {}) }
  if (/^\d+$/.test(key)) return { id: Number(key) }
  throw new ConfigurationError([`${option} ${key}: ${database === 'passwd' ? 'User' : 'Group'} does not exist: ${key}`])
}

/** Missing in Node's types. */
type Initgroups = NodeJS.Process & { initgroups?(user: string, gid: number): void }

/** The identity of this process. Node can't look up users, so `getent` does it. */
export const processIdentity: Identity = {
  getuid: () => required(process.getuid)(),
  getgid: () => required(process.getgid)(),
  setuid: (uid) => required(process.setuid)(uid),
  setgid: (gid) => required(process.setgid)(gid),
  initgroups: (user, gid) => required((process as Initgroups).initgroups)(user, gid),
  setgroups: (gids) => required(process.setgroups)(gids),
  umask: (mask) => void process.umask(mask),
  lookUp: (database, key) => {
    try {
      const line = execFileSync('getent', [database, '--', key], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      return line.trim().split(':')
    } catch (thrown) {
      // getent's exit code for a missing key.
      if ((thrown as { status?: unknown }).status === 2) return null
      throw new ConfigurationError([`users and groups can't be looked up: ${coerceError(thrown).message}`])
    }
  },
}

function required<T>(fn: T | undefined): T {
  if (fn === undefined) throw new Error('this platform has no users and groups to change to')
  return fn
}
