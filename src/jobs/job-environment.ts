import type { AttemptRequest } from './attempt-contract.ts'
import { TERMINAL_MARK, terminalEnvironment } from './terminal-environment.ts'

/** What of an asker's environment a job is given: how it shows things and builds, nothing that names a secret or a place. */
const TAKEN =
  /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|CI|COLUMNS|NO_COLOR|FORCE_COLOR|CLICOLOR(?:_FORCE)?|NODE_ENV|DEBUG|VERBOSE|[A-Z]+FLAGS|CC|CXX|MAKELEVEL|JOBS|SOURCE_DATE_EPOCH|RUST_(?:LOG|BACKTRACE)|GO(?:OS|ARCH|MAXPROCS)|CARGO_TERM_COLOR|PYTHON(?:UNBUFFERED|HASHSEED))$/
/** Of this machine, for a placed job: where programs are. */
const PLACED_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Those of `environment` that a job may have (rule JB42). */
export function takenEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => TAKEN.test(name)))
}

/** How things are shown, and nothing that another program is told by: `MAKEFLAGS`, `CC` and the like run what they name. */
const PLAIN = /^(?:LANG|LC_[A-Z]+|TZ|COLUMNS|NO_COLOR|FORCE_COLOR)$/

/** Those of `environment` that a job may have which sees something by a grant to its program (rule JB91). */
export function plainEnvironment(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name, value]) => PLAIN.test(name) && !value.includes('/')))
}

/**
 * The environment of an attempt. Here: the person's own, as in a terminal, and what the asker had where the command was typed.
 * Placed: nothing of this machine but where programs are, and of the asker's what the allow-list takes; home and folder are the
 * asker's.
 */
export function jobEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  { attempt, home, environment }: Pick<AttemptRequest, 'attempt' | 'home' | 'environment'>,
  where: 'here' | 'placed',
): Record<string, string> {
  const mark = { [TERMINAL_MARK]: attempt }
  if (where === 'here') {
    const { TERM: _term, COLORTERM: _color, TERM_PROGRAM: _program, ...rest } = terminalEnvironment(own)
    return { ...rest, TERM: 'dumb', ...environment, ...mark }
  }
  const taken = takenEnvironment(environment)
  const extra = (own.PATH ?? '').split(':').filter((folder) => folder.startsWith('/usr/') || folder.startsWith('/opt/'))
  const path = [...new Set([...extra, ...PLACED_PATH.split(':')])].join(':')
  return {
    LANG: 'C.UTF-8',
    PATH: path,
    HOME: home,
    USER: 'elsewhere',
    LOGNAME: 'elsewhere',
    SHELL: '/bin/sh',
    TERM: 'dumb',
    ...taken,
    ...mark,
  }
}
