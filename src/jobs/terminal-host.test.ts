import { afterEach, expect, it, vi } from 'vitest'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from '../rpc/channel.ts'
import { createClient } from '../rpc/client.ts'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { FakePtySpawner } from '../testkit/fake-pty.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import { hostContract } from './host-contract.ts'
import { serveHost } from './serve-host.ts'
import { HOLD_BUDGET_MS, HOLD_MS, QUIET_MS } from './terminal-attachment.ts'
import { decodeDownFrame, type DownFrame, encodeUpFrame } from './terminal-frames-contract.ts'
import { fixedCondition } from '../testkit/fixed-condition.ts'
import { AttemptHost } from './attempt-host.ts'
import { MachineFacts } from './machine-facts.ts'
import { TaskTable } from './task-table.ts'
import { MAX_TERMINALS, TerminalHost } from './terminal-host.ts'
import { XtermScreen } from './xterm-screen.ts'

const hosts: TerminalHost[] = []
afterEach(() => {
  for (const host of hosts.splice(0)) host.dispose()
})

/** Counts what is written and not yet drawn: drawing takes the time of the machine, not of the test's clock. */
class WatchedScreen extends XtermScreen {
  writes = 0

  override write(bytes: Uint8Array, parsed: () => void): void {
    this.writes++
    super.write(bytes, () => {
      this.writes--
      parsed()
    })
  }
}

/** A moment for messages under way, then until all that was printed is on the screen. From there on only viewers hold a program. */
async function drawn(screens: readonly WatchedScreen[]): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 1))
  while (screens.some(({ writes }) => writes > 0))
}

function setUp() {
  const clock = new ManualClock()
  const spawner = new FakePtySpawner()
  const screens: WatchedScreen[] = []
  const host = new TerminalHost({
    spawner,
    newScreen: ({ columns, rows }) => {
      const screen = new WatchedScreen(columns, rows)
      screens.push(screen)
      return screen
    },
    clock,
    random: systemRandom,
    logger: silentLogger,
    environment: { HOME: '/home/ada', PATH: '/usr/bin' },
    home: '/home/ada',
    shell: () => ({ file: '/bin/bash', args: ['-i'], env: { HISTFILE: 'x' } }),
    isFolder: (path) => path === '/srv',
  })
  hosts.push(host)
  const noProcesses = { atMs: 0, cores: 1, busyMs: 0, totalMs: 0, memoryBytes: 0, memoryTotalBytes: 0, lastMinute: 0, processes: [] }
  const tasks = new TaskTable({
    reader: { sample: () => noProcesses },
    signal: () => false,
    clock,
    supervisorPid: undefined,
    terminals: () => [],
  })
  const stop = vi.fn(async () => {})
  const connect = () => {
    const [near, far] = memoryTransportPair()
    serveHost(
      {
        host,
        tasks,
        facts: new MachineFacts({ reader: { load: () => noProcesses }, condition: fixedCondition(), clock }),
        attempts: new AttemptHost(attemptHostParts(clock)),
        readProject: async () => ({}),
        identifyProgram: async () => '',
        commandLine: undefined,
        stop,
        logger: silentLogger,
      },
      far,
    )
    return createClient(hostContract, near)
  }
  return { clock, spawner, screens, host, stop, connect }
}

/** A display: keeps every frame, and draws them like one. */
class Viewer {
  readonly frames: DownFrame[] = []
  readonly channel: ByteChannel
  closed: string | undefined

  constructor(channel: ByteChannel) {
    this.channel = channel
    channel.onDidReceive((message) => this.frames.push(decodeDownFrame(message) as DownFrame))
    channel.onDidClose(({ reason }) => (this.closed = reason))
  }

  /** What has come since the last screen, that screen included. */
  get text(): string {
    const last = this.frames.findLastIndex(({ kind }) => kind === 'screen')
    const parts = this.frames.slice(last).flatMap((frame) => (frame.kind === 'screen' || frame.kind === 'output' ? [frame.bytes] : []))
    return fromUtf8(concatBytes(...parts))
  }

  /** `text` with the cursor moves at the end of a screen written as the line ends they stand for. */
  get lines(): string {
    return this.text.replaceAll(/\p{Cc}\[1B\p{Cc}\[\d+D/gu, '\r\n')
  }

  type(text: string): void {
    this.channel.send(encodeUpFrame({ kind: 'keys', bytes: utf8(text) }))
  }
}

async function open(at: ReturnType<typeof setUp>) {
  const client = at.connect()
  const { terminalId } = await client.spawn({ columns: 80, rows: 24 })
  const pty = at.spawner.ptys.at(-1)
  if (!pty) throw new Error('nothing was spawned')
  const attach = async (columns = 80, rows = 24) => {
    const { channel } = await client.attach({ terminalId, columns, rows })
    const viewer = new Viewer(client.channel(channel))
    await vi.waitFor(() => expect(viewer.frames.length).toBeGreaterThanOrEqual(2))
    return viewer
  }
  return { client, terminalId, pty, attach }
}

it('[JB15] every display of a desk asks for a new tab: the tab gets one terminal, and a new one after it has ended', () => {
  const { host, spawner } = setUp()
  const first = host.spawn({ tab: 't1', columns: 80, rows: 24 })
  expect(host.spawn({ tab: 't1', columns: 100, rows: 30 })).toEqual(first)
  expect(host.spawn({ tab: 't2', columns: 80, rows: 24 }).terminalId).not.toBe(first.terminalId)
  expect(host.spawn({ columns: 80, rows: 24 }).terminalId).not.toBe(first.terminalId)
  spawner.ptys[0]?.exit.fire({ code: 0 })
  expect(host.spawn({ tab: 't1', columns: 80, rows: 24 }).terminalId).not.toBe(first.terminalId)
})

it('[JB1] a terminal starts the shell in the home folder, or where it is asked to if that is there', async () => {
  const at = setUp()
  const client = at.connect()
  await client.spawn({ columns: 80, rows: 24 })
  await client.spawn({ columns: 80, rows: 24, cwd: '/srv' })
  await client.spawn({ columns: 80, rows: 24, cwd: '/gone', command: ['top', '-d', '1'] })
  expect(at.spawner.requests.map(({ file, args, cwd }) => [file, args, cwd])).toEqual([
    ['/bin/bash', ['-i'], '/home/ada'],
    ['/bin/bash', ['-i'], '/srv'],
    ['top', ['-d', '1'], '/home/ada'],
  ])
  const listed = await client.list({})
  expect(listed.map(({ cwd, columns, rows, pid }) => ({ cwd, columns, rows, pid }))).toContainEqual({
    cwd: '/srv',
    columns: 80,
    rows: 24,
    pid: 4242,
  })
  expect(at.spawner.requests[0]?.env).toMatchObject({ HISTFILE: 'x', ELSEWHERE_TERMINAL: listed[0]?.terminalId })
})

it('[JB1] there is an end to how many terminals one device runs', async () => {
  const at = setUp()
  for (let i = 0; i < MAX_TERMINALS; i++) at.host.spawn({ columns: 2, rows: 1 })
  await expect(at.connect().spawn({ columns: 2, rows: 1 })).rejects.toMatchObject({ code: 'terminal/too-many' })
})

it('[JB2] a terminal goes on when its display and the device process go away', async () => {
  const at = setUp()
  const first = await open(at)
  const viewer = await first.attach()
  first.pty.print('counter 41\r\n')
  await vi.waitFor(() => expect(viewer.text).toContain('counter 41'))
  first.client.dispose()
  await vi.waitFor(() => expect(viewer.closed).toBeDefined())
  first.pty.print('counter 42\r\n')
  expect(first.pty.disposed).toBe(false)

  const client = at.connect()
  const { channel, terminal } = await client.attach({ terminalId: first.terminalId, columns: 80, rows: 24 })
  const again = new Viewer(client.channel(channel))
  await vi.waitFor(() => expect(again.text).toContain('counter 42'))
  expect(again.text).toContain('counter 41')
  expect(terminal.pid).toBe(first.pty.pid)
})

it('[JB3] a viewer gets size, screen, and then what changes, nothing twice', async () => {
  const { pty, attach } = await open(setUp())
  pty.print('before\r\n')
  const viewer = await attach()
  pty.print('after\r\n')
  await vi.waitFor(() => expect(viewer.text).toContain('after'))
  expect(viewer.frames.map(({ kind }) => kind)).toEqual(['size', 'screen', 'output'])
  expect(viewer.lines).toBe('before\r\nafter\r\n')
})

it('[JB3] output that comes while the screen is drawn up follows it', async () => {
  const { client, terminalId, pty } = await open(setUp())
  pty.print('one\r\n')
  const answer = client.attach({ terminalId, columns: 80, rows: 24 })
  pty.print('two\r\n')
  const viewer = new Viewer(client.channel((await answer).channel))
  pty.print('three\r\n')
  await vi.waitFor(() => expect(viewer.text).toContain('three'))
  expect(viewer.lines).toBe('one\r\ntwo\r\nthree\r\n')
})

it('[JB4] a viewer that pauses for a moment holds the program back and misses nothing', async () => {
  const { pty, attach } = await open(setUp())
  const viewer = await attach()
  viewer.channel.setPaused(true)
  const chunk = 'x'.repeat(1022) + '\r\n'
  let printed = 0
  while (printed < 10_000 && pty.print(chunk)) printed++
  expect(printed * 1024).toBeLessThan(CHANNEL_HIGH_BYTES + 8 * 1024)
  expect(pty.paused).toBe(true)
  viewer.channel.setPaused(false)
  await vi.waitFor(() => expect(pty.paused).toBe(false))
  await vi.waitFor(() => expect(viewer.text.length).toBe(printed * 1024))
  expect(viewer.frames.filter(({ kind }) => kind === 'screen')).toHaveLength(1)
})

it('[JB5] a viewer that stays behind gets a fresh screen, and all lines once it is quiet; memory stays bounded', async () => {
  const at = setUp()
  const { pty, attach } = await open(at)
  const fast = await attach()
  const slow = await attach()
  slow.channel.setPaused(true)
  let line = 0
  const print = async (lines: number) => {
    for (const end = line + lines; line < end; ) {
      if (pty.print(`line ${line} ${'x'.repeat(60)}\r\n`)) line++
      else {
        await new Promise((resolve) => setTimeout(resolve, 1))
        at.clock.advance(5)
      }
    }
  }
  await print(20_000)
  at.clock.advance(HOLD_MS)
  await print(20_000)
  await vi.waitFor(() => expect(fast.text).toContain(`line ${line - 1} `))
  expect(slow.channel.unackedBytes).toBe(0)
  expect(slow.frames.map(({ kind }) => kind)).toEqual(['size', 'screen'])

  slow.channel.setPaused(false)
  await vi.waitFor(() => expect(slow.text).toContain(`line ${line - 1} `))
  const received = slow.frames.reduce((sum, frame) => sum + ('bytes' in frame ? frame.bytes.length : 0), 0)
  expect(received).toBeLessThan(2 * CHANNEL_HIGH_BYTES)
  expect(slow.text.match(/line /g)?.length).toBeLessThan(300)

  at.clock.advance(2 * QUIET_MS)
  await vi.waitFor(() => expect(slow.text.match(/line /g)?.length).toBe(10_023))
  expect(pty.paused).toBe(false)
})

it('[JB5] a viewer that always catches up just in time does not slow the program to its own pace', async () => {
  const at = setUp()
  const { pty, attach } = await open(at)
  const slow = await attach()
  let heldMs = 0
  for (let round = 0; round < 20; round++) {
    slow.channel.setPaused(true)
    for (let printed = 0; printed < 1000 && pty.print('y'.repeat(1024)); printed++) at.clock.advance(1)
    for (await drawn(at.screens); pty.paused && heldMs < 5_000; await drawn(at.screens)) {
      at.clock.advance(10)
      heldMs += 10
      if (heldMs % 100 === 0) slow.channel.setPaused(false)
    }
    slow.channel.setPaused(false)
    await vi.waitFor(() => expect(pty.paused).toBe(false))
  }
  expect(heldMs).toBeGreaterThan(100)
  expect(heldMs).toBeLessThanOrEqual(HOLD_BUDGET_MS)
})

it('[JB5] the pty is not read faster than the screen is drawn', async () => {
  const { pty } = await open(setUp())
  let printed = 0
  while (printed < 100 && pty.print(new Uint8Array(256 * 1024).fill(0x78))) printed++
  expect(printed).toBeLessThanOrEqual(5)
  await vi.waitFor(() => expect(pty.paused).toBe(false), { timeout: 30_000 })
})

it('[JB6] the size follows the viewer typed in last, and all are told', async () => {
  const { pty, attach } = await open(setUp())
  const small = await attach(60, 20)
  const large = await attach(200, 50)
  expect(pty.sizes).toEqual(['60x20'])
  large.type('a')
  await vi.waitFor(() => expect(pty.sizes).toEqual(['60x20', '200x50']))
  await vi.waitFor(() => expect(small.frames.at(-1)).toEqual({ kind: 'size', columns: 200, rows: 50 }))
  small.type('b')
  await vi.waitFor(() => expect(pty.sizes.at(-1)).toBe('60x20'))
  small.channel.send(encodeUpFrame({ kind: 'size', columns: 61, rows: 21 }))
  await vi.waitFor(() => expect(pty.sizes.at(-1)).toBe('61x21'))
  expect(pty.written).toEqual(['a', 'b'])
})

it('[JB6] a viewer whose wish does not count is told the size that does', async () => {
  const { pty, attach } = await open(setUp())
  const first = await attach()
  const second = await attach()
  first.type('a')
  await vi.waitFor(() => expect(pty.written).toEqual(['a']))
  second.channel.send(encodeUpFrame({ kind: 'size', columns: 120, rows: 40 }))
  await vi.waitFor(() => expect(second.frames.at(-1)).toEqual({ kind: 'size', columns: 80, rows: 24 }))
  expect(first.frames.filter(({ kind }) => kind === 'size')).toHaveLength(1)
})

it('[JB7] a question is answered once, by the host', async () => {
  const { pty, attach } = await open(setUp())
  const viewer = await attach()
  pty.print('\x1b[c')
  await vi.waitFor(() => expect(pty.written).toEqual(['\x1b[?1;2c']))
  viewer.type('\x1b[?1;2c')
  viewer.type('y')
  await vi.waitFor(() => expect(pty.written).toEqual(['\x1b[?1;2c', 'y']))
})

it('[JB8] frames that are not of this protocol cost the viewer its channel and nobody else anything', async () => {
  const { pty, attach } = await open(setUp())
  const bad = await attach()
  const good = await attach()
  bad.channel.send(Uint8Array.of(7, 7))
  await vi.waitFor(() => expect(bad.closed).toBe('terminal/malformed-frame'))
  good.type('x')
  await vi.waitFor(() => expect(pty.written).toEqual(['x']))
})

it('[JB8] keys wait in the channel while the program does not take them', async () => {
  const at = setUp()
  const { pty, attach } = await open(at)
  const viewer = await attach()
  pty.unwrittenBytes = 2 * 1024 * 1024
  viewer.type('first')
  viewer.type('second')
  await vi.waitFor(() => expect(pty.written).toEqual(['first']))
  pty.unwrittenBytes = 0
  at.clock.advance(100)
  await vi.waitFor(() => expect(pty.written).toEqual(['first', 'second']))
})

it('[JB9] title, folder and foreground are told when output settles, and nothing ticks afterwards', async () => {
  const at = setUp()
  const { client, pty } = await open(at)
  const told: string[] = []
  client.onDidChangeTerminal(({ title, cwd, foreground }) => told.push(`${title}|${cwd}|${foreground}`))
  pty.program = 'make'
  pty.folder = '/home/ada/src'
  pty.print('\x1b]2;building\x07')
  await vi.waitFor(() => expect(told).toEqual(['building|/home/ada|sh']))
  at.clock.advance(250)
  await vi.waitFor(() => expect(told.at(-1)).toBe('building|/home/ada/src|make'))
  pty.print('\x1b]7;file://kitchen/home/ada/told\x07')
  await vi.waitFor(() => expect(told.at(-1)).toBe('building|/home/ada/told|make'))
  pty.folder = '/elsewhere'
  at.clock.advance(10_000)
  expect(told.at(-1)).toBe('building|/home/ada/told|make')
  expect(at.clock.pendingTimers).toBe(0)
})

it('[JB11] an exit is told last and kept until a display has closed it', async () => {
  const { client, terminalId, pty, attach } = await open(setUp())
  const viewer = await attach()
  pty.print('bye\r\n')
  pty.exit.fire({ code: 3 })
  await vi.waitFor(() => expect(viewer.frames.at(-1)).toEqual({ kind: 'exit', code: 3 }))
  expect((await client.list({}))[0]?.exit).toEqual({ code: 3 })
  viewer.channel.send(encodeUpFrame({ kind: 'size', columns: 99, rows: 9 }))
  const later = await attach()
  await vi.waitFor(() => expect(later.frames.at(-1)).toEqual({ kind: 'exit', code: 3 }))
  expect(viewer.frames.at(-1)).toEqual({ kind: 'exit', code: 3 })
  expect(later.lines).toBe('bye\r\n')
  await client.end({ terminalId })
  expect(await client.list({})).toEqual([])
  await vi.waitFor(() => expect(viewer.closed).toBeDefined())
  expect(pty.disposed).toBe(true)
})

it.each([
  ['that they look at no more', false],
  ["that they still look at, so that the device's places run out", true],
])("[JB11] a guest who opens and ends shells %s takes none of the owner's ended ones", async (_, isKept) => {
  const { host, spawner } = setUp()
  const size = { columns: 80, rows: 24 }
  const endLast = () => spawner.ptys.at(-1)?.exit.fire({ code: 0 })
  const own = Array.from({ length: 32 }, () => {
    const { terminalId } = host.spawn(size)
    endLast()
    return terminalId
  })
  const guest = { person: 'b'.repeat(40), device: 'c'.repeat(40) }
  for (let count = 0; count < MAX_TERMINALS; count++) {
    const { terminalId } = host.spawn({ ...size, guest })
    if (isKept) host.attach(terminalId, memoryChannelPair()[0], size)
    endLast()
  }
  host.spawn(size)
  const there = host.list()
  expect(there.filter(({ guest }) => !guest).map(({ terminalId }) => terminalId)).toEqual(expect.arrayContaining(own))
  expect(there.length).toBeLessThanOrEqual(own.length + 2)
})

it('[JB11] what nobody knows has a name', async () => {
  const client = setUp().connect()
  const terminalId = 'gone'
  for (const call of [client.end({ terminalId }), client.screen({ terminalId }), client.attach({ terminalId, columns: 80, rows: 24 })]) {
    await expect(call).rejects.toMatchObject({ code: 'terminal/unknown' })
  }
})

it('[JB12] a terminal that ends while its screen is asked for says so', async () => {
  const { client, terminalId, pty } = await open(setUp())
  pty.print('x'.repeat(100_000))
  const screen = client.screen({ terminalId })
  const end = client.end({ terminalId })
  await expect(screen).rejects.toMatchObject({ code: 'terminal/unknown' })
  await end
})

it('[JB12] a changed screen is told every 3 s at most, and can be read to be kept elsewhere', async () => {
  const at = setUp()
  const { client, terminalId, pty } = await open(at)
  let told = 0
  client.onDidChangeScreen(() => told++)
  for (let i = 0; i < 100; i++) {
    pty.print(`${'z'.repeat(70)} ${i}\r\n`)
    at.clock.advance(90)
  }
  at.clock.advance(5_000)
  await vi.waitFor(() => expect(told).toBe(3))
  const { screen } = await client.screen({ terminalId })
  expect(screen).toContain(' 99')
  expect(at.clock.pendingTimers).toBe(0)
})

it('[JB12] a screen that is too rich is kept with fewer lines', async () => {
  const { client, terminalId, pty } = await open(setUp())
  for (let i = 0; i < 300; i++) pty.print(`${Array.from({ length: 78 }, (_, at) => `\x1b[38;2;${at};${i % 256};7mx`).join('')}\r\n`)
  const { screen } = await client.screen({ terminalId })
  expect(screen.length).toBeGreaterThan(10_000)
  expect(screen.length).toBeLessThanOrEqual(64 * 1024)
})
