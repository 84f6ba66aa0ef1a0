import { networkInterfaces } from 'node:os'
import makeMdns, { type MulticastDNS, type QueryPacket, type ResponsePacket } from 'multicast-dns'
import { toHex } from '../../base/bytes.ts'
import { Emitter } from '../../base/emitter.ts'
import type { Logger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import type { LanDiscovery, LanFinding } from '../../sync/lan-discovery.ts'
import { AnswerPace } from './answer-pace.ts'

/*
 * Service instances are `<tag>-<4 random hex>._elsewhere._tcp.local`. The tag is an HMAC that changes every hour; the rest
 * tells apart the devices of one person and is new at every start. No host name is ever sent.
 */
const SERVICE = '_elsewhere._tcp.local'
const INSTANCE = /^([0-9a-f]{16})-[0-9a-f]{8}\._elsewhere\._tcp\.local$/
/** Gone from caches two minutes after we are. */
const TTL_S = 120
/** Records looked at in one packet; a service answers with three or four. */
const MAX_RECORDS = 64

/** One network interface: a socket of its own, so that every network is asked and told, not only the default one. */
interface Ear {
  readonly address: string
  readonly mdns: MulticastDNS
  readonly pace: AnswerPace
}

/** LAN discovery over mDNS (RFC 6762) on every IPv4 interface. What it hears is data to compare, nothing else. */
export class MdnsLanDiscovery implements LanDiscovery {
  readonly #logger: Logger
  readonly #found = new Emitter<LanFinding>()
  readonly onDidFind = this.#found.event
  readonly #suffix = toHex(systemRandom.bytes(4))
  #ears: Ear[] = []
  #tags: readonly string[] = []
  #port: number | undefined
  #isOver = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  announce(tags: readonly string[], port: number | undefined): void {
    this.#tags = port === undefined ? [] : tags
    this.#port = port
    this.#listenEverywhere()
    if (this.#tags.length > 0) for (const ear of this.#ears) this.#answer(ear)
  }

  query(): void {
    this.#listenEverywhere()
    for (const { mdns } of this.#ears) mdns.query({ questions: [{ name: SERVICE, type: 'PTR' }] })
  }

  /** One ear for each IPv4 address there is now. */
  #listenEverywhere(): void {
    if (this.#isOver) return
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
    for (const ear of this.#ears.filter(({ address }) => !addresses.includes(address))) this.#deafen(ear)
    for (const address of addresses) if (!this.#ears.some((ear) => ear.address === address)) this.#listen(address)
  }

  #listen(address: string): void {
    const mdns = makeMdns({ interface: address, bind: '0.0.0.0', reuseAddr: true } as Parameters<typeof makeMdns>[0])
    const ear = { address, mdns, pace: new AnswerPace() }
    this.#ears.push(ear)
    mdns.on('error', (error) => {
      this.#logger.warn('the LAN cannot be searched on one interface; other ways of meeting are used', { address, message: error.message })
      this.#deafen(ear)
    })
    mdns.on('warning', (error) => this.#logger.debug('a packet on the LAN could not be read', { message: error.message }))
    mdns.on('query', (packet: QueryPacket) => {
      if (this.#tags.length === 0 || !packet.questions.slice(0, MAX_RECORDS).some(({ name }) => name === SERVICE)) return
      if (ear.pace.take(performance.now())) this.#answer(ear)
    })
    mdns.on('response', (packet: ResponsePacket) => this.#read(packet))
  }

  #deafen(ear: Ear): void {
    this.#ears = this.#ears.filter((other) => other !== ear)
    ear.mdns.destroy()
  }

  #answer({ address, mdns }: Ear): void {
    const port = this.#port
    if (port === undefined) return
    const answers = this.#tags.map((tag) => ({ name: SERVICE, type: 'PTR' as const, ttl: TTL_S, data: this.#instance(tag) }))
    const additionals = this.#tags.flatMap((tag) => {
      const target = `${this.#suffix}.local`
      return [
        { name: this.#instance(tag), type: 'SRV' as const, ttl: TTL_S, data: { port, target, priority: 0, weight: 0 } },
        { name: target, type: 'A' as const, ttl: TTL_S, data: address },
      ]
    })
    mdns.respond({ answers, additionals })
  }

  #instance(tag: string): string {
    return `${tag}-${this.#suffix}.${SERVICE}`
  }

  #read(packet: ResponsePacket): void {
    const records = [...packet.answers, ...packet.additionals].slice(0, MAX_RECORDS)
    const addresses = new Map(records.flatMap((record) => (record.type === 'A' ? [[record.name, record.data] as const] : [])))
    for (const record of records) {
      if (record.type !== 'SRV') continue
      const tag = INSTANCE.exec(record.name)?.[1]
      const address = addresses.get(record.data.target)
      if (tag === undefined || address === undefined || record.name.includes(this.#suffix)) continue
      this.#found.fire({ tag, url: `ws://${address}:${record.data.port}/` })
    }
  }

  dispose(): void {
    this.#isOver = true
    for (const ear of this.#ears) this.#deafen(ear)
  }
}
