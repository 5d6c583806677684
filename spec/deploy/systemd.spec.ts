import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { envNamesOf } from '../../lib/settings/row.js'
import { ROWS } from '../../lib/settings/table.js'
import { ROOT } from '../support/workerProgram.js'
import { workerSettings } from './workerSettings.js'

const run = promisify(execFile)
const UNITS = join(ROOT, 'deploy/systemd')

let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'celeriac-systemd-'))
})

afterEach(() => rmSync(dir, { recursive: true }))

describe('the units for systemd', () => {
  /** systemd-analyze looks for units of other names in the unit's directory, too. */
  function analyze(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    for (const unit of ['celeriac@.service', 'celeriac.target']) cpSync(join(UNITS, unit), join(dir, unit))
    return run('systemd-analyze', args, { cwd: dir, env: { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` } })
  }

  it('are well-formed', async () => {
    const { stdout, stderr } = await analyze('verify', './celeriac@w1.service', './celeriac.target')
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: '' })
  })

  it('would be found to be ill-formed', async () => {
    await analyze('--version')
    const unit = join(dir, 'broken@.service')
    writeFileSync(unit, readFileSync(join(UNITS, 'celeriac@.service'), 'utf8').replace('KillMode=mixed', 'KilMode=x'))
    const { stderr } = await run('systemd-analyze', ['verify', './broken@w1.service'], { cwd: dir })
    expect(stderr).toContain("Unknown key 'KilMode'")
  })

  it('leave the worker little that it could harm', async () => {
    const { stdout } = await analyze('security', '--offline=true', '--no-pager', './celeriac@.service')
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]
    expect(Number(exposure)).toBeLessThan(2)
  })

  it('start a worker that takes all of its arguments', async () => {
    const { args, defaults } = command()
    const { settings, nodename } = await workerSettings(['--app=app.mjs', ...expand(args, defaults)], {})
    expect(nodename).toMatch(/^w1@/)
    expect(settings).toMatchObject({ loglevel: 'INFO', logfile: null, pidfile: null, workdir: '.' })
  })

  it("pass on Celery's own defaults for daemons", async () => {
    const { args, defaults } = command()
    const given = {
      ...defaults,
      CELERYD_LOG_LEVEL: 'WARNING',
      CELERYD_LOG_FILE: '/tmp/%n.log',
      CELERYD_PID_FILE: `${dir}/%n.pid`,
      CELERYD_OPTS: '--autoscale=8,2  -Q a,b',
    }
    const { settings } = await workerSettings(['--app=app.mjs', ...expand(args, given)], {})
    expect(settings).toMatchObject({
      loglevel: 'WARNING',
      logfile: '/tmp/%n.log',
      pidfile: `${dir}/%n.pid`,
      worker_autoscale: { max: 8, min: 2 },
      queues: ['a', 'b'],
    })
  })

  /** What ExecStart gives to celeriac, with the specifiers of w1 filled in, and the variables that the unit itself sets. */
  function command(): { args: string[]; defaults: Record<string, string> } {
    const unit = readFileSync(join(UNITS, 'celeriac@.service'), 'utf8')
    const [env, program, ...args] = (/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '').split(' ')
    expect(`${env} ${program}`).toMatch(/^\/usr\/bin\/env \$\{CELERIAC_BIN\}$/)
    const pairs = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) => line.split(' '))
    return {
      args: args.map((arg) => arg.replace(/%(.)/g, (_, letter: string) => (letter === 'i' ? 'w1' : letter))),
      defaults: Object.fromEntries(pairs.map((pair) => pair.split('=', 2))),
    }
  }

  /** As systemd does: `${X}` is one argument, `$X` as many as it has words. */
  function expand(args: readonly string[], values: Readonly<Record<string, string>>): string[] {
    return args.flatMap((arg) => {
      const words = /^\$(\w+)$/.exec(arg)?.[1]
      if (words !== undefined) return (values[words] ?? '').split(/\s+/).filter((word) => word !== '')
      return [arg.replace(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '')]
    })
  }
})

describe('the file of defaults', () => {
  const text = readFileSync(join(UNITS, 'celeriac.default'), 'utf8')
  const names = [...text.matchAll(/^#?([A-Z_]+)="/gm)].map(([, name = '']) => name)

  it('names what the unit, the installer or the worker reads, and nothing else', () => {
    const readByWorker = [...ROWS].flatMap(([name, row]) => envNamesOf(name, row))
    const others = ['celeriac@.service', 'install.sh'].map((file) => readFileSync(join(UNITS, file), 'utf8')).join('\n')
    expect(names.length).toBeGreaterThan(8)
    expect(names.filter((name) => !readByWorker.includes(name) && !others.includes(name))).toEqual([])
  })
})

describe('the installer', () => {
  const units = (): string => join(dir, 'etc/systemd/system')
  const install = (...args: string[]): string =>
    execFileSync(join(UNITS, 'install.sh'), args, {
      env: { ...process.env, DESTDIR: dir },
      encoding: 'utf8',
      stdio: 'pipe',
    })
  const files = (): string[] =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length))
      .sort()
  const write = (lines: string): void => {
    mkdirSync(join(dir, 'etc/default'), { recursive: true })
    writeFileSync(join(dir, 'etc/default/celeriac'), lines)
  }
  const nodes = (): string[] => readdirSync(join(units(), 'celeriac.target.wants')).sort()

  it('puts the files in their places, twice as well as once', () => {
    install()
    const once = files()
    expect(once).toEqual([
      '/etc/default/celeriac',
      '/etc/systemd/system/celeriac.target',
      '/etc/systemd/system/celeriac.target.wants/celeriac@w1.service',
      '/etc/systemd/system/celeriac@.service',
      '/etc/systemd/system/multi-user.target.wants/celeriac.target',
      '/etc/tmpfiles.d/celeriac.conf',
    ])
    install()
    expect(files()).toEqual(once)
    expect(readlinkSync(join(units(), 'celeriac.target.wants/celeriac@w1.service'))).toBe('../celeriac@.service')
  })

  it('enables what systemctl takes for enabled', () => {
    install()
    const enabled = execFileSync('systemctl', ['--root', dir, 'is-enabled', 'celeriac@w1.service', 'celeriac.target'])
    expect(String(enabled)).toBe('enabled\nenabled\n')
  })

  it('follows the nodes as they change, and keeps the settings', () => {
    const first = 'CELERYD_NODES="w1 w2"\nCELERY_APP="x.js"\n'
    write(first)
    install()
    expect(nodes()).toEqual(['celeriac@w1.service', 'celeriac@w2.service'])
    expect(readFileSync(join(dir, 'etc/default/celeriac'), 'utf8')).toBe(first)
    write('CELERYD_NODES=3\n')
    install()
    expect(nodes()).toEqual(['celeriac@celery1.service', 'celeriac@celery2.service', 'celeriac@celery3.service'])
  })

  it('refuses a node that can not be a part of a unit name', () => {
    write('CELERYD_NODES="w1@h $(id)"\n')
    expect(() => install()).toThrow('CELERYD_NODES: w1@h: a node is named by')
    expect(existsSync(units()) ? readdirSync(units()) : []).toEqual([])
  })

  it('has the nodes run as the user that is named', () => {
    write('CELERYD_NODES="w1"\nCELERYD_USER="deploy"\nCELERYD_GROUP="www"\n')
    install()
    const dropin = join(units(), 'celeriac@.service.d/user.conf')
    expect(readFileSync(dropin, 'utf8')).toContain('[Service]\nDynamicUser=no\nUser=deploy\nGroup=www\n')
    write('CELERYD_NODES="w1"\n')
    install()
    expect(existsSync(dropin)).toBe(false)
  })

  it('takes all away again but the settings that somebody wrote', () => {
    install()
    install('--uninstall')
    expect(files()).toEqual([])
    write('CELERYD_NODES="w1"\nCELERYD_USER="deploy"\n')
    install()
    install('--uninstall')
    install('--uninstall')
    expect(files()).toEqual(['/etc/default/celeriac'])
  })

  it('writes directories that systemd-tmpfiles makes', () => {
    install()
    execFileSync('systemd-tmpfiles', ['--root', dir, '--create', 'celeriac.conf'])
    expect(existsSync(join(dir, 'run/celeriac'))).toBe(true)
  })
})
