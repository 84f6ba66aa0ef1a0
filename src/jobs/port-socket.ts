import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from '../rpc/channel.ts'
import { MAX_PIECE_BYTES } from './job-frames-contract.ts'

/** One TCP connection of this machine. */
export interface PortSocket extends Disposable {
  /** False: what was written waits; `onDidDrain` says when it is taken. */
  write(bytes: Uint8Array): boolean
  /** Nothing more is written; what comes is still read. */
  end(): void
  setPaused(paused: boolean): void
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidDrain: Event<void>
  /** The other end writes nothing more. */
  readonly onDidEnd: Event<void>
  readonly onDidClose: Event<void>
}

export interface PortSockets {
  /** A service on this machine's loopback. @throws JobError `job/no-port`  nothing listens there */
  connect(port: number): Promise<PortSocket>
  /** Listens on 127.0.0.1: on `wanted` if it is free, else on any. `take` is given each connection. */
  listen(wanted: number, take: (socket: PortSocket) => void): Promise<{ readonly port: number } & Disposable>
}

/** Joins a connection with a channel until either ends; a slow end slows the other down. An empty message is the end of what is written. Owns both. */
export function joinSocket(socket: PortSocket, channel: ByteChannel): void {
  socket.onDidReceive((bytes) => {
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) channel.send(bytes.subarray(at, at + MAX_PIECE_BYTES))
    if (channel.unackedBytes >= CHANNEL_HIGH_BYTES) socket.setPaused(true)
  })
  channel.onDidDrain(() => socket.setPaused(false))
  socket.onDidEnd(() => channel.send(new Uint8Array()))
  socket.onDidClose(() => channel.dispose())
  socket.onDidDrain(() => channel.setPaused(false))
  channel.onDidReceive((bytes) => {
    if (bytes.length === 0) socket.end()
    else if (!socket.write(bytes)) channel.setPaused(true)
  })
  channel.onDidClose(() => socket.dispose())
}
