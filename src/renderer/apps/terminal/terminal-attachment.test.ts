import { expect, it } from 'vitest'
import { concatBytes, fromUtf8, utf8 } from '../../../base/bytes.ts'
import { Emitter } from '../../../base/emitter.ts'
import type { TerminalInfo } from '../../../jobs/terminal-contract.ts'
import type { ByteChannel } from '../../../rpc/channel.ts'
import { TerminalAttachment } from './terminal-attachment.ts'

/** The device's end of a terminal channel. */
class FakeChannel implements ByteChannel {
  highBytes = 0
  readonly id = 7
  readonly unackedBytes = 0
  readonly sent: string[] = []
  readonly received = new Emitter<Uint8Array>()
  readonly closed = new Emitter<{ reason: string }>()
  readonly onDidDrain = new Emitter<void>().event
  readonly onDidReceive = this.received.event
  readonly onDidClose = this.closed.event
  paused = false
  ended = false
  sendParts(): never {
    throw new Error('a terminal sends whole messages')
  }
  send(bytes: Uint8Array): void {
    this.sent.push(`${bytes[0]}:${fromUtf8(bytes.subarray(1))}`)
  }
  setPaused(paused: boolean): void {
    this.paused = paused
  }
  close(): void {
    this.ended = true
  }
  dispose(): void {
    this.ended = true
  }
  say(kind: number, text: string): void {
    this.received.fire(concatBytes(new Uint8Array([kind]), utf8(text)))
  }
}

const info: TerminalInfo = {
  device: 'd',
  terminalId: 't',
  title: '',
  cwd: '/',
  pid: 1,
  foreground: '',
  columns: 80,
  rows: 24,
  startedAtMs: 0,
}

async function attached(own = { columns: 80, rows: 24 }) {
  const channel = new FakeChannel()
  const screen = { text: '', pending: [] as (() => void)[] }
  const sink = {
    write(data: string | Uint8Array, done: () => void) {
      screen.text += typeof data === 'string' ? data : fromUtf8(data)
      screen.pending.push(done)
    },
    clear() {
      screen.text = ''
    },
  }
  const calls = { attachTerminal: async () => ({ channel: 7, info }), channel: () => channel }
  const attachment = await TerminalAttachment.attach(calls, info, own, sink)
  attachment.start()
  return { attachment, channel, screen }
}

it('[AP10] the first screen replaces what was drawn, output is added', async () => {
  const { channel, screen } = await attached()
  channel.say(1, 'old')
  channel.say(0, 'whole screen')
  channel.say(1, ' more')
  expect(screen.text).toBe('whole screen more')
})

it('[AP14] another display rules until the device says otherwise', async () => {
  const { attachment, channel } = await attached({ columns: 120, rows: 40 })
  expect(attachment.rules).toBe(false)
  attachment.type(utf8('a'))
  expect(channel.sent).toEqual(['1:a'])
  channel.say(2, '{"columns":120,"rows":40}')
  expect(attachment.rules).toBe(true)
})

it('[AP14] a resized window tells its wish; while it rules it is shown at once', async () => {
  const { attachment, channel } = await attached()
  attachment.fit({ columns: 90, rows: 24 })
  expect(attachment.size).toEqual({ columns: 90, rows: 24 })
  channel.say(2, '{"columns":40,"rows":10}') // typed in elsewhere
  attachment.fit({ columns: 100, rows: 30 })
  attachment.fit({ columns: 100, rows: 30 })
  expect(channel.sent).toEqual(['2:{"columns":90,"rows":24}', '2:{"columns":100,"rows":30}'])
  expect([attachment.size, attachment.rules]).toEqual([{ columns: 40, rows: 10 }, false])
})

it('[AP14] a paste larger than a frame is sent in frames, whole', async () => {
  const { attachment, channel } = await attached()
  attachment.type(new Uint8Array(2.5 * 1024 * 1024).fill(0x61))
  expect(channel.sent.map((frame) => frame.length - 2)).toEqual([1048576, 1048576, 524288])
})

it('[AP15] a flood of output pauses the channel until it is drawn', async () => {
  const { channel, screen } = await attached()
  for (let i = 0; i < 20; i++) channel.say(1, 'x'.repeat(64 * 1024))
  expect(channel.paused).toBe(true)
  for (const done of screen.pending.splice(0)) done()
  expect(channel.paused).toBe(false)
})

it('[AP11] losing the channel is told; leaving it oneself is not a loss', async () => {
  const lost = await attached()
  const reasons: string[] = []
  lost.attachment.onDidClose(({ reason }) => reasons.push(reason))
  lost.channel.closed.fire({ reason: 'link/lost' })
  expect(reasons).toEqual(['link/lost'])
  const left = await attached()
  left.attachment.onDidClose(({ reason }) => reasons.push(reason))
  left.attachment.dispose()
  left.channel.closed.fire({ reason: 'rpc/closed' })
  expect([reasons, left.channel.ended]).toEqual([['link/lost'], true])
})
