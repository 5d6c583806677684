import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { DEPLOY } from './compose.js'

const ROOT = join(DEPLOY, '..')

interface Instruction {
  readonly word: string
  readonly rest: string
}

/** The instructions of a Containerfile, stage by stage. */
function stagesOf(path: string): Instruction[][] {
  const lines = readFileSync(join(DEPLOY, path), 'utf8').split('\n')
  const instructions = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ word: line.split(' ', 1)[0] ?? '', rest: line.replace(/^\S+ /, '') }))
  const stages: Instruction[][] = []
  for (const instruction of instructions) {
    if (instruction.word === 'FROM') stages.push([])
    stages.at(-1)?.push(instruction)
  }
  return stages
}

const restOf = (stage: readonly Instruction[], word: string): string[] =>
  stage.filter((instruction) => instruction.word === word).map(({ rest }) => rest)

/** What is copied from the repository, the flags apart. */
const copied = (stage: readonly Instruction[]): string[] =>
  restOf(stage, 'COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(' ').slice(0, -1))

describe('the Containerfile, which no engine builds here', () => {
  const stages = stagesOf('Containerfile')
  const last = stages.at(-1) ?? []

  it('builds in one stage and ends in another that has no development tools', () => {
    expect(stages).toHaveLength(2)
    expect(restOf(last, 'RUN')).toEqual([])
    expect(restOf(stages[0] ?? [], 'RUN').at(-1)).toContain('npm prune --omit=dev')
  })

  it('is of the version of Node that these specs run on, pinned, in its small form', () => {
    const major = process.versions.node.split('.')[0]
    for (const stage of stages)
      expect(restOf(stage, 'FROM')[0]).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim( AS build)?$/)
    for (const stage of stages) expect(restOf(stage, 'FROM')[0]).toContain(`node:${major}.`)
  })

  it('copies what is there, and is not kept from it by the ignore file', () => {
    const ignored = readFileSync(join(DEPLOY, 'Containerfile.dockerignore'), 'utf8').trim().split('\n')
    expect(ignored[0]).toBe('*')
    const sources = stages.flatMap(copied)
    expect(sources).toContain('lib')
    for (const source of sources) {
      expect(existsSync(join(ROOT, source))).toBe(true)
      expect(ignored.some((line) => `!${source}/`.startsWith(`${line}/`))).toBe(true)
    }
  })

  it('runs the command as a user with a number, without a shell or an init around it', () => {
    expect(restOf(last, 'USER')).toEqual(['10001:10001'])
    expect(restOf(last, 'ENTRYPOINT')).toEqual(['["node", "/node_modules/celeriac/bin/celeriac.js"]'])
    expect(restOf(last, 'STOPSIGNAL')).toEqual(['SIGTERM'])
  })

  it('has no secret in it', () => {
    for (const stage of stages)
      expect([...restOf(stage, 'ENV'), ...restOf(stage, 'ARG')].join()).not.toMatch(/URL|PASS/)
  })
})
