import { execFileSync } from 'node:child_process'
import { ConfigurationError, coerceError } from '../../errors.js'

/** The part of the process that says as whom it runs. Ids are numbers. */
export interface Identity {
  getuid(): number
  getgid(): number
  setuid(uid: number): void
  setgid(gid: number): void
  /** The supplementary groups of a user who is known, and `gid`. */
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
 * Sets the file mode mask, then becomes another user and group for good: `--umask`, `--uid`, `--gid`. A user without a group brings its
 * primary one. What the process already is does not change, so that a restarted worker accepts the same options.
 * @throws ConfigurationError for users and groups that don't exist, or may not be become
 */
export function become({ uid, gid, umask }: WantedIdentity, identity: Identity): true {
  if (umask !== null) identity.umask(Number.parseInt(umask, 8))
  const user = uid === null ? null : find(identity, 'passwd', '--uid', uid)
  const group = gid === null ? (user?.gid ?? null) : find(identity, 'group', '--gid', gid).id
  if (user && group === null)
    throw new ConfigurationError([`--uid ${uid}: this user is in no group; give one with --gid`])
  try {
    // The groups first: a user that is root no more may not change them.
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
  /** Undefined for a number that nobody has. */
  readonly name?: string
  /** Of a user: the primary group. */
  readonly gid?: number
}

function find(identity: Identity, database: 'passwd' | 'group', option: string, key: string): Entry {
  const [name, , id, gid] = identity.lookUp(database, key) ?? []
  if (name !== undefined) return { id: Number(id), name, ...(database === 'passwd' ? { gid: Number(gid) } : {}) }
  if (/^\d+$/.test(key)) return { id: Number(key) }
  throw new ConfigurationError([`${option} ${key}: ${database === 'passwd' ? 'User' : 'Group'} does not exist: ${key}`])
}

/** The types of Node leave it out. */
type Initgroups = NodeJS.Process & { initgroups?(user: string, gid: number): void }

/** The real one. Node has no way to look a user up, so that `getent` does it. */
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
      // Its exit code for a key that isn't there.
      if ((thrown as { status?: unknown }).status === 2) return null
      throw new ConfigurationError([`users and groups can't be looked up: ${coerceError(thrown).message}`])
    }
  },
}

function required<T>(fn: T | undefined): T {
  if (fn === undefined) throw new Error('this platform has no users and groups to change to')
  return fn
}
