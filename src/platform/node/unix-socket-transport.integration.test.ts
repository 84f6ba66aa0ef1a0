import { mkdtempSync, rmSync, statSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { DisposableStore } from '../../base/disposable.ts'
import type { Transport } from '../../rpc/channel.ts'
import { listenUnixSocket } from './listen-unix-socket.ts'
import { connectUnixSocket } from './unix-socket-transport.ts'

const owned = new DisposableStore()
const folder = mkdtempSync(path.join(os.tmpdir(), 'unix-socket-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('[DV6] carries whole messages of any size both ways, is 0600, and closes a frame that is too long', async () => {
  const socketPath = path.join(folder, 'x.sock')
  const accepted: Transport[] = []
  owned.add(await listenUnixSocket(socketPath, (transport) => accepted.push(transport)))
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)

  const near = await connectUnixSocket(socketPath)
  const got: (string | Uint8Array)[] = []
  near.onDidReceive((message) => got.push(message))
  while (accepted.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const far = accepted[0] as Transport
  far.onDidReceive((message) => far.send(message))
  const large = new Uint8Array(3_000_000).map((_, i) => i % 251)
  for (const message of ['', 'grüße', new Uint8Array(0), large, 'x'.repeat(1_000_000)]) near.send(message)
  while (got.length < 5) await new Promise((resolve) => setImmediate(resolve))
  expect(got.map((m) => (typeof m === 'string' ? m.length : `bytes ${m.length}`))).toEqual([0, 5, 'bytes 0', 'bytes 3000000', 1_000_000])
  expect(Buffer.compare(Buffer.from(got[3] as Uint8Array), Buffer.from(large))).toBe(0)

  // In two parts, among others: one message each, in order.
  const before = got.length
  const head = Uint8Array.of(7, 8)
  near.send('before')
  for (const length of [0, 10, 32 * 1024, 100_000]) near.sendParts?.(head, large.subarray(0, length))
  near.send('after')
  while (got.length < before + 6) await new Promise((resolve) => setImmediate(resolve))
  const parts = got.slice(before)
  expect(parts.map((m) => (typeof m === 'string' ? m : m.length))).toEqual(['before', 2, 12, 32 * 1024 + 2, 100_002, 'after'])
  expect(Buffer.compare(parts[4] as Uint8Array, Buffer.concat([head, large.subarray(0, 100_000)]))).toBe(0)

  // However the system cuts it: in single bytes, in the middle of a header, several in one.
  const slow = net.connect(socketPath)
  while (accepted.length < 2) await new Promise((resolve) => setImmediate(resolve))
  const heard: string[] = []
  accepted[1]?.onDidReceive((message) => heard.push(typeof message === 'string' ? message : `bytes ${message.length} ${message.at(-1)}`))
  const frame = (kind: number, bytes: Uint8Array) => {
    const head = Buffer.alloc(5)
    head.writeUInt32BE(bytes.length + 1)
    head[4] = kind
    return Buffer.concat([head, bytes])
  }
  const sent = Buffer.concat([
    frame(0, Buffer.from('one')),
    frame(1, new Uint8Array(40_000).fill(7)),
    frame(1, new Uint8Array(0)),
    frame(0, Buffer.from('two')),
  ])
  for (const [from, to] of [
    [0, 1],
    [1, 4],
    [4, 9],
    [9, 12],
    [12, 30_000],
    [30_000, sent.length - 1],
    [sent.length - 1, sent.length],
  ] as const) {
    await new Promise((resolve) => slow.write(sent.subarray(from, to), resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  while (heard.length < 4) await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['one', 'bytes 40000 7', 'bytes 0 undefined', 'two'])
  slow.destroy()

  const closed = new Promise<{ reason: string }>((resolve) => far.onDidClose(resolve))
  near.dispose()
  expect((await closed).reason).toBe('rpc/closed')

  const raw = net.connect(socketPath)
  raw.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0))
  await new Promise((resolve) => raw.once('close', resolve))
  owned.dispose()
  await expect(connectUnixSocket(socketPath)).rejects.toMatchObject({ code: 'ENOENT' })
})
