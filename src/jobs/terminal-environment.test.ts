import { jobEnvironment } from './job-environment.ts'
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

it('[JB42] a placed job has of the asker what the list takes, and nothing of this machine but where programs are; one here has its own', () => {
  const own = { PATH: '/usr/games:/home/ada/bin', AWS_SECRET_ACCESS_KEY: 'of this machine', HOME: '/root' }
  const asked = { LANG: 'de_DE.UTF-8', CFLAGS: '-O2', GITHUB_TOKEN: 'of the asker', LD_PRELOAD: '/x.so', PATH: '/asker' }
  const request = { attempt: 'a1', home: '/home/ada', environment: asked }
  const placed = jobEnvironment(own, request, 'placed')
  expect(placed).toMatchObject({ LANG: 'de_DE.UTF-8', CFLAGS: '-O2', HOME: '/home/ada', ELSEWHERE_TERMINAL: 'a1' })
  expect(placed.PATH).toBe('/usr/games:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  expect(Object.keys(placed)).not.toEqual(expect.arrayContaining(['GITHUB_TOKEN']))
  expect(JSON.stringify(placed)).not.toMatch(/of this machine|of the asker|x\.so/)
  expect(jobEnvironment(own, request, 'here')).toMatchObject({ ...asked, AWS_SECRET_ACCESS_KEY: 'of this machine', HOME: '/root' })
})
