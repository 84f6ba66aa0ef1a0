import { chmodSync, rmSync } from 'node:fs'
import net from 'node:net'
import type { Disposable } from '../../base/disposable.ts'
import type { Transport } from '../../rpc/channel.ts'
import { UnixSocketTransport } from './unix-socket-transport.ts'

/** Longest path the kernel takes for a Unix socket, its end byte included: 108 on Linux, 104 on macOS. */
const MAX_SOCKET_PATH_BYTES = 103

/**
 * Listens at `path`, readable and writable by this account only (0600; the folder is 0700 as well). A socket file that a
 * crash left behind is replaced; the caller has made sure that nobody answers there.
 *
 * @throws Error with code ENAMETOOLONG  the data folder's path is too long for a socket
 */
export function listenUnixSocket(path: string, onConnect: (transport: Transport) => void): Promise<Disposable> {
  if (process.platform !== 'win32') {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
      const message = `${path} is too long for a socket (${MAX_SOCKET_PATH_BYTES} bytes); choose a data folder with a shorter path`
      return Promise.reject(Object.assign(new Error(message), { code: 'ENAMETOOLONG' }))
    }
    rmSync(path, { force: true })
  }
  const open = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    onConnect(new UnixSocketTransport(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const previousMask = process.umask(0o177)
    try {
      server.listen(path, () => {
        if (process.platform !== 'win32') chmodSync(path, 0o600)
        resolve({
          dispose() {
            server.close()
            for (const socket of open) socket.destroy()
          },
        })
      })
    } finally {
      process.umask(previousMask)
    }
  })
}
