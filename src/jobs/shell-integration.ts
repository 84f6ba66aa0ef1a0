/*
 * Lets a shell say where it is (OSC 7) and where prompts and commands begin and end (OSC 133), without touching the
 * person's own start files: bash gets our file in place of ~/.bashrc and reads that first; zsh finds our .zshenv through
 * ZDOTDIR, which puts ZDOTDIR back before anything else is read; fish gets a command to run after its own files.
 */

const BASH = String.raw`# Elsewhere: read in place of ~/.bashrc, which it reads first.
[ -r ~/.bashrc ] && . ~/.bashrc
__elsewhere_encode() {
  local LC_ALL=C path=$1 out= c n i
  for ((i = 0; i < ${'$'}{#path}; i++)); do
    c=${'$'}{path:i:1}
    case $c in
      [a-zA-Z0-9/._~-]) out+=$c ;;
      *) printf -v n %d "'$c"; printf -v c '%%%02X' $((n & 255)); out+=$c ;;
    esac
  done
  printf %s "$out"
}
__elsewhere_prompt() {
  local code=$?
  [ -n "${'$'}{__elsewhere_prompted-}" ] && printf '\e]133;D;%s\a' "$code"
  __elsewhere_prompted=1
  if [ "${'$'}{__elsewhere_folder-}" != "$PWD" ]; then
    __elsewhere_folder=$PWD
    printf '\e]7;file://%s%s\a' "${'$'}{HOSTNAME-}" "$(__elsewhere_encode "$PWD")"
  fi
  printf '\e]133;A\a'
  case $PS1 in *'133;B'*) ;; *) PS1=$PS1'\[\e]133;B\a\]' ;; esac
  return $code
}
case $(declare -p PROMPT_COMMAND 2>/dev/null) in
  'declare -a'*) PROMPT_COMMAND=(__elsewhere_prompt "${'$'}{PROMPT_COMMAND[@]}") ;;
  *) PROMPT_COMMAND="__elsewhere_prompt${'$'}{PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;;
esac
PS0=${'$'}{PS0-}'\e]133;C\a'
`

const ZSH = String.raw`# Elsewhere: found through ZDOTDIR, which is put back before your own files are read.
if [[ -n ${'$'}{ELSEWHERE_ZDOTDIR-} ]]; then
  export ZDOTDIR=$ELSEWHERE_ZDOTDIR
else
  unset ZDOTDIR
fi
unset ELSEWHERE_ZDOTDIR
[[ -r ${'$'}{ZDOTDIR:-$HOME}/.zshenv ]] && source ${'$'}{ZDOTDIR:-$HOME}/.zshenv
if [[ -o interactive ]]; then
  __elsewhere_prompt() {
    local code=$?
    emulate -L zsh
    setopt no_multibyte
    [[ -n ${'$'}{__elsewhere_prompted-} ]] && printf '\e]133;D;%s\a' $code
    typeset -g __elsewhere_prompted=1
    if [[ ${'$'}{__elsewhere_folder-} != $PWD ]]; then
      typeset -g __elsewhere_folder=$PWD
      local out= c
      local -i i
      for ((i = 1; i <= ${'$'}{#PWD}; i++)); do
        c=$PWD[i]
        if [[ $c == [a-zA-Z0-9/._~-] ]]; then out+=$c; else out+=%${'$'}{(l:2::0:)${'$'}(( [##16] #c ))}; fi
      done
      printf '\e]7;file://%s%s\a' $HOST $out
    fi
    printf '\e]133;A\a'
    [[ $PS1 == *'133;B'* ]] || PS1+=$'%{\e]133;B\a%}'
    return $code
  }
  __elsewhere_run() { printf '\e]133;C\a' }
  typeset -ga precmd_functions preexec_functions
  precmd_functions+=(__elsewhere_prompt)
  preexec_functions+=(__elsewhere_run)
fi
`

const FISH = String.raw`# Elsewhere: run after your own files.
function __elsewhere_prompt --on-event fish_prompt
  set -l code $status
  set -q __elsewhere_prompted; and printf '\e]133;D;%s\a' $code
  set -g __elsewhere_prompted 1
  printf '\e]7;file://%s%s\a' $hostname (string escape --style=url -- $PWD)
  printf '\e]133;A\a'
end
function __elsewhere_run --on-event fish_preexec
  printf '\e]133;C\a'
end
`

/** Files the host writes once at start, by path relative to its own folder. */
export const SHELL_INTEGRATION_FILES: Readonly<Record<string, string>> = {
  'bash/rc.bash': BASH,
  'zsh/.zshenv': ZSH,
  'fish/init.fish': FISH,
}

export interface ShellCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * How to start the person's shell so that it tells where it is; a shell we do not know starts as it is.
 *
 * @param shell   path of the shell
 * @param folder  where SHELL_INTEGRATION_FILES lie
 * @param zdotdir the person's own ZDOTDIR, if set
 */
export function shellCommand(shell: string, folder: string, zdotdir?: string): ShellCommand {
  switch (shell.slice(shell.lastIndexOf('/') + 1)) {
    case 'bash':
      return { file: shell, args: ['--rcfile', `${folder}/bash/rc.bash`, '-i'], env: {} }
    case 'zsh':
      return { file: shell, args: ['-i'], env: { ZDOTDIR: `${folder}/zsh`, ...(zdotdir ? { ELSEWHERE_ZDOTDIR: zdotdir } : {}) } }
    case 'fish':
      return { file: shell, args: ['--init-command', `source '${folder.replaceAll("'", "\\'")}/fish/init.fish'`], env: {} }
    default:
      return { file: shell, args: [], env: {} }
  }
}
