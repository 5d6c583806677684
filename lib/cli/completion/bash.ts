import { type Place, type Value, valued } from './places.js'

/**
 * Bash also splits words at `=`, which takes some counting. Words that it doesn't know are skipped: a colon splits
 * `dist/app.js:app`.
 */
const BODY = `
_celeriac() {
  local at= cur prev word words flags valued files i=1
  COMPREPLY=()
  _celeriac_place
  while ((i < COMP_CWORD)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      return
    elif [[ " $valued " == *" $word "* ]]; then
      [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
      ((i++))
    elif [[ " $words " == *" $word "* ]]; then
      at="\${at:+$at }$word"
      _celeriac_place
    fi
    ((i++))
  done
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD - 1]}
  [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD - 2]}
  [[ $cur == = ]] && cur=
  if [[ $prev == -* && " $valued " == *" $prev "* ]]; then
    _celeriac_value
  elif [[ $cur == -* ]]; then
    words=$flags files=
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _celeriac celeriac
`

/** Completion for bash, as text to be sourced. Works from bash 3.2 on, without the package bash-completion. */
export function bashCompletion(places: readonly Place[]): string {
  const lines = places.map(({ files, flags, path, words }) => {
    const names = (some: typeof flags): string => some.flatMap((flag) => flag.names).join(' ')
    const takers = names(flags.filter(({ value }) => value !== 'nothing'))
    const known = words.map(({ word }) => word).join(' ')
    return `    '${path}') words='${known}' flags='${names(flags)}' valued='${takers}' files=${files ? 'yes' : ''} ;;`
  })
  const values = valued(places)
    .filter(({ flag }) => flag.value !== 'text')
    .map(
      ({ flag, path }) => `    ${flag.names.map((name) => `'${path} ${name}'`).join('|')}) ${assigned(flag.value)} ;;`,
    )
  return `# celeriac's completion for bash: source <(celeriac completion bash)
_celeriac_place() {
  case "$at" in
${lines.join('\n')}
    *) words= flags= valued= files= ;;
  esac
}

_celeriac_value() {
  words= files=
  case "$at $prev" in
${values.join('\n')}
  esac
}
${BODY}`
}

function assigned(value: Value): string {
  return typeof value === 'string' ? 'files=yes' : `words='${value.join(' ')}'`
}
