import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Disposable } from '../base/disposable.ts'
import { DelayLine, type PathConditions } from './delay-line.ts'

/** The same bad network for a TCP service: delay and cut (a cut stalls it, as a pulled cable does). Loss is TCP's own affair. */
export class TcpProxy implements Disposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #lines: DelayLine[] = []
  readonly port: number

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** Listens on a free port of `host` and passes on to `target`. */
  static async start(
    target: { readonly host: string; readonly port: number },
    conditions: PathConditions,
    host = '127.0.0.1',
  ): Promise<TcpProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    const proxy = new TcpProxy(server, (server.address() as AddressInfo).port)
    server.on('connection', (near) => proxy.#join(near, connect(target), conditions))
    return proxy
  }

  #join(near: Socket, far: Socket, conditions: PathConditions): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true)
      this.#sockets.add(from)
      const line = new DelayLine(conditions)
      this.#lines.push(line)
      from.on('data', (bytes) => line.carry(bytes.length, () => this.#pass(to, bytes, conditions), false))
      from.on('close', () => line.carry(0, () => to.destroy(), false))
      from.on('error', () => from.destroy())
    }
  }

  #pass(to: Socket, bytes: Buffer, conditions: PathConditions): void {
    if (conditions.isCut) setTimeout(() => this.#pass(to, bytes, conditions), 50).unref()
    else if (!to.destroyed) to.write(bytes)
  }

  dispose(): void {
    for (const line of this.#lines) line.dispose()
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
