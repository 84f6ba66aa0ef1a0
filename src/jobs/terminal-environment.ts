type Environment = Readonly<Record<string, string | undefined>>

/** Names the host adds so that `end` finds programs that left the terminal's session; not a secret. */
export const TERMINAL_MARK = 'ELSEWHERE_TERMINAL'

/** What belongs to how Elsewhere or the terminal around it was started, not to the person's shell. */
const DROPPED = new Set([
  'COLUMNS',
  'ELECTRON_NO_ATTACH_CONSOLE',
  'ELECTRON_RUN_AS_NODE',
  'INIT_CWD',
  'LINES',
  'NODE',
  'NODE_CHANNEL_FD',
  'NODE_OPTIONS',
  'NODE_UNIQUE_ID',
  'OLDPWD',
  'PROMPT_COMMAND',
  'PS1',
  'SHLVL',
  'STY',
  'TERMCAP',
  'TERM_PROGRAM_VERSION',
  'TERM_SESSION_ID',
  'TMUX',
  'TMUX_PANE',
  'VTE_VERSION',
  'WINDOWID',
  '_',
])
const DROPPED_PREFIX = /^(?:ELSEWHERE_|npm_|VITE_|VITEST)/i
/** Folders that npm puts in front of PATH while it runs a script. */
const NPM_PATH = /(?:\/node_modules\/\.bin|\/node-gyp-bin)\/?$/

/**
 * The environment of a program in a terminal (JB10): the person's own, without what Elsewhere, npm or a surrounding
 * terminal put in. `additions` win.
 */
export function terminalEnvironment(parent: Environment, additions: Environment = {}): Record<string, string> {
  const env: Record<string, string> = { LANG: 'C.UTF-8' }
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || DROPPED.has(name) || DROPPED_PREFIX.test(name)) continue
    env[name] =
      name === 'PATH'
        ? value
            .split(':')
            .filter((folder) => !NPM_PATH.test(folder))
            .join(':')
        : value
  }
  if (!env.PATH) env.PATH = '/usr/local/bin:/usr/bin:/bin'
  Object.assign(env, { TERM: 'xterm-256color', COLORTERM: 'truecolor', TERM_PROGRAM: 'Elsewhere' })
  for (const [name, value] of Object.entries(additions)) if (value !== undefined) env[name] = value
  return env
}
