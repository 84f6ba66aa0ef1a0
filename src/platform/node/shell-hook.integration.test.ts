import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
  constants,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import type { ShellMessage } from '../../jobs/shell-message.ts'
import { plainPrograms } from '../../jobs/shell-words.ts'
import { TmuxShell, whyNoTmux } from '../../testkit/tmux-shell.ts'
import { FifoShellDoor } from './fifo-shell-door.ts'
import { shellHook } from './shell-files.ts'

/** On a machine that is busy with tests an answer takes its time; what the limit is in use, bench/jobs measures. */
const PATIENT_S = 30
const WAIT = { timeout: 60_000, interval: 30 }
const SHELLS = [
  ['bash', 'bash --norc --noprofile -i'],
  ['zsh', 'zsh -f -i'],
] as const

let folder: string
let shells: string
let door: Disposable | undefined
let heard: ShellMessage[]
let open: TmuxShell[]

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'ew-hook-'))
  shells = path.join(folder, 'data', 'shells')
  heard = []
  open = []
  // Stands for the command line: says with what it was started, waits when told to, ends with 7.
  const cli = path.join(folder, 'a cli')
  writeFileSync(cli, `#!/bin/sh\nprintf 'ran <%s>\\n' "$5"\ncase $5 in *wait*) sleep 1000 ;; esac\nexit 7\n`)
  chmodSync(cli, 0o755)
  for (const name of ['heavy', 'light']) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\necho "$0 here"\nexit 3\n`)
    chmodSync(path.join(folder, name), 0o755)
  }
})
afterEach(() => {
  for (const shell of open) shell.dispose()
  door?.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** A device that finds every plain line with `heavy` in it better off elsewhere. */
function serve(): void {
  door = new FifoShellDoor({ folder: shells, clock: systemClock, log: silentLogger }).open((message) => {
    heard.push(message)
    return message.kind === 'ask' && message.line.includes('heavy') ? plainPrograms(message.line) : undefined
  })
}

async function hooked(name: 'bash' | 'zsh', command: string, answerSeconds = PATIENT_S): Promise<TmuxShell> {
  const hook = path.join(folder, `hook.${name}`)
  writeFileSync(
    hook,
    shellHook(name, { folder: shells, data: path.join(folder, 'data'), cli: [path.join(folder, 'a cli')] }, answerSeconds),
  )
  const home = path.join(folder, `home${open.length}`)
  mkdirSync(home)
  const shell = new TmuxShell(home, command, { PATH: `${folder}:${process.env.PATH}` })
  open.push(shell)
  await shell.run(`. ${hook}`)
  if (existsSync(path.join(shells, 'knock'))) await known(shell)
  return shell
}
const known = (shell: TmuxShell) =>
  vi.waitFor(() => expect(readdirSync(shells).some((name) => name.startsWith(`${shell.pid}.`))).toBe(true), WAIT)
const asked = () => heard.filter(({ kind }) => kind === 'ask').map(({ line }) => line)
const history = { bash: 'history', zsh: 'fc -l 1' } as const

describe.each(SHELLS)('%s', (name, command) => {
  const why = whyNoTmux(name)
  const skipped = why !== undefined

  it.skipIf(skipped)('[JB71] a line that should run elsewhere is given to the command line as typed; all else is as before', async () => {
    serve()
    const shell = await hooked(name, command)
    const line = `heavy -j8 'a  b' "c"; heavy > out`
    expect(await shell.run(line)).toBe(`ran <${line}>`)
    const statuses = name === 'bash' ? '${PIPESTATUS[*]}' : '$pipestatus'
    expect(await shell.run(`echo "$?" "${statuses}" "$_"`)).toMatch(/^7 7? ?/)
    expect(await shell.run('light')).toBe(`${folder}/light here`)
    expect(await shell.run(`echo "$? $_"`)).toBe('3 light')
    expect(await shell.run('true | (exit 4) | false')).toBe('')
    expect(await shell.run(`echo "$? ${statuses}"`)).toBe('1 0 4 1')
    expect(await shell.run(`${folder}/heavy x`)).toBe(`ran <${folder}/heavy x>`)
    expect(await shell.run('type heavy')).toBe(`heavy is ${folder}/heavy`)
    expect(await shell.run('CC=x heavy y')).toBe('ran <CC=x heavy y>')
    const lines = (await shell.run(history[name])).split('\n').map((one) => one.replace(/^ *\d+ +/, ''))
    expect(lines).toEqual(expect.arrayContaining([line, 'light', `${folder}/heavy x`, 'CC=x heavy y']))
    expect(lines.join('\n')).not.toMatch(/elsewhere|for-shell/)
    shell.write('ligh')
    shell.press('Tab')
    await shell.shows(`${'»'} light`)
    shell.press('Enter')
    await shell.prompts()
    // A program that was suspended is the shell's own job.
    shell.enter('heavy wait')
    await shell.shows('ran <heavy wait>')
    shell.press('C-z')
    await shell.prompts()
    expect(await shell.run('jobs')).toMatch(/topped|suspended/)
    expect(await shell.run('kill -9 %1; wait 2> /dev/null')).not.toContain('no such job')
  })

  it.skipIf(skipped)(
    "[JB72] what it cannot or need not give away stays: odd lines, the shell's own words, continued lines, aliases, functions",
    async () => {
      serve()
      const shell = await hooked(name, command)
      for (const line of ['(heavy)', 'heavy | cat', 'heavy $HOME', 'eval heavy']) {
        expect(await shell.run(line)).toContain(`${folder}/heavy here`)
      }
      for (const line of ['for i in 1 2; do', 'heavy loop', 'done']) shell.enter(line)
      await shell.prompts()
      expect(shell.text.match(/heavy here/g)).toHaveLength(6)
      for (const line of ['heavy \\', 'heavy']) shell.enter(line)
      await shell.prompts()
      expect(shell.text.match(/heavy here/g)).toHaveLength(7)
      shell.paste('heavy one\nheavy two')
      await shell.shows('heavy two')
      shell.press('Enter')
      await vi.waitFor(() => expect(shell.text.match(/heavy here/g)).toHaveLength(9), WAIT)
      await shell.prompts()
      expect(shell.text).not.toContain('ran <')
      shell.write('heavy half')
      shell.press('C-c')
      await shell.prompts()
      shell.press('Enter')
      await shell.prompts()
      expect(await shell.run(name === 'bash' ? 'light !heavy' : 'echo "light !heavy"')).not.toContain('ran <')
      await shell.run("alias heavy='light #'")
      expect(await shell.run('heavy')).toBe(`${folder}/light here`)
      await shell.run('unalias heavy')
      await shell.run('heavy() { echo mine; }')
      expect(await shell.run('heavy')).toBe('mine')
      await shell.run('unset -f heavy')
      expect(await shell.run(`echo ${'x'.repeat(800)} > /dev/null; heavy`)).toContain(`${folder}/heavy here`)
      expect(asked().join('\n')).not.toMatch(/xxxx|half|loop|two/)
      await shell.run('set -o vi')
      expect(await shell.run('heavy vi')).toBe('ran <heavy vi>')
      shell.write('heavy vj')
      shell.press('Escape')
      shell.press('h', 'Enter')
      await shell.shows('ran <heavy vj>')
      await shell.prompts()
      await shell.run('elsewhere off')
      expect(await shell.run('heavy')).toBe(`${folder}/heavy here`)
    },
  )

  it.skipIf(skipped)(
    '[JB73] no device, a dead one, and one that comes back while the shell stays: the line runs here until there is an answer',
    async () => {
      const shell = await hooked(name, command)
      expect(await shell.run('heavy 1')).toBe(`${folder}/heavy here`)
      serve()
      await vi.waitFor(async () => {
        await shell.run('light')
        expect(readdirSync(shells).some((one) => one.startsWith(`${shell.pid}.`))).toBe(true)
      }, WAIT)
      expect(await shell.run('heavy 2')).toBe('ran <heavy 2>')
      door?.dispose()
      expect(await shell.run('heavy 3')).toBe(`${folder}/heavy here`)
      expect(readdirSync(shells)).toEqual([])
      serve()
      await vi.waitFor(async () => expect(await shell.run('heavy 4')).toBe('ran <heavy 4>'), WAIT)
    },
  )

  it.skipIf(skipped)('[JB73] a FIFO whose reader died costs one wait, not one for each line', async () => {
    serve()
    const shell = await hooked(name, command, 1)
    const [own] = readdirSync(shells).filter((one) => one.startsWith(`${shell.pid}.`))
    // As a killed device leaves it: the files are there, and nobody holds them open.
    door?.dispose()
    mkdirSync(path.join(shells, own as string), { mode: 0o700 })
    for (const fifo of ['ask', 'answer']) execFileSync('mkfifo', ['-m', '600', path.join(shells, own as string, fifo)])
    const startMs = performance.now()
    expect(await shell.run('heavy 1')).toBe(`${folder}/heavy here`)
    for (let n = 0; n < 5; n++) expect(await shell.run('heavy 2')).toBe(`${folder}/heavy here`)
    expect(await shell.run(`echo "$__elsewhere_missed $__elsewhere_count"`)).toBe('1 1')
    expect(performance.now() - startMs).toBeGreaterThan(1_000)
    rmSync(path.join(shells, own as string), { recursive: true })
    serve()
    await vi.waitFor(async () => expect(await shell.run('heavy 3')).toBe('ran <heavy 3>'), WAIT)
  })

  it.skipIf(skipped)('[JB74] Enter forks nothing, and two shells are two', async () => {
    serve()
    const [first, second] = [await hooked(name, command), await hooked(name, command)]
    await first.run(':')
    const before = first.childFaults
    for (let n = 0; n < 5; n++) await first.run(`: ${n}`)
    expect(first.childFaults).toBe(before)
    expect(asked().filter((line) => /^: \d/.test(line))).toHaveLength(5)
    await second.run('cd /')
    expect(await second.run('heavy a')).toBe('ran <heavy a>')
    expect(await first.run('heavy b')).toBe('ran <heavy b>')
    expect(heard.filter(({ kind, line }) => kind === 'ask' && line.startsWith('heavy')).map((one) => [one.line, one.folder])).toEqual([
      ['heavy a', '/'],
      ['heavy b', path.join(folder, 'home0')],
    ])
    await first.run('sleep 3')
    await vi.waitFor(
      () => expect(heard).toContainEqual({ kind: 'ran', ms: expect.any(Number), folder: path.join(folder, 'home0'), line: 'sleep 3' }),
      WAIT,
    )
  })

  it.skipIf(skipped)('[JB72] bytes that are no text stay here', async () => {
    serve()
    const shell = await hooked(name, command)
    execFileSync('tmux', [
      '-S',
      path.join(folder, 'home0', 'tmux.sock'),
      'send-keys',
      '-H',
      ...[...'heavy '].map((one) => one.charCodeAt(0).toString(16)),
      'ff',
      'fe',
    ])
    shell.press('Enter')
    await shell.prompts()
    expect(shell.text).not.toContain('ran <')
    expect(await shell.run('heavy 1')).toBe('ran <heavy 1>')
  })
})

it.skipIf(process.platform === 'win32')(
  '[JB75] a flood of bytes in its pipes does not hold the device, nor does a shell that never reads',
  async () => {
    serve()
    expect(statSync(shells).mode & 0o777).toBe(0o700)
    const push = (at: string, bytes: Uint8Array) => {
      const fd = openSync(at, constants.O_RDWR | constants.O_NONBLOCK)
      try {
        for (let from = 0; from < bytes.length; ) {
          try {
            from += writeSync(fd, bytes, from, Math.min(65_536, bytes.length - from))
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
            return from
          }
        }
        return bytes.length
      } finally {
        closeSync(fd)
      }
    }
    const all = async (at: string, bytes: Uint8Array) => {
      for (let from = 0; from < bytes.length; ) {
        from += push(at, bytes.subarray(from))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const knock = path.join(shells, 'knock')
    await all(knock, Buffer.from('x'.repeat(10_000_000)))
    await all(knock, Buffer.from(`\nknock ${process.pid} ../../x\nknock 999999999 1\nknock ${process.pid} 77\n`))
    const own = path.join(shells, `${process.pid}.77`)
    await vi.waitFor(() => expect(existsSync(path.join(own, 'ask'))).toBe(true), WAIT)
    expect(readdirSync(shells).toSorted()).toEqual([`${process.pid}.77`, 'knock'])
    for (const file of [knock, path.join(own, 'ask'), path.join(own, 'answer')]) expect(statSync(file).mode & 0o777).toBe(0o600)
    const ask = path.join(own, 'ask')
    await all(ask, Buffer.alloc(10_000_000, 'heavy'))
    for (let n = 0; n < 3_000; n++) await all(ask, Buffer.from(`\nask\u001f${n}\u001f/x\u001fheavy ${'y'.repeat(40)}\n`))
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ kind: 'ask', id: '2999' }), WAIT)
  },
)

it.skipIf(process.platform === 'win32')(
  '[JB73] an answer that fails does not end the device: the line stays, and the next is answered',
  async () => {
    const said: unknown[] = []
    const log: Logger = { ...silentLogger, error: (message, more) => void said.push([message, more]) }
    door = new FifoShellDoor({ folder: shells, clock: systemClock, log }).open((message) => {
      if (message.line === 'first') throw new Error('the store is full')
      heard.push(message)
      return undefined
    })
    writeFileSync(path.join(shells, 'knock'), `knock ${process.pid} 5\n`)
    const ask = path.join(shells, `${process.pid}.5`, 'ask')
    await vi.waitFor(() => expect(existsSync(ask)).toBe(true), WAIT)
    writeFileSync(ask, 'ask\u001f1\u001f/x\u001ffirst\n')
    await vi.waitFor(() => expect(said).toMatchObject([[expect.anything(), { error: 'the store is full' }]]), WAIT)
    writeFileSync(ask, 'ask\u001f2\u001f/x\u001fsecond\n')
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ id: '2', line: 'second' }), WAIT)
  },
)

it.skipIf(process.platform === 'win32')('[JB75] the pipes of a shell that ended are taken away', async () => {
  const { ManualClock } = await import('../../testkit/manual-clock.ts')
  const clock = new ManualClock()
  door = new FifoShellDoor({ folder: shells, clock, log: silentLogger }).open(() => undefined)
  const child = execFileSync('sh', ['-c', 'echo $$; sleep 1000 > /dev/null 2>&1 & echo $!'], { encoding: 'utf8' })
  const [, running] = child.trim().split('\n').map(Number)
  try {
    writeFileSync(path.join(shells, 'knock'), `knock ${running} 1\nknock ${process.pid} 2\n`)
    await vi.waitFor(() => expect(readdirSync(shells)).toHaveLength(3), WAIT)
    clock.advance(60_000)
    expect(readdirSync(shells)).toHaveLength(3)
  } finally {
    process.kill(running as number, 'SIGKILL')
  }
  await vi.waitFor(
    () => expect(existsSync(`/proc/${running}`) && !/ Z /.test(readFileSync(`/proc/${running}/stat`, 'utf8'))).toBe(false),
    WAIT,
  )
  await vi.waitFor(() => {
    clock.advance(60_000)
    expect(readdirSync(shells).toSorted()).toEqual([`${process.pid}.2`, 'knock'])
  }, WAIT)
})
