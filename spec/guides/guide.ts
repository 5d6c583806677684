import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import GithubSlugger from 'github-slugger'
import { lexer, type Token, walkTokens } from 'marked'
import { ROOT } from '../support/workerProgram.js'

/** A fenced block of code. */
export interface Block {
  /** What stands behind the fence, such as `ts`; empty for none. */
  readonly language: string
  readonly text: string
}

/** A Markdown file, and what in it can be wrong. */
export interface Guide {
  /** From the repository's top. */
  readonly path: string
  readonly text: string
  /** What GitHub lets a link's # name. */
  readonly anchors: readonly string[]
  /** Where links and pictures lead. */
  readonly links: readonly string[]
  /** Code within a line. */
  readonly spans: readonly string[]
  readonly blocks: readonly Block[]
}

const FOLDERS = ['.', '.github', 'deploy', 'lib', 'spec']
/** Whose Markdown files belong to small projects of their own. */
const PROJECTS = /^(?:deploy\/starter|spec\/examples)\//

/** All Markdown files of the repository that are about Celeriac itself. */
export function guides(): readonly Guide[] {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  return paths
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules') && !PROJECTS.test(path))
    .map(readGuide)
}

/** @param path from the repository's top */
export function readGuide(path: string): Guide {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const slugs = new GithubSlugger()
  const anchors: string[] = []
  const links: string[] = []
  const spans: string[] = []
  const blocks: Block[] = []
  const look = (token: Token): void => {
    if (token.type === 'heading') anchors.push(slugs.slug(plain(token.tokens ?? [])))
    else if (token.type === 'link' || token.type === 'image') links.push(token.href)
    else if (token.type === 'codespan') spans.push(token.text)
    else if (token.type === 'code') blocks.push({ language: token.lang ?? '', text: token.text })
  }
  walkTokens(lexer(text), look)
  return { path, text, anchors, links, spans, blocks }
}

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => ('tokens' in token && token.tokens ? plain(token.tokens) : (token as { text: string }).text))
    .join('')
}
