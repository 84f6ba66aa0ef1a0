import { expect, it } from 'vitest'
import { terminalEnvironment } from './terminal-environment.ts'

it('[JB10] the person keeps their environment, without what Elsewhere and npm put in', () => {
  const env = terminalEnvironment(
    {
      HOME: '/home/ada',
      LANG: 'de_DE.UTF-8',
      EDITOR: 'vim',
      ELSEWHERE_TOKEN: 'secret',
      npm_config_registry: 'x',
      NODE_OPTIONS: '--inspect',
      INIT_CWD: '/src',
      TMUX: '/tmp/tmux',
      TERM: 'dumb',
      PATH: '/src/elsewhere/node_modules/.bin:/usr/lib/node_modules/npm/bin/node-gyp-bin:/home/ada/bin:/usr/bin',
      GONE: undefined,
    },
    { ELSEWHERE_TERMINAL: 'abc' },
  )
  expect(env).toEqual({
    HOME: '/home/ada',
    LANG: 'de_DE.UTF-8',
    EDITOR: 'vim',
    PATH: '/home/ada/bin:/usr/bin',
    TERM: 'xterm-256color',
    COLORTERM: 'truecolor',
    TERM_PROGRAM: 'Elsewhere',
    ELSEWHERE_TERMINAL: 'abc',
  })
})

it('[JB10] an empty environment still finds programs and speaks UTF-8', () => {
  expect(terminalEnvironment({})).toMatchObject({ LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' })
})
