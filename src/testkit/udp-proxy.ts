import { createSocket, type Socket } from 'node:dgram'
import type { Disposable } from '../base/disposable.ts'
import type { SignalNote } from '../sync/signal-note.ts'
import { DelayLine, type PathConditions } from './delay-line.ts'

/** The proxy itself must not be where packets are lost: at the usual 208 KiB a burst of SCTP overflows it. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** A UDP address of this machine, `host:port`. */
type Address = string

/** The stand-in of one real socket: whoever sends to it reaches that socket, and sees its answers come from here. */
interface StandIn {
  readonly socket: Socket
  readonly real: Address
  readonly address: Address
}

/**
 * A bad network for UDP, in user space: delay, jitter, loss, cut. Every real socket gets a stand-in; a packet from real A to
 * the stand-in of B leaves through the stand-in of A towards real B, so both ends only ever see stand-ins. WebRTC is driven
 * through it by exchanging candidates on their way through signaling (`exchangeCandidates`).
 */
export class UdpProxy implements Disposable {
  readonly conditions: PathConditions
  readonly #line: DelayLine
  readonly #standIns = new Map<Address, Promise<StandIn>>()
  readonly #sockets: Socket[] = []
  readonly #host: string
  carried = 0

  /** @param host  address of this machine on which stand-ins listen */
  constructor(conditions: PathConditions, host = '127.0.0.1') {
    this.conditions = conditions
    this.#host = host
    this.#line = new DelayLine(conditions)
  }

  /** The address to give out instead of `real`. */
  async standInFor(real: Address): Promise<Address> {
    return (await this.#standIn(real)).address
  }

  /** For the signaling hook: candidates of host addresses are replaced by their stand-ins. */
  async exchangeCandidates(note: SignalNote): Promise<SignalNote> {
    if (note.kind !== 'candidates') return note
    const list = await Promise.all(
      note.list.filter(isIpv4).map(async (listed) => {
        const parts = listed.candidate.split(' ')
        const [host, port] = (await this.standInFor(`${parts[4]}:${parts[5]}`)).split(':')
        parts[4] = host ?? ''
        parts[5] = port ?? ''
        return { ...listed, candidate: parts.join(' ') }
      }),
    )
    return { ...note, list }
  }

  #standIn(real: Address): Promise<StandIn> {
    let standIn = this.#standIns.get(real)
    if (standIn === undefined) {
      standIn = this.#create(real)
      this.#standIns.set(real, standIn)
    }
    return standIn
  }

  async #create(real: Address): Promise<StandIn> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: SOCKET_BUFFER_BYTES, sendBufferSize: SOCKET_BUFFER_BYTES })
    this.#sockets.push(socket)
    socket.on('error', () => {}) // an ICMP answer for a peer that died: the packet is lost, as on a real path
    await new Promise<void>((resolve) => socket.bind(0, this.#host, resolve))
    const standIn = { socket, real, address: `${this.#host}:${socket.address().port}` }
    socket.on('message', (packet, { address, port }) => void this.#carry(standIn, packet, `${address}:${port}`))
    return standIn
  }

  async #carry(to: StandIn, packet: Buffer, from: Address): Promise<void> {
    const sender = await this.#standIn(from)
    const [host, port] = to.real.split(':')
    this.#line.carry(packet.length, () => {
      this.carried++
      sender.socket.send(packet, Number(port), host)
    })
  }

  dispose(): void {
    this.#line.dispose()
    for (const socket of this.#sockets.splice(0)) socket.close()
  }
}

/** Stand-ins are IPv4; other ways round the proxy are not offered. */
const isIpv4 = ({ candidate }: { candidate: string }): boolean => /^\d+(\.\d+){3}$/.test(candidate.split(' ')[4] ?? '')
