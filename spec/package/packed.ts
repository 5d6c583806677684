import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Footprint, footprint } from '../bench/footprint.js'
import { ROOT } from '../support/workerProgram.js'

/** Without what an npm around this run passes on, such as --ignore-scripts. */
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name)))
/** What a clean clone doesn't have. */
const MADE = new Set(['.git', 'build', 'coverage', 'dist', 'node_modules'])
/** What the project uses beside the package. They stay where they are, since none of them is what this is about. */
const TOOLS = ['@jest/globals', '@types/node', 'vitest']
const SOURCES = ['project', '../examples/testing'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** How a program ended. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever that is. */
export function run(file: string, args: readonly string[], cwd: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env: ENV, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout: stdout.trim(), stderr: stderr.trim() }),
    )
  })
}

/** The package as npm makes it from a clean clone, and a project that it is installed in, with the files of `project/` and of an example. */
export class Packed {
  private constructor(
    private readonly dir: string,
    readonly tarball: string,
    /** Paths of what is in it. */
    readonly files: readonly string[],
  ) {}

  /** What an installation in an empty project holds, other packages included. */
  footprint: Footprint = { bytes: 0, packages: 0 }

  static async make(): Promise<Packed> {
    const dir = mkdtempSync(join(tmpdir(), 'celeriac-package-'))
    const copy = join(dir, 'copy')
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !MADE.has(relative(ROOT, path)) })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    const { stdout } = await run('npm', ['pack', '--json', '--silent', '--pack-destination', dir], copy)
    const [{ filename, files }] = JSON.parse(stdout)
    const packed = new Packed(
      dir,
      join(dir, filename),
      files.map(({ path }: { path: string }) => path),
    )
    for (const source of SOURCES) cpSync(source, packed.project, { recursive: true })
    packed.isOfType('module')
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-save', '--loglevel=error']
    const installed = await run('npm', ['install', ...flags, packed.tarball], packed.project)
    if (installed.code !== 0) throw new Error(installed.stderr)
    packed.footprint = await footprint(join(packed.project, 'node_modules'))
    for (const tool of TOOLS) {
      const link = join(packed.project, 'node_modules', tool)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(ROOT, 'node_modules', tool), link)
    }
    return packed
  }

  get project(): string {
    return join(this.dir, 'project')
  }

  /** Where the package is installed. */
  get installed(): string {
    return join(this.project, 'node_modules/celeriac')
  }

  /** Whether the project's own files are ES modules or CommonJS. */
  isOfType(type: 'module' | 'commonjs'): void {
    writeFileSync(join(this.project, 'package.json'), JSON.stringify({ private: true, type }))
  }

  node(...args: string[]): Promise<Ran> {
    return run(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], this.project)
  }

  /** Runs a program of this repository's node_modules in the project. */
  tool(path: string, ...args: string[]): Promise<Ran> {
    return this.node(join(ROOT, 'node_modules', path), ...args)
  }

  /** Runs the installed command, as npx does. */
  command(...args: string[]): Promise<Ran> {
    return run('npx', ['--no-install', 'celeriac', ...args], this.project)
  }

  /** A folder for something else, that isn't there yet. */
  beside(name: string): string {
    return join(this.dir, name)
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}
