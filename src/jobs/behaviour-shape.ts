import { parseShell, type Script, type ShellCommand, type Step } from './classify/shell-parse.ts'

/*
 * What two command lines have in common that do the same work on other things: the line with whatever differs from run to run folded
 * (rule JB101). It is kept and shared between a person's devices, so what may be a secret is not in it.
 */

/** A longer one is nobody's habit, and says too much. */
export const MAX_SHAPE = 400
/** What a terminal or a page does not show as itself: controls, marks of direction, other ends of lines. */
export const UNSHOWN = /[\p{Cc}\p{Cf}\u2028\u2029]/u
/** Longer lines are not read for it. */
const MAX_LINE = 4_096

/** The first program of a line, as typed, with the shape of all of it. */
export interface LineShape {
  readonly program: string
  /** The program's name without its folder. */
  readonly name: string
  readonly shape: string
}

/**
 * @param follows  programs that really run at the end of every alias: `npm run build` is another command where it runs another program
 * @returns undefined  no line that anything can be learned of (empty, unfinished, too long)
 */
export function shapeOf(line: string, follows: readonly string[] = []): LineShape | undefined {
  if (line.length > MAX_LINE) return undefined
  const script = parseShell(line)
  if (script.unfinished) return undefined
  const program = firstProgram(script)
  const name = program?.split('/').at(-1)
  if (program === undefined || !name || program.length > 256) return undefined
  const own = foldScript(script)
  if (UNSHOWN.test(name)) return undefined
  const others = follows.filter((one) => one !== program && one !== name && !own.includes(one)).slice(0, 8)
  const whole = others.length > 0 ? `${own} (${others.join(', ')})` : own
  const shape = whole.replaceAll(new RegExp(UNSHOWN, 'gu'), '\ufffd')
  return shape.length > MAX_SHAPE ? undefined : { program, name, shape }
}

function firstProgram(script: Script): string | undefined {
  for (const { commands } of script.steps)
    for (const command of commands) {
      const found = command.kind === 'group' ? firstProgram(command.body) : command.words[0]?.text
      if (found) return found
    }
  return undefined
}

const JOINS = { first: '', and: ' && ', or: ' || ', next: '; ' } as const
const foldScript = ({ steps }: Script): string => steps.map((step) => JOINS[step.joined] + foldStep(step)).join('')
const foldStep = ({ commands, background }: Step): string => commands.map(foldCommand).join(' | ') + (background ? ' &' : '')

function foldCommand(command: ShellCommand): string {
  const redirects = command.redirects.map(({ operator, target }) => `${operator}${fold(target)}`)
  if (command.kind === 'group') return [`( ${foldScript(command.body)} )`, ...redirects].join(' ')
  const [program = '', ...rest] = command.words.map(({ text }) => text)
  const words = [program.split('/').at(-1) ?? program, ...foldWords(rest)]
  return [...command.assignments.map(([name]) => `${name}=…`), ...words, ...redirects].join(' ')
}

/** What follows an option for secrets is one. */
const foldWords = (words: readonly string[]): string[] =>
  words.map((word, at) => (at > 0 && isTold(words[at - 1] as string, word) ? '…' : fold(word)))

/** Options whose value is nobody else's business. */
const SECRET = /^-.*(?:pass|token|secret|key|auth|credential|cookie|header)/i
/** The same in short: `-u name:word`, `-H header`, `-p word`, also behind other letters. */
const TELLS_NEXT = new RegExp(`${SECRET.source}|^-[a-z]{0,3}[uhp]$`, 'i')
/** `curl --user name:word`; `systemctl --user restart` is none. */
const isTold = (before: string, word: string): boolean =>
  TELLS_NEXT.test(before) || (/^--?(?:proxy-)?user$/.test(before) && word.includes(':'))
/** `curl -uname:word`, `mysql -pword`. */
const GLUED = /^(-p|-[uUH](?=[^:]*:))./s
const ASSIGNED = /^(-?[A-Za-z_][\w.-]*)=/
const CREDENTIAL = /\b(?:bearer|basic|authorization)\b|(?:pass\w*|token|secret|key|auth|credentials?|cookie)["']?\s*[:=]|^[^/\s]+:[^/\s]+@/i
const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi
/** A digest or abbreviated commit: hex of both kinds of characters. */
const HEX = /\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,128}\b/gi
/** Keys and tokens: long, of letters and digits mixed. */
const TOKEN = /(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{28,}/g

/** One word without what differs from run to run: paths keep what kind of file they are, numbers and hashes nothing. */
function fold(word: string): string {
  const assigned = ASSIGNED.exec(word)
  if (assigned) return `${assigned[1]}=…`
  const glued = GLUED.exec(word)
  if (glued) return `${glued[1]}…`
  const option = /^(--[A-Za-z][\w-]*)=(.*)$/s.exec(word)
  if (option) return `${option[1]}=${SECRET.test(word) ? '…' : fold(option[2] as string)}`
  if (CREDENTIAL.test(word)) return '…'
  // A line in a word (`sh -c`) has words of its own.
  if (/\s/.test(word)) return foldWords(word.split(/[\s;&|]+/).filter(Boolean)).join(' ')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return 'URL'
  if (word === '.' || word === '..' || word === './...') return word
  if (/^[~.]?\/|\/|^~$/.test(word)) return `PATH${kindOfFile(word)}`
  const hidden = word.replaceAll(UUID, 'HASH').replaceAll(HEX, 'HASH').replaceAll(TOKEN, 'HASH')
  const kind = kindOfFile(hidden)
  if (kind !== '' && !hidden.startsWith('-')) return `PATH${kind}`
  return hidden.replaceAll(/\d+/g, '#')
}

/** `.mp4`; empty for what has none. A version is no file. */
const kindOfFile = (word: string): string => /[^/.][^/]*(\.[A-Za-z][A-Za-z0-9]{0,7})$/.exec(word)?.[1] ?? ''
