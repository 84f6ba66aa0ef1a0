import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import WebSocket, { WebSocketServer } from 'ws'
import { SeededRandom } from '../../src/testkit/seeded-random.ts'

/*
 * Somebody on the network who means ill, as a process of its own, to be started on a machine of a lab:
 *   rendezvous-attacker.ts attack HOST PORT SEED   everything a rendezvous must bear, then `done`
 *   rendezvous-attacker.ts serve PORT SEED         a rendezvous that answers with rubbish; prints `listening`, then what it did
 */
const [, , mode, ...args] = process.argv

/** Texts that are no message, or one that breaks a rule. */
function badText(random: SeededRandom): string {
  const topic = 'A'.repeat(43)
  return random.pick([
    () => '',
    () => '{',
    () => 'null',
    () => '[]',
    () => '{"t":"what"}',
    () => JSON.stringify({ t: 'join', topic: 'short' }),
    () => JSON.stringify({ t: 'send', topic, data: 'x' }),
    () => JSON.stringify({ t: 'join', topic, __proto__: { x: 1 }, more: true }),
    () => JSON.stringify({ t: 'data', topic, from: 'x', data: 'y' }),
    () => JSON.stringify({ t: 'joined', topic, members: Array(1_000).fill('A'.repeat(22)) }),
    () => JSON.stringify({ t: 'error', code: 'x'.repeat(5_000) }),
    () => '['.repeat(20_000),
    () => 'x'.repeat(47 * 1024),
    () => 'x'.repeat(200 * 1024),
    () => Buffer.from(random.bytes(random.below(2_000))).toString('latin1'),
  ])()
}

/** Opens, works, and is gone: whatever the other side makes of it. */
async function withSocket(url: string, work: (socket: WebSocket) => Promise<void>): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  socket.on('error', () => {}) // being thrown out is what is expected
  await new Promise<void>((resolve) => {
    socket.once('open', () => resolve())
    socket.once('close', () => resolve())
  })
  if (socket.readyState === WebSocket.OPEN) await work(socket)
  socket.terminate()
}

async function rawBytes(host: string, port: number, bytes: Uint8Array): Promise<void> {
  const socket = net.connect(port, host)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  socket.write(bytes)
  await delay(20)
  socket.destroy()
}

async function attack(host: string, port: number, random: SeededRandom): Promise<void> {
  const url = `ws://${host}:${port}/`
  const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
  for (let n = 0; n < 40; n++) await rawBytes(host, port, random.bytes(1 + random.below(4_000)))
  await rawBytes(host, port, Buffer.from(`${upgrade}Sec-WebSocket-Key: short\r\n\r\n`))
  await rawBytes(host, port, Buffer.from(`GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(10_000)}\r\n`))
  for (let n = 0; n < 60; n++)
    await withSocket(url, async (socket) => {
      socket.send(random.chance(0.2) ? random.bytes(random.below(5_000)) : badText(random))
      await delay(5)
    })
  // Floods of what is allowed: topics, messages to oneself, pings.
  await withSocket(url, async (socket) => {
    for (let n = 0; n < 5_000 && socket.readyState === WebSocket.OPEN; n++) {
      const topic = Buffer.from(random.bytes(32)).toString('base64url')
      socket.send(JSON.stringify(random.pick([{ t: 'join', topic }, { t: 'ping' }, { t: 'send', topic, data: 'x'.repeat(40_000) }])))
      if (n % 100 === 0) await delay(1)
    }
  })
  // Connections that say nothing, and some that read nothing.
  const idle = Array.from({ length: 2_000 }, () => net.connect(port, host).on('error', () => {}))
  await delay(3_000)
  console.log(`open ${idle.filter((socket) => socket.readyState === 'open').length}`)
  for (const socket of idle) socket.destroy()
  console.log('done')
  process.exit(0)
}

function serve(port: number, random: SeededRandom): void {
  const server = new WebSocketServer({ port, perMessageDeflate: false })
  let connections = 0
  server.on('listening', () => console.log('listening'))
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    console.log(`connection ${++connections}`)
    const joined: string[] = []
    socket.on('message', (message) => {
      const { t, topic } = JSON.parse(String(message))
      if (t !== 'join') return
      joined.push(topic)
      // Believable first, so that what follows is not simply the end of the connection.
      const members = Array.from({ length: 60 }, () => Buffer.from(random.bytes(16)).toString('base64url'))
      socket.send(JSON.stringify({ t: 'joined', topic, members }))
      if (joined.length < 3) return
      for (let n = 0; n < 3_000; n++) {
        const from = random.pick(members)
        const data = Buffer.from(random.bytes(1 + random.below(3_000))).toString('base64')
        socket.send(JSON.stringify({ t: 'data', topic: random.pick(joined), from, data }))
      }
      setTimeout(() => (random.chance(0.2) ? socket.send(random.bytes(1_000)) : socket.send(badText(random))), 200)
    })
  })
}

if (mode === 'attack') await attack(args[0] as string, Number(args[1]), new SeededRandom(Number(args[2])))
else serve(Number(args[0]), new SeededRandom(Number(args[1])))
