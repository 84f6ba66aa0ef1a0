/*
 * What makes a shell offload heavy commands by itself (rules JB70-JB76). On Enter the line is asked about through a FIFO
 * of the device; nothing is forked. When it should run elsewhere, its first word becomes, for this one line, an alias for
 * `elsewhere run ... #`: the shell itself reads, shows and remembers the line as typed, and runs the other one. Whatever goes
 * wrong leaves the line alone.
 */

/** Shells the hook is made for. */
export type HookedShell = 'bash' | 'zsh'

export interface HookPlaces {
  /** The device's folder of shells. */
  readonly folder: string
  /** The device's data folder. */
  readonly data: string
  /** Words that start the command line. */
  readonly cli: readonly string[]
}

/**
 * Seconds the shell waits for an answer. 0.015: with the hook's own work it stays below the 20 ms that a person would begin to
 * feel. Longest line and folder asked about, in characters: both together fit a pipe whatever they are made of.
 */
const ANSWER_S = 0.015
const MAX_LINE = 700
const MAX_FOLDER = 300
/** A command that took less is not worth telling. */
const HEAVY_S = 2

const BASH = String.raw`# Elsewhere: heavy commands that only write files run where they suit. "elsewhere off" ends it.
if [[ $- == *i* ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
  __elsewhere_shells=@FOLDER@
  __elsewhere_cli=@CLI@
  __elsewhere_nonce=$RANDOM$RANDOM$RANDOM
  __elsewhere_pipes=$__elsewhere_shells/$$.$__elsewhere_nonce
  __elsewhere_count=0 __elsewhere_missed=0 __elsewhere_knocked=0
  __elsewhere_ready= __elsewhere_armed= __elsewhere_word= __elsewhere_line= __elsewhere_at= __elsewhere_began=

  __elsewhere_disarm() {
    case $__elsewhere_armed in
      alias) unalias -- "$__elsewhere_word" ;;
      function) unset -f -- "$__elsewhere_word" ;;
    esac
    __elsewhere_armed=
  }

  # On Enter. Its argument is what $_ was, so that it stays that.
  __elsewhere_ask() {
    local -
    set +eux -f
    local IFS=$' \t\n' line=$READLINE_LINE ready=$__elsewhere_ready now id verdict names name tries
    [[ -z $__elsewhere_armed ]] || __elsewhere_disarm
    __elsewhere_ready= __elsewhere_line=
    [[ -n $ready ]] || return 0
    ((${'$'}{#line} > 0 && ${'$'}{#line} <= @MAX_LINE@ && ${'$'}{#PWD} <= @MAX_FOLDER@)) || return 0
    [[ $line == *[![:space:]]* && $line$PWD != *[[:cntrl:]]* && -O $__elsewhere_shells ]] || return 0
    printf -v now '%(%s)T' -1
    __elsewhere_line=$line __elsewhere_at=$PWD __elsewhere_began=$now
    if [[ ! -p $__elsewhere_pipes/answer ]]; then
      __elsewhere_missed=0
      ((now - __elsewhere_knocked >= 2)) && [[ -p $__elsewhere_shells/knock ]] || return 0
      __elsewhere_knocked=$now
      printf 'knock %s %s\n' "$$" "$__elsewhere_nonce" 1<>"$__elsewhere_shells/knock"
      return 0
    fi
    if ((__elsewhere_missed)); then
      read -t 0 0<>"$__elsewhere_pipes/answer" || return 0
      for ((tries = 0; tries < 8; tries++)); do
        read -t 0 0<>"$__elsewhere_pipes/answer" || break
        read -r -t 0.001 name 0<>"$__elsewhere_pipes/answer"
      done
      __elsewhere_missed=0
    fi
    ((__elsewhere_count += 1))
    printf 'ask\x1f%s\x1f%s\x1f%s\n' "$__elsewhere_count" "$PWD" "$line" 1<>"$__elsewhere_pipes/ask"
    for ((tries = 0; tries < 8; tries++)); do
      if ! IFS=$'\x1f' read -r -t @ANSWER_S@ id verdict names 0<>"$__elsewhere_pipes/answer"; then
        __elsewhere_missed=1
        return 0
      fi
      [[ $id != "$__elsewhere_count" ]] || break
    done
    [[ $id == "$__elsewhere_count" && $verdict == there ]] || return 0
    [[ $names == [a-zA-Z0-9_./]* && $names != *[!a-zA-Z0-9_./+\ -]* && $- != *[nC]* ]] || return 0
    for name in $names; do
      [[ -z ${'$'}{BASH_ALIASES[$name]-} ]] || return 0
      ! declare -F -- "$name" >/dev/null || return 0
    done
    __elsewhere_word=${'$'}{names%% *}
    local run="$__elsewhere_cli run --for-shell bash -- \"\$__elsewhere_line\""
    if [[ $__elsewhere_word != */* ]]; then
      shopt -q expand_aliases && shopt -q interactive_comments && alias -- "$__elsewhere_word=$run #" && __elsewhere_armed=alias
    elif [[ $names != *' '* ]]; then # no name for an alias, but one for a function: the rest of the line is its arguments
      eval "function $__elsewhere_word { $run; }" && __elsewhere_armed=function
    fi
    return 0
  }

  # Before each prompt: what took long here is told, so that it may go elsewhere the next time.
  __elsewhere_on_prompt() {
    {
      local code=$? now
      local -
      set +eux
      if [[ -n $__elsewhere_armed ]]; then
        __elsewhere_disarm
      elif [[ -n $__elsewhere_line && $code == 0 && $__elsewhere_missed == 0 ]]; then
        printf -v now '%(%s)T' -1
        if ((now - __elsewhere_began >= @HEAVY_S@)) && [[ -p $__elsewhere_pipes/ask && -O $__elsewhere_pipes/ask ]]; then
          printf 'ran\x1f%s\x1f%s\x1f%s\n' "$(((now - __elsewhere_began) * 1000))" "$__elsewhere_at" "$__elsewhere_line" 1<>"$__elsewhere_pipes/ask"
        fi
      fi
      __elsewhere_line= __elsewhere_ready=1
    } 2>/dev/null
    return $code
  }

  __elsewhere_off() {
    local keymap
    for keymap in emacs-standard vi-insert vi-command; do
      bind -m $keymap '"\C-m": accept-line'
      bind -m $keymap -r '\C-x\C-]'
      bind -m $keymap -r '\C-x\C-_'
    done
    __elsewhere_disarm
    __elsewhere_ready= __elsewhere_on=
  }

  # "elsewhere on" and "off" are about this shell, which no program can change.
  elsewhere() {
    case $#:${'$'}{1-} in
      1:off) __elsewhere_off ;;
      1:on) eval "$(eval "$__elsewhere_cli on bash")" ;;
      *) eval "$__elsewhere_cli \"\$@\"" ;;
    esac
  }

  if [[ $(bind -p 2>/dev/null) == *'"\C-m": accept-line'* ]]; then
    for __elsewhere_word in emacs-standard vi-insert vi-command; do
      bind -m $__elsewhere_word -x '"\C-x\C-]": { __elsewhere_ask "$_"; } 2>/dev/null'
      bind -m $__elsewhere_word '"\C-x\C-_": accept-line'
      bind -m $__elsewhere_word '"\C-m": "\C-x\C-]\C-x\C-_"'
    done
    case $(declare -p PROMPT_COMMAND 2>/dev/null) in
      *__elsewhere_on_prompt*) ;;
      'declare -a'*) PROMPT_COMMAND=(__elsewhere_on_prompt "${'$'}{PROMPT_COMMAND[@]}") ;;
      *) PROMPT_COMMAND="__elsewhere_on_prompt${'$'}{PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;;
    esac
    __elsewhere_on=1
    [[ ! -p $__elsewhere_shells/knock ]] || printf 'knock %s %s\n' "$$" "$__elsewhere_nonce" 1<>"$__elsewhere_shells/knock"
  elif [[ -z ${'$'}{__elsewhere_on-} ]]; then
    echo 'elsewhere: Enter is bound to something else in this shell, so nothing is offloaded from it' >&2
  fi
fi
`

const ZSH = String.raw`# Elsewhere: heavy commands that only write files run where they suit. "elsewhere off" ends it.
if [[ -o interactive && -o zle ]] && zmodload zsh/datetime 2>/dev/null && zmodload zsh/parameter 2>/dev/null; then
  typeset -g __elsewhere_shells=@FOLDER@
  typeset -g __elsewhere_cli=@CLI@
  typeset -g __elsewhere_nonce=$RANDOM$RANDOM$RANDOM
  typeset -g __elsewhere_pipes=$__elsewhere_shells/$$.$__elsewhere_nonce
  typeset -gi __elsewhere_count=0 __elsewhere_missed=0 __elsewhere_knocked=0
  typeset -g __elsewhere_armed= __elsewhere_word= __elsewhere_line= __elsewhere_at= __elsewhere_began= __elsewhere_comments=

  # Without options of its own: it changes one of the shell's.
  __elsewhere_disarm() {
    [[ -n $__elsewhere_armed ]] || return 0
    builtin unalias -- $__elsewhere_word
    [[ -n $__elsewhere_comments ]] || builtin unsetopt interactive_comments
    __elsewhere_armed=
  }

  # Sets __elsewhere_word when the line should run elsewhere.
  __elsewhere_ask() {
    emulate -L zsh
    local line=$BUFFER id verdict names name
    local -i tries now=$EPOCHSECONDS
    local -a words
    __elsewhere_line= __elsewhere_word=
    [[ $CONTEXT == start ]] || return 0
    (( $#line > 0 && $#line <= @MAX_LINE@ && $#PWD <= @MAX_FOLDER@ )) || return 0
    [[ $line == *[^[:space:]]* && $line$PWD != *[[:cntrl:]]* && -O $__elsewhere_shells ]] || return 0
    __elsewhere_line=$line __elsewhere_at=$PWD __elsewhere_began=$now
    if [[ ! -p $__elsewhere_pipes/answer ]]; then
      __elsewhere_missed=0
      (( now - __elsewhere_knocked >= 2 )) && [[ -p $__elsewhere_shells/knock ]] || return 0
      __elsewhere_knocked=$now
      print -r -- "knock $$ $__elsewhere_nonce" 1<>$__elsewhere_shells/knock
      return 0
    fi
    if (( __elsewhere_missed )); then
      read -t 0 -r name 0<>$__elsewhere_pipes/answer || return 0
      for (( tries = 0; tries < 8; tries++ )); do
        read -t 0 -r name 0<>$__elsewhere_pipes/answer || break
      done
      __elsewhere_missed=0
    fi
    (( __elsewhere_count += 1 ))
    print -r -- "ask"$'\x1f'"$__elsewhere_count"$'\x1f'"$PWD"$'\x1f'"$line" 1<>$__elsewhere_pipes/ask
    for (( tries = 0; tries < 8; tries++ )); do
      if ! IFS=$'\x1f' read -r -t @ANSWER_S@ id verdict names 0<>$__elsewhere_pipes/answer; then
        __elsewhere_missed=1
        return 0
      fi
      [[ $id != $__elsewhere_count ]] || break
    done
    [[ $id == $__elsewhere_count && $verdict == there ]] || return 0
    [[ $names == [a-zA-Z0-9_./]* && $names != *[^a-zA-Z0-9_./+\ -]* ]] || return 0
    for name in ${'$'}{=names}; do
      (( ! ${'$'}{+aliases[$name]} && ! ${'$'}{+functions[$name]} )) || return 0
    done
    words=(${'$'}{(z)line})
    for name in $words; do
      (( ! ${'$'}{+galiases[$name]} && ! ${'$'}{+saliases[${'$'}{name##*.}]} )) || return 0
    done
    __elsewhere_word=${'$'}{names%% *}
  }

  __elsewhere_accept() {
    __elsewhere_disarm
    { __elsewhere_ask } 2>/dev/null
    if [[ -n $__elsewhere_word && -o aliases && -o clobber ]]; then
      [[ -o interactive_comments ]] && __elsewhere_comments=1 || __elsewhere_comments=
      builtin alias -- "$__elsewhere_word=$__elsewhere_cli run --for-shell zsh -- \"\$__elsewhere_line\" #" 2>/dev/null &&
        builtin setopt interactive_comments && __elsewhere_armed=1
    fi
    zle __elsewhere_inner -- "$@"
  }

  # Before each prompt: what took long here is told, so that it may go elsewhere the next time.
  __elsewhere_on_prompt() {
    {
      local code=$?
      if [[ -n $__elsewhere_armed ]]; then
        __elsewhere_disarm
      elif [[ -n $__elsewhere_line && $code == 0 && $__elsewhere_missed == 0 ]]; then
        if (( EPOCHSECONDS - __elsewhere_began >= @HEAVY_S@ )) && [[ -p $__elsewhere_pipes/ask && -O $__elsewhere_pipes/ask ]]; then
          print -r -- "ran"$'\x1f'"$(( (EPOCHSECONDS - __elsewhere_began) * 1000 ))"$'\x1f'"$__elsewhere_at"$'\x1f'"$__elsewhere_line" 1<>$__elsewhere_pipes/ask
        fi
      fi
      __elsewhere_line=
    } 2>/dev/null
    return $code
  }

  __elsewhere_off() {
    [[ $widgets[accept-line] != user:__elsewhere_accept ]] || zle -A __elsewhere_inner accept-line
    precmd_functions=(${'$'}{precmd_functions:#__elsewhere_on_prompt})
    __elsewhere_disarm
  }

  # "elsewhere on" and "off" are about this shell, which no program can change.
  elsewhere() {
    case $#:${'$'}{1-} in
      (1:off) __elsewhere_off ;;
      (1:on) eval "$(eval "$__elsewhere_cli on zsh")" ;;
      (*) eval "$__elsewhere_cli \"\$@\"" ;;
    esac
  }

  if [[ $widgets[accept-line] != user:__elsewhere_accept ]]; then
    zle -A accept-line __elsewhere_inner
    zle -N accept-line __elsewhere_accept
  fi
  typeset -ga precmd_functions
  precmd_functions=(__elsewhere_on_prompt ${'$'}{precmd_functions:#__elsewhere_on_prompt})
  [[ ! -p $__elsewhere_shells/knock ]] || print -r -- "knock $$ $__elsewhere_nonce" 1<>$__elsewhere_shells/knock
fi
`

const HOOKS: Readonly<Record<HookedShell, string>> = { bash: BASH, zsh: ZSH }

/**
 * What a shell evaluates to be hooked. Safe to evaluate again: the newest counts.
 *
 * @param answerSeconds  how long it waits for an answer; tests on busy machines give it more
 */
export function shellHook(shell: HookedShell, places: HookPlaces, answerSeconds = ANSWER_S): string {
  const values: Readonly<Record<string, string>> = {
    FOLDER: quoted(places.folder),
    CLI: quoted(cliText(places)),
    ANSWER_S: String(answerSeconds),
    MAX_LINE: String(MAX_LINE),
    MAX_FOLDER: String(MAX_FOLDER),
    HEAVY_S: String(HEAVY_S),
  }
  return HOOKS[shell].replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole)
}

const FUNCTION = String.raw`elsewhere() {
  local cli=@CLI@
  if [ "$#:${'$'}{1-}" = 1:on ]; then eval "$(eval "$cli on @SHELL@")"; else eval "$cli \"\$@\""; fi
}
`

/** For terminals of Elsewhere: `elsewhere` is there, about their device, and "elsewhere on" hooks the shell it is typed in. */
export const shellFunction = (shell: HookedShell, places: Omit<HookPlaces, 'folder'>): string =>
  FUNCTION.replace('@CLI@', () => quoted(cliText(places))).replace('@SHELL@', shell)

/** Read by the shell once more when it runs. */
const cliText = ({ data, cli }: Omit<HookPlaces, 'folder'>): string => `ELSEWHERE_DATA=${quoted(data)} ${cli.map(quoted).join(' ')}`
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
