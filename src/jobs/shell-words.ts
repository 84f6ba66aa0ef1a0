import { parseShell } from './classify/shell-parse.ts'

/** A line that holds anything else stays in its shell: expansions, globs and history are the shell's own work. */
const PLAIN = /^[\p{L}\p{N} _@%+=:,./"'&|;<>-]+$/u
/** Of a program's name, so that it can stand in an alias. */
const NAME = /^[A-Za-z0-9_./][A-Za-z0-9_.+/-]*$/
const REDIRECTS = new Set(['<', '>', '>>'])

/** What a shell does itself, bash and zsh together: it changes the shell, or means something else in another one. */
const OWN_WORDS = new Set(
  `. : [ [[ alias autoload bg bind break builtin bye caller case cd chdir clone command compadd compgen complete compopt compset coproc
  continue declare dirs disable disown do done echo echotc echoti elif else emulate enable end esac eval exec exit export false fc fg fi
  float for foreach function getcap getln getopts hash help history if in integer jobs kill let limit local log logout mapfile nocorrect
  noglob popd print printf pushd pushln pwd r read readarray readonly rehash repeat return sched select set setcap setopt shift shopt
  source stat suspend test then time times trap true ttyctl type typeset ulimit umask unalias unfunction unhash unlimit unset unsetopt
  until vared wait whence where which while zcompile zformat zle zmodload zparseopts zstyle { } !`.split(/\s+/),
)

/**
 * The programs of a line that another shell would run as this one does: a list of plain commands, joined by `&&`, `||` and `;`.
 * Undefined: the shell has a part in it (expansions, globs, pipes with their PIPESTATUS, builtins, jobs in the background), so it
 * stays there. In the order they stand in the line; the first is the line's first word after assignments.
 */
export function plainPrograms(line: string): readonly string[] | undefined {
  // `<1-9>` is a glob in zsh; a job's shell would read and write files of those names.
  if (!PLAIN.test(line) || /<\d*-\d*>/.test(line)) return undefined
  const { steps, unfinished } = parseShell(line)
  if (unfinished || steps.length === 0 || !isWholeList(line)) return undefined
  const names: string[] = []
  for (const { commands, background } of steps) {
    const [command] = commands
    if (background || commands.length !== 1 || command?.kind !== 'simple' || command.inner.length > 0) return undefined
    if (
      command.redirects.some(({ operator, target }) => !REDIRECTS.has(operator) && !(operator === '>&' && /^\d$/.test(target))) ||
      command.redirects.some(({ target }) => target === '')
    )
      return undefined
    const [first, ...words] = command.words
    if (!first || first.quoted || !NAME.test(first.text) || OWN_WORDS.has(first.text)) return undefined
    if ([first, ...words].some(({ dynamic, text, quoted }) => dynamic || (!quoted && /^[=%]/.test(text)))) return undefined
    if (command.assignments.some(([, value]) => value.startsWith('='))) return undefined
    names.push(first.text)
  }
  return names
}

/** The words of a line that is one plain command and nothing else: started with these it is what a shell would run. */
export function plainCommand(line: string): readonly string[] | undefined {
  if (plainPrograms(line)?.length !== 1) return undefined
  const command = parseShell(line).steps[0]?.commands[0]
  if (command?.kind !== 'simple' || command.redirects.length + command.assignments.length > 0) return undefined
  return command.words.map(({ text }) => text)
}

/** Commands between `&&`, `||` and `;` and nowhere else: a shell would wait for more, or complain, where the parser makes do. */
function isWholeList(line: string): boolean {
  const bare = line.replaceAll(/'[^']*'|"[^"]*"/g, 'q').replaceAll(/>&(?=\d)/g, '>')
  const parts = bare.replace(/; *$/, '').split(/&&|\|\||;/)
  return parts.every((part) => part.trim() !== '' && !/[&|]/.test(part))
}
