# What zsh offers at the Tab key: zsh -f completion.zsh SCRIPT LINE. Completion works in an interactive shell only, so there is one in a
# terminal of its own, where whatever is offered is written down.
zmodload zsh/zpty || exit 1
script=${1:a}
home=$(mktemp -d)
out=$home/offered
: >$out
mkfifo $home/ready $home/done

zpty shell zsh -f -i
# Keys that come before the line editor reads them would be lost.
zpty -w shell "
PROMPT= ; HISTFILE= ; ZDOTDIR=$home
autoload -Uz compinit && compinit -u -d ${(q)script}.dump
source ${(q)script}
compadd() {
  local -a offered
  if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    builtin compadd -A offered \"\$@\"
    print -rl -- \$offered >>$out
  fi
  builtin compadd \"\$@\"
}
offer() { zle complete-word; zle kill-whole-line; : >$home/done }
zle -N offer; zle -C complete-word complete-word _main_complete
bindkey '^I' offer
zle-line-init() { zle -D zle-line-init; : >$home/ready }; zle -N zle-line-init
"
read <$home/ready
zpty -n -w shell "$2"$'\t'
read <$home/done
zpty -d shell
cat $out
rm -rf $home
