import { connect, createServer, type Server, type Socket } from 'node:net'
import { Emitter } from '../../base/emitter.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { PortSocket, PortSockets } from '../../jobs/port-socket.ts'

/** Connections through node:net; loopback only. */
export class NodePortSockets implements PortSockets {
  async connect(port: number): Promise<PortSocket> {
    // A service that listens on "localhost" may be on the newer loopback only.
    const socket = await connectTo(port, '127.0.0.1').catch(() => connectTo(port, '::1'))
    return new NodePortSocket(socket)
  }

  async listen(wanted: number, take: (socket: PortSocket) => void): Promise<{ readonly port: number; dispose(): void }> {
    const open = new Set<Socket>()
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      take(new NodePortSocket(socket))
    })
    await listenAt(server, wanted).catch(() => listenAt(server, 0)) // taken, or not ours to use
    const address = server.address()
    return {
      port: typeof address === 'object' && address ? address.port : 0,
      dispose: () => {
        server.close()
        for (const socket of open) socket.destroy()
      },
    }
  }
}

async function connectTo(port: number, host: string): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', (cause) =>
      reject(new JobError('job/no-port', `nothing answers on port ${port} of that device (${cause.message})`, { cause })),
    )
  })
  return socket
}

function listenAt(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

export class NodePortSocket implements PortSocket {
  readonly #socket: Socket
  readonly #received = new Emitter<Uint8Array>()
  readonly #drained = new Emitter<void>()
  readonly #ended = new Emitter<void>()
  readonly #closed = new Emitter<void>()
  readonly onDidReceive = this.#received.event
  readonly onDidDrain = this.#drained.event
  readonly onDidEnd = this.#ended.event
  readonly onDidClose = this.#closed.event

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#received.fire(bytes as Buffer))
    socket.on('drain', () => this.#drained.fire())
    socket.on('end', () => this.#ended.fire())
    socket.on('error', () => undefined) // the close says so
    socket.on('close', () => this.#closed.fire())
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes)
  }

  end(): void {
    this.#socket.end()
  }

  setPaused(paused: boolean): void {
    if (paused) this.#socket.pause()
    else this.#socket.resume()
  }

  dispose(): void {
    this.#socket.destroy()
  }
}
