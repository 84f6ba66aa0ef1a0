import { expect, it } from 'vitest'
import { concatBytes, fromUtf8, utf8 } from '../base/bytes.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from '../rpc/channel.ts'
import { Wire } from '../rpc/wire.ts'
import { FakePty } from '../testkit/fake-pty.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import type { TerminalId } from '../base/ids.ts'
import { Terminal } from './terminal.ts'
import { QUIET_MS, TerminalAttachment } from './terminal-attachment.ts'
import { decodeDownFrame, type DownFrame, encodeUpFrame } from './terminal-frames-contract.ts'
import { XtermScreen } from './xterm-screen.ts'

const SIZE = { columns: 80, rows: 24 }
/** Fewer than in life, so that a run is mostly about what displays do; more than a light screen has. */
const KEPT_LINES = 1_000
const turn = () => new Promise((resolve) => setTimeout(resolve, 1))
const parsed = (screen: XtermScreen) => new Promise<void>((resolve) => screen.snapshot(0, () => resolve()))

/** A display with an emulator of its own, fed by frames only. `damage` is where a bug is planted. */
class Display {
  readonly screen = new XtermScreen(SIZE.columns, SIZE.rows, KEPT_LINES)
  readonly channel: ByteChannel
  readonly attachment: TerminalAttachment
  readonly typed: string[] = []
  paused = false
  size = ''
  closed: string | undefined

  constructor(terminal: Terminal, clock: ManualClock, size: typeof SIZE, damage: (frame: DownFrame) => DownFrame | undefined) {
    const [near, far] = memoryTransportPair()
    const host = new Wire(far).openChannel()
    host.release()
    const wire = new Wire(near)
    wire.bindCaller(() => {})
    this.channel = wire.channel(host.id)
    this.attachment = new TerminalAttachment(terminal, host, clock, size)
    this.channel.onDidClose(({ reason }) => (this.closed = reason))
    this.channel.onDidReceive((message) => {
      const frame = decodeDownFrame(message)
      if (!frame) throw new Error('the host sent what is not a frame')
      const shown = damage(frame)
      if (shown) this.#draw(shown)
    })
  }

  #draw(frame: DownFrame): void {
    if (frame.kind === 'size') {
      this.size = `${frame.columns}x${frame.rows}`
      this.screen.resize(frame.columns, frame.rows)
    } else if (frame.kind === 'screen') this.screen.write(concatBytes(utf8('\x1bc'), frame.bytes), () => {})
    else if (frame.kind === 'output') this.screen.write(frame.bytes, () => {})
  }

  /** Lines as a person sees them. */
  async lines(): Promise<string[]> {
    const text = await new Promise<string>((resolve) => this.screen.snapshot(10_000, ({ bytes }) => resolve(fromUtf8(bytes))))
    const plain = text.replaceAll(/\p{Cc}\[[\d;]*[mK]/gu, '').replaceAll(/\p{Cc}\[1B\p{Cc}\[\d+D/gu, '\n')
    return plain.split(/\r?\n/).map((line) => line.trimEnd())
  }
}

interface Outcome {
  readonly problems: string[]
  readonly steps: string[]
  /** What the run has been through, so that a fuzz that never gets anywhere shows. */
  readonly held: number
  readonly fresh: number
  readonly cut: number
}

/** One run: random prints, pauses, keys, sizes, comings and goings; then all is quiet and everybody must see the same. */
async function run(
  seed: number,
  steps: number,
  damage: (frame: DownFrame, random: SeededRandom) => DownFrame | undefined,
): Promise<Outcome> {
  const random = new SeededRandom(seed)
  const clock = new ManualClock()
  const pty = new FakePty()
  const terminal = new Terminal({
    id: 'fuzz' as TerminalId,
    pty,
    screen: new XtermScreen(SIZE.columns, SIZE.rows, KEPT_LINES),
    clock,
    size: SIZE,
    cwd: '/',
  })
  const displays: Display[] = []
  const log: string[] = []
  const problems: string[] = []
  const typed: string[] = []
  let line = 0
  let held = 0
  let fresh = 0
  let cut = 0
  const add = () => {
    let screens = 0
    const watch = (frame: DownFrame) => {
      if (frame.kind === 'screen' && ++screens > 1) fresh++
      return damage(frame, random)
    }
    displays.push(new Display(terminal, clock, SIZE, watch))
  }
  const remove = (display: Display) => displays.splice(displays.indexOf(display), 1)
  add()
  for (let i = 0; i < steps; i++) {
    const display = random.pick(displays)
    const what = random.pick([
      'print',
      'print',
      'flood',
      'pause',
      'resume',
      'type',
      'resize',
      'attach',
      'detach',
      'garbage',
      'time',
      'turn',
    ] as const)
    log.push(what)
    if (what === 'print') {
      const text = `line ${line++} ${random.chance(0.3) ? '\x1b[32mgreen\x1b[0m' : 'ü漢'}\r\n`
      while (!pty.print(text)) {
        // held: a program that writes waits, it does not go on without having written
        held++
        await turn()
        clock.advance(20)
      }
    } else if (what === 'flood') {
      const rows = Array.from({ length: 40 + random.below(400) }, () => `line ${line++} ${'x'.repeat(random.below(1800))}\r\n`)
      const bytes = utf8(rows.join(''))
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + random.below(65_536)
        if (pty.print(bytes.subarray(at, end))) at = end
        else {
          held++
          await turn()
          clock.advance(20)
        }
      }
    } else if (what === 'pause' || what === 'resume') {
      display.paused = what === 'pause'
      display.channel.setPaused(display.paused)
    } else if (what === 'type') {
      const key = `k${i};`
      typed.push(key)
      display.channel.send(encodeUpFrame({ kind: 'keys', bytes: utf8(key) }))
      await turn()
    } else if (what === 'resize') {
      display.channel.send(encodeUpFrame({ kind: 'size', columns: SIZE.columns, rows: 10 + random.below(30) }))
    } else if (what === 'attach' && displays.length < 4) add()
    else if (what === 'detach' && displays.length > 1) remove(display).forEach(({ channel }) => channel.dispose())
    else if (what === 'garbage' && displays.length > 1) {
      cut++
      display.channel.setPaused(false) // a closing is told after what came before it
      display.channel.send(concatBytes(Uint8Array.of(random.pick([0, 3, 4, 200])), random.bytes(random.below(40))))
      remove(display)
      await turn()
      await turn()
      if (display.closed !== 'terminal/malformed-frame') problems.push(`garbage closed a channel with ${display.closed}`)
    } else if (what === 'time') clock.advance(random.below(400))
    else await turn()
  }
  for (const { channel } of displays) channel.setPaused(false)
  for (let i = 0; i < 40; i++) {
    await turn()
    clock.advance(QUIET_MS / 2)
    await Promise.all(displays.map(({ screen }) => parsed(screen)))
  }
  add()
  for (let i = 0; i < 5; i++) await turn()
  const reference = displays.at(-1) as Display
  const expected = await reference.lines()
  if (line > 0 && !expected.some((text) => text.startsWith(`line ${line - 1}`))) problems.push('the last line is missing everywhere')
  for (const [index, display] of displays.entries()) {
    const lines = await display.lines()
    const at = lines.findIndex((text, row) => text !== expected[row])
    if (lines.length !== expected.length || at >= 0) problems.push(`display ${index} differs at ${at}: ${lines[at]} / ${expected[at]}`)
    if (display.size !== reference.size) problems.push(`display ${index} is ${display.size}, the terminal ${reference.size}`)
    if (display.attachment && display.channel.unackedBytes > CHANNEL_HIGH_BYTES) problems.push('keys wait for ever')
  }
  if (pty.paused) problems.push('the program is held for ever')
  if (clock.pendingTimers > 0) problems.push(`${clock.pendingTimers} timers go on`)
  if (pty.written.join('') !== typed.join('')) problems.push('keys were lost, doubled or out of order')
  for (const { channel, screen } of displays) {
    channel.dispose()
    screen.dispose()
  }
  terminal.dispose()
  return { problems, steps: log, held, fresh, cut }
}

it('[JB5] whatever displays do, in the end all see the same, keys arrive once and in order, and nothing goes on', async () => {
  const seed = seedOfRun()
  const seen = { held: 0, fresh: 0, cut: 0 }
  for (let round = 0; round < roundsOfRun(3, 300); round++) {
    const { problems, steps, ...did } = await run(seed + round, 100, (frame) => frame)
    expect({ seed: seed + round, problems, steps: problems.length > 0 ? steps : [] }).toEqual({
      seed: seed + round,
      problems: [],
      steps: [],
    })
    for (const key of ['held', 'fresh', 'cut'] as const) seen[key] += did[key]
  }
  console.log(`terminal fuzz, seed ${seed}: held ${seen.held} times, ${seen.fresh} fresh screens, ${seen.cut} displays cut for garbage`)
  expect(Math.min(seen.held, seen.fresh, seen.cut)).toBeGreaterThan(0)
}, 900_000)

it.each<[string, (frame: DownFrame, random: SeededRandom) => DownFrame | undefined]>([
  [
    'a display that misses an output frame now and then',
    (frame, random) => (frame.kind === 'output' && random.chance(0.15) ? undefined : frame),
  ],
  ['a size that is not told', (frame) => (frame.kind === 'size' && frame.rows !== SIZE.rows ? undefined : frame)],
])(
  '[JB5] the fuzz finds a planted bug: %s',
  async (_, damage) => {
    const found: string[] = []
    for (let round = 0; round < 10 && found.length === 0; round++) found.push(...(await run(seedOfRun() + round, 60, damage)).problems)
    expect(found.length).toBeGreaterThan(0)
  },
  120_000,
)
