import { createHash } from 'node:crypto'
import type { Side } from './message.js'

/*
 * The bodies of the messages, with the field names of Packit, Copr and Koji. All values are made up.
 *
 * Two traps of the real thing: the build is called `build` at hop 1 and `build_id` at hop 2; and at hop 2 the watchdog gives
 * whatever it makes the topic of an end, so that only the task's name tells the side.
 */

export const SRPM = 'srpm-builds'
const TOPIC = 'org.fedoraproject.prod.'
const NAMESPACE = 'example-org'
const FIRST_EVENT_ID = 120_000
/** Copr's number for a build that runs. */
const RUNNING = 3

const DISTROS = ['fedora-rawhide', 'fedora-43', 'fedora-42', 'fedora-eln', 'epel-9', 'epel-10', 'centos-stream-9']
const ARCHES = ['x86_64', 'aarch64', 'ppc64le', 's390x']
export const CHROOTS = ARCHES.flatMap((arch) => DISTROS.map((distro) => `${distro}-${arch}`))

/** A build in Copr, for a pull request. */
export interface Build {
  readonly id: number
  readonly pkg: string
  readonly version: string
  readonly pr: number
  readonly ip: string
  readonly pid: number
  readonly chroots: readonly string[]
  /** Copr's number for how a chroot ended: 1 succeeded, 0 failed, 2 cancelled. */
  readonly status: ReadonlyMap<string, number>
}

/** What the Fedora Messaging listener hears from Copr. */
export interface CoprEvent {
  readonly user: string
  readonly copr: string
  readonly owner: string
  readonly pkg: string | null
  readonly build: number
  readonly chroot: string
  readonly version: string | null
  readonly status: number
  readonly ip: string
  readonly who: string
  readonly pid: number
  readonly what: string
  readonly topic: string
  /** Seconds since the epoch. */
  readonly timestamp: number
}

const sha = (text: string): string => createHash('sha1').update(text).digest('hex')

export function coprEvent(side: Side, build: Build, chroot: string, timestamp: number): CoprEvent {
  const { id, ip, pid, pr } = build
  const pkg = chroot === SRPM ? null : build.pkg
  const version = chroot === SRPM ? null : build.version
  const status = side === 'start' ? RUNNING : (build.status.get(chroot) ?? 1)
  const copr = `${NAMESPACE}-${build.pkg}-${pr}`
  const about = side === 'start' ? `pkg:${pkg} build:${id}` : `build:${id} pkg:${pkg} version:${version}`
  return {
    user: 'packit',
    copr,
    owner: 'packit',
    pkg,
    build: id,
    chroot,
    version,
    status,
    ip,
    who: `backend.worker-rpm_build_worker:${id}${chroot === SRPM ? '' : `-${chroot}`}`,
    pid,
    what: `build ${side}: user:packit copr:${copr} ${about} ip:${ip} pid:${pid}${side === 'end' ? ` status:${status}` : ''}`,
    topic: `${TOPIC}copr.build.${side}`,
    timestamp,
  }
}

/** What `process_message` makes of Copr's event for the handler of the next hop. Packit asks its database; here the project's name tells. */
export function handlerKwargs(side: Side, event: CoprEvent): Record<string, unknown> {
  const [, repo = '', number = '0'] = /^example-org-(.+)-(\d+)$/.exec(event.copr) ?? []
  const pr = Number(number)
  const commit = sha(event.copr)
  const jobConfig = {
    job: 'copr_build',
    trigger: 'pull_request',
    identifier: null,
    targets: { [event.chroot]: {} },
    owner: null,
    project: null,
    skip_build: false,
    manual_trigger: false,
    packit_instances: ['prod'],
    notifications: { pull_request: { successful_build: false } },
  }
  return {
    package_config: {
      jobs: [jobConfig],
      package: repo,
      specfile_path: `${repo}.spec`,
      upstream_package_name: repo,
      downstream_package_name: repo,
    },
    job_config: jobConfig,
    event: {
      commit_sha: commit,
      base_repo_name: repo,
      base_repo_namespace: NAMESPACE,
      topic: `${TOPIC}copr.build.${side}`,
      identifier: number,
      created_at: Math.floor(event.timestamp),
      project_url: `https://github.com/${NAMESPACE}/${repo}`,
      _pr_id: pr,
      actor: null,
      git_ref: commit,
      build_id: event.build,
      chroot: event.chroot,
      status: event.status,
      owner: event.owner,
      project_name: event.copr,
      pkg: event.pkg,
      timestamp: event.timestamp,
      event_type: side === 'start' ? 'copr.build.Start' : 'copr.build.End',
      event_id: FIRST_EVENT_ID + pr,
      task_accepted_time: null,
      cancel_cutoff_time: null,
    },
  }
}

/** The web hook of a pull request. */
export function pullRequestEvent({ pkg, pr }: Build): Record<string, unknown> {
  return {
    action: 'synchronize',
    number: pr,
    pull_request: {
      number: pr,
      head: { sha: sha(`${NAMESPACE}-${pkg}-${pr}`) },
      base: { ref: 'main' },
      user: { login: 'example-user' },
    },
    repository: { name: pkg, owner: { login: NAMESPACE }, html_url: `https://github.com/${NAMESPACE}/${pkg}` },
    sender: { login: 'example-user' },
  }
}

/** Testing Farm tells which request has changed, and nothing else. */
export function testingFarmEvent(requestId: string): Record<string, unknown> {
  return { request_id: requestId, token: 'synthetic', source: 'testing-farm' }
}

/** Koji's change of state. Its build ids are numbers of another space than Copr's. */
export function kojiEvent(
  side: Side,
  { pkg, pr }: Build,
  kojiId: number,
  task: number,
  timestamp: number,
): Record<string, unknown> {
  const source = `git+https://src.fedoraproject.org/rpms/${pkg}.git#${sha(`${NAMESPACE}-${pkg}-${pr}`)}`
  return {
    attribute: 'state',
    build_id: kojiId,
    task_id: task,
    instance: 'primary',
    name: pkg,
    epoch: null,
    version: '1.0',
    release: '1.fc43',
    owner: 'packit',
    old: side === 'start' ? null : 0,
    new: side === 'start' ? 0 : 1,
    request: [source, 'f43-candidate', {}],
    task: { id: task, method: 'build', children: [] },
    topic: `${TOPIC}buildsys.build.state.change`,
    timestamp,
  }
}

/** The key under which the oracle files a pull request. */
export function pullRequestKey({ pkg, pr }: Build): string {
  return `pr:${NAMESPACE}/${pkg}#${pr}`
}
