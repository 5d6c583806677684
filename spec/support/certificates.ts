import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Paths of a certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of one spec's own. */
export interface Authority {
  /** The path of its certificate. */
  readonly ca: string
  /** Certifies a key for a name: what a server calls itself, such as `DNS:localhost` or `IP:127.0.0.1`, or who a client is. */
  issue(name: string, alternative?: string): Promise<Certificate>
  dispose(): Promise<void>
}

/** Makes an authority by means of `openssl`. */
export async function certificateAuthority(): Promise<Authority> {
  const dir = await mkdtemp(join(tmpdir(), 'celeriac-tls-'))
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: dir })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const authority = ['-x509', '-days', '1', '-subj', '/CN=spec authority', '-addext', 'keyUsage=critical,keyCertSign']
  await openssl('req', ...key, ...authority, '-keyout', 'ca.key', '-out', 'ca.crt')
  let serial = 0
  return {
    ca: join(dir, 'ca.crt'),
    issue: async (name, alternative) => {
      const file = `issued${++serial}`
      await writeFile(join(dir, `${file}.ext`), alternative === undefined ? '' : `subjectAltName=${alternative}\n`)
      await openssl('req', '-new', ...key, '-subj', `/CN=${name}`, '-keyout', `${file}.key`, '-out', `${file}.csr`)
      const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', String(serial), '-extfile', `${file}.ext`]
      await openssl('x509', '-req', '-days', '1', ...by, '-in', `${file}.csr`, '-out', `${file}.crt`)
      return { cert: join(dir, `${file}.crt`), key: join(dir, `${file}.key`) }
    },
    dispose: () => rm(dir, { recursive: true, force: true }),
  }
}
