import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { openSync, rmSync, writeSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { TlsDirectSockets } from '../../src/platform/node/tls-direct-sockets.ts'

/*
 * What bytes between two machines cost without us: `stream-process.ts send|take tcp|tls HOST PORT MEGABYTES [FILE]`. `tcp`: four
 * raw connections. `tls`: the floor of a cold read: four TLS connections, each chunk opened with AES-256-GCM and appended to FILE.
 * `send` listens, prints its port, and sends on each connection what it takes a share of; `take` prints MB/s.
 */
const [, , what, how, host = '', port = '0', megabytes = '64', file] = process.argv
const CONNECTIONS = 4
const CHUNK_BYTES = 76 * 1024
const KEY = new Uint8Array(32).fill(7)
const NONCE = new Uint8Array(12)
const share = Math.ceil((Number(megabytes) * 1e6) / CONNECTIONS / CHUNK_BYTES)
const keys = Array.from({ length: CONNECTIONS }, (_, n) => ({ identity: `bench ${n}`, key: KEY }))

function sealed(): Buffer {
  const cipher = createCipheriv('aes-256-gcm', KEY, NONCE)
  return Buffer.concat([cipher.update(randomBytes(CHUNK_BYTES - 16)), cipher.final(), cipher.getAuthTag()])
}

/** Something that takes bytes and says when it has room again. */
async function sendAll(write: (bytes: Buffer) => boolean, room: (go: () => void) => void): Promise<void> {
  const chunk = sealed()
  for (let n = 0; n < share; n++) if (!write(chunk)) await new Promise<void>((resolve) => room(resolve))
}

async function send(): Promise<void> {
  if (how === 'tcp') {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => {})
      void sendAll(
        (bytes) => socket.write(bytes),
        (go) => socket.once('drain', go),
      )
    })
    server.listen(0, host, () => console.log((server.address() as AddressInfo).port))
    return
  }
  const listening = await new TlsDirectSockets().listen(host, keys)
  listening.onDidConnect((connection) => {
    let go: (() => void) | undefined
    connection.onDidDrain(() => go?.())
    void sendAll(
      (bytes) => (connection.send(bytes), connection.bufferedBytes < 128 * 1024),
      (then) => {
        go = then
      },
    )
  })
  console.log(listening.port)
}

async function take(): Promise<void> {
  const out = file === undefined ? undefined : openSync(file, 'w')
  let rest = CONNECTIONS * share * CHUNK_BYTES
  let startMs = 0
  const taken = (bytes: number) => {
    if (startMs === 0) startMs = performance.now()
    rest -= bytes
    if (rest > 0) return
    console.log(String((CONNECTIONS * share * CHUNK_BYTES) / 1e3 / (performance.now() - startMs)))
    if (file !== undefined) rmSync(file)
    process.exit(0)
  }
  const open = (chunk: Buffer) => {
    const decipher = createDecipheriv('aes-256-gcm', KEY, NONCE)
    decipher.setAuthTag(chunk.subarray(-16))
    const plain = Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()])
    if (out !== undefined && plain.length > 0) writeSync(out, chunk)
  }
  for (const key of keys) {
    if (how === 'tcp') {
      connect({ host, port: Number(port) }).on('data', (bytes) => taken(bytes.length))
      continue
    }
    const connection = await new TlsDirectSockets().connect({ address: host, port: Number(port) }, key, new AbortController().signal)
    let parts: Buffer[] = []
    let held = 0
    connection.onDidReceive((bytes) => {
      parts.push(Buffer.from(bytes))
      held += bytes.length
      if (held < CHUNK_BYTES) return
      const all = Buffer.concat(parts)
      let at = 0
      for (; at + CHUNK_BYTES <= all.length; at += CHUNK_BYTES) {
        open(all.subarray(at, at + CHUNK_BYTES))
        taken(CHUNK_BYTES)
      }
      parts = [all.subarray(at)]
      held = all.length - at
    })
  }
}

await (what === 'send' ? send() : take())
