import { execFile } from 'node:child_process'
import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../contender.js'
import type { Case } from '../findings.js'
import { footprint } from '../footprint.js'
import { number } from '../number.js'
import { summarize } from '../statistics.js'

const run = promisify(execFile)
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error']

export const installed: Case = {
  name: 'installed',
  title: 'a production install of the packed package',
  slow: true,
  async run({ directory, signal }) {
    const place = await mkdtemp(join(directory, 'install-'))
    // The scripts would build again what the bench has just built.
    await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], { cwd: ROOT, signal })
    const [tarball] = (await readdir(place)).filter((name) => name.endsWith('.tgz'))
    if (tarball === undefined) throw new Error('npm pack has packed nothing')
    await writeFile(join(place, 'package.json'), JSON.stringify({ private: true }))
    const options = ['--omit=dev', '--prefer-offline', ...QUIET]
    await run('npm', ['install', ...options, join(place, tarball)], { cwd: place, signal })
    const { packages, bytes } = await footprint(join(place, 'node_modules'))
    const own = await footprint(join(place, 'node_modules/celeriac'))
    const size = { unit: 'MB', ...summarize([bytes / 1e6]) }
    const count = { unit: 'packages', ...summarize([packages]) }
    return {
      rows: [
        { entrant: 'size on the disk', ...size, note: `of which ${number(own.bytes / 1e6)} MB are Celeriac itself` },
        { entrant: 'packages', ...count },
      ],
      figures: [
        { what: 'size on the disk', label: 'installed: size', target: { atMost: 14 }, ...size },
        { what: 'packages, Celeriac itself included', label: 'installed: packages', target: { atMost: 45 }, ...count },
      ],
    }
  },
}
