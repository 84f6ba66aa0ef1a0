import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { DisposableStore } from '../../base/disposable.ts'
import type { DirectConnection, DirectKey } from '../../files/direct-sockets.ts'
import { TlsDirectSockets } from './tls-direct-sockets.ts'

const HERE = '127.0.0.1'
const never = new AbortController().signal
let owned = new DisposableStore()
afterEach(() => {
  owned.dispose()
  owned = new DisposableStore()
})

const newKey = (): DirectKey => ({ identity: randomBytes(16).toString('base64url'), key: new Uint8Array(randomBytes(32)) })

async function listening(keys: readonly DirectKey[], handshakeMs?: number) {
  const sockets = new TlsDirectSockets(handshakeMs)
  const listener = owned.add(await sockets.listen(HERE, keys))
  const accepted: DirectConnection[] = []
  listener.onDidConnect((connection) => accepted.push(owned.add(connection)))
  const connect = async (key: DirectKey) => owned.add(await sockets.connect({ address: HERE, port: listener.port }, key, never))
  return { listener, accepted, connect }
}

/** Whatever a stranger's socket gets, until the listener ends it. */
function heard(socket: Socket | TLSSocket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', () => undefined)
  owned.defer(() => socket.destroy())
  return new Promise((resolve) => socket.on('close', () => resolve(Buffer.concat(parts))))
}

const received = (connection: DirectConnection, length: number): Promise<Uint8Array> =>
  new Promise((resolve) => {
    let all = Buffer.alloc(0)
    connection.onDidReceive((bytes) => {
      all = Buffer.concat([all, bytes])
      if (all.length >= length) resolve(new Uint8Array(all))
    })
  })

it('[TR7] who holds the keys is let in, once for each, and bytes go both ways', async () => {
  const keys = [newKey(), newKey()]
  const { accepted, connect } = await listening(keys)
  const ends = await Promise.all(keys.map(connect))
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBe(2)
  const bytes = new Uint8Array(randomBytes(300_000))
  for (const end of ends) end.send(bytes)
  for (const end of accepted) expect(Buffer.compare(await received(end, bytes.length), bytes)).toBe(0)
  for (const end of accepted) end.send(bytes)
  await new Promise((resolve) => setTimeout(resolve, 50)) // it comes before anybody listens
  for (const end of ends) expect(Buffer.compare(await received(end, bytes.length), bytes)).toBe(0)
  const gone = new Promise<void>((resolve) => ends[0]?.onDidClose(resolve))
  accepted[0]?.dispose()
  await gone
  accepted[1]?.dispose()
})

it('[TR8] a key lets in once; another key, another identity, or none lets in nobody', async () => {
  const [key, unused] = [newKey(), newKey()]
  const { accepted, connect, listener } = await listening([key, unused])
  await connect(key)
  await expect(connect(key)).rejects.toThrow()
  await expect(connect({ ...unused, key: newKey().key })).rejects.toThrow()
  await expect(connect({ ...newKey(), key: key.key })).rejects.toThrow()
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const keyless = connectTls({ host: HERE, port: listener.port, rejectUnauthorized: false, maxVersion })
    expect(await heard(keyless)).toHaveLength(0)
  }
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBe(1)
})

it('[TR8] no ticket takes a connection up again', async () => {
  const key = newKey()
  const { listener, accepted } = await listening([key])
  const tls = { host: HERE, port: listener.port, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const
  const socket = connectTls({ ...tls, pskCallback: () => ({ identity: key.identity, psk: key.key }), checkServerIdentity: () => undefined })
  owned.defer(() => socket.destroy())
  const tickets: Buffer[] = []
  socket.on('session', (ticket) => tickets.push(ticket))
  await once(socket, 'secureConnect')
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBe(1)
  const here = received(accepted[0] as DirectConnection, 1)
  socket.write('x') // a ticket comes with the first bytes
  await here
  let taken = 0
  for (const session of [...tickets, socket.getSession()]) {
    if (!session) continue
    const again = connectTls({ ...tls, session, rejectUnauthorized: false })
    again.on('secureConnect', () => taken++)
    expect(await heard(again)).toHaveLength(0)
  }
  expect([taken, accepted.length]).toEqual([0, 1])
})

it('[TR8] a stranger that sends anything hears an alert at most; so many at a time are let near, and none when the listener is gone', async () => {
  const { listener, accepted, connect } = await listening([newKey()], 120_000)
  const tcp = () => connectTcp({ host: HERE, port: listener.port })
  const noise = tcp()
  noise.write(randomBytes(200_000))
  expect((await heard(noise)).length).toBeLessThan(16)
  const silent = Array.from({ length: 40 }, tcp)
  const ends = silent.map(heard)
  await expect.poll(() => silent.filter(({ closed }) => closed).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(40 - 16)
  listener.dispose()
  expect(Buffer.concat(await Promise.all(ends))).toHaveLength(0)
  await expect(connect(newKey())).rejects.toThrow()
  expect(accepted).toHaveLength(0)
})

it('[TR8] a slow stranger is cut off before it has said what it wants', async () => {
  const { listener } = await listening([newKey()], 500)
  const slow = connectTcp({ host: HERE, port: listener.port })
  const end = heard(slow)
  const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
  let sent = 0
  const timer = setInterval(() => sent < hello.length && slow.write(hello.subarray(sent, ++sent)), 100)
  owned.defer(() => clearInterval(timer))
  expect((await end).length).toBeLessThan(16)
})

/** A certificate of nobody, for this test alone. */
const NOBODY = {
  key: `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIGF/H4+SB5Iq2gjiCfze/c6fB3o5uPr4fmDCve0CiTVL
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBQjCB9aADAgECAhR5Ya+pGg72CKOV5LvBlpr0sg3XcjAFBgMrZXAwFjEUMBIG
A1UEAwwLbm9ib2R5LnRlc3QwIBcNMjYxMTMwMDEyNDMyWhgPMjEyNjExMDYwMTI0
MzJaMBYxFDASBgNVBAMMC25vYm9keS50ZXN0MCowBQYDK2VwAyEA52rD+/zujzpa
xnolNO4WpqK0c7kWjxjaMrdQPAjJZ+GjUzBRMB0GA1UdDgQWBBTDLCTc/FQKufsH
2Q8ql+0WF+MswDAfBgNVHSMEGDAWgBTDLCTc/FQKufsH2Q8ql+0WF+MswDAPBgNV
HRMBAf8EBTADAQH/MAUGAytlcANBAGYMjQQFvR82kAfFGuLNoMmYWjfmI/mNXwxr
DPQagAeuDvID2B/oJlUTpnbnD6IVlax7LsDegxQ5rYqBeYDN7AQ=
-----END CERTIFICATE-----`,
}

it('[TR8] whoever shows a certificate in place of the key is nobody, even one that this machine trusts', async () => {
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, NOBODY.cert])
  owned.defer(() => setDefaultCACertificates(trusted))
  const server = createServer({ ...NOBODY, minVersion: 'TLSv1.3' })
  owned.defer(() => server.close())
  server.listen(0, HERE)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const plain = connectTls({ host: HERE, port, servername: 'nobody.test' }) // where nothing stops it, it is let in
  owned.defer(() => plain.destroy())
  await once(plain, 'secureConnect')
  await expect(new TlsDirectSockets().connect({ address: HERE, port }, newKey(), never)).rejects.toThrow()
})
