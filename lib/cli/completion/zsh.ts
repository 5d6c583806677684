import type { Flag, Place } from './places.js'

/** Completion for zsh, as text to be sourced after compinit, or to be kept as `_celeriac` in a directory of `fpath`. */
export function zshCompletion(places: readonly Place[]): string {
  return `#compdef celeriac
# celeriac's completion for zsh: source <(celeriac completion zsh)
${places.map((place) => functionOf(place, places)).join('\n')}
if [[ \${funcstack[1]} == _celeriac ]]; then
  _celeriac "$@"
else
  compdef _celeriac celeriac
fi
`
}

function nameOf(path: string): string {
  return ['_celeriac', ...path.split(' ')].filter((part) => part !== '').join('_')
}

/** One function for each place; the function of a command calls those of its subcommands. */
function functionOf({ files, flags, path, words }: Place, places: readonly Place[]): string {
  const below = words
    .map(({ word }) => ({ word, path: `${path} ${word}`.trimStart() }))
    .filter((each) => places.some((place) => place.path === each.path))
  const argument = words.length > 0 ? `'1: :->word'` : files ? `'1: :_files'` : ''
  const rest = below.length > 0 ? `'*:: :->rest'` : ''
  const specs = [...flags.map(specOf), argument, rest].filter((spec) => spec !== '')
  const named = words.map(({ help, word }) => `'${word}${help === '' ? '' : `:${escaped(help)}`}'`)
  const cases = below.map((each) => `      ${each.word}) ${nameOf(each.path)} ;;`)
  return `${nameOf(path)}() {
  local curcontext="$curcontext" state line
  _arguments -C \\
${specs.map((spec) => `    ${spec}`).join(' \\\n')}
${named.length === 0 ? '' : wordCase(named)}${cases.length === 0 ? '' : restCase(cases)}}
`
}

function wordCase(named: readonly string[]): string {
  return `  if [[ $state == word ]]; then
    local -a words_here=(
${named.map((each) => `      ${each}`).join('\n')}
    )
    _describe -V command words_here
  fi
`
}

function restCase(cases: readonly string[]): string {
  return `  if [[ $state == rest ]]; then
    case $line[1] in
${cases.join('\n')}
    esac
  fi
`
}

function specOf({ help, names, value }: Flag): string {
  const excluded = names.length > 1 ? `'(${names.join(' ')})'` : ''
  const spelled = names.map((name) => (value === 'nothing' ? name : name.startsWith('--') ? `${name}=` : `${name}+`))
  const spelling = spelled.length > 1 ? `{${spelled.join(',')}}` : `${spelled[0]}`
  const action = value === 'file' ? '_files' : typeof value === 'string' ? ' ' : `(${value.join(' ')})`
  return `${excluded}${spelling}'[${escaped(help)}]${value === 'nothing' ? '' : `: :${action}`}'`
}

/** Escaped for single quotes; colons and brackets have a meaning in the specs of `_arguments` and `_describe`. */
function escaped(help: string): string {
  return help.replace(/[\\:[\]]/g, '\\$&').replaceAll("'", "'\\''")
}
