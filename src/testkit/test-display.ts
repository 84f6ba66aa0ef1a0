import http from 'node:http'
import WebSocket from 'ws'
import { displayContract } from '../device/display-contract.ts'
import { type Client, createClient } from '../rpc/client.ts'
import { WebSocketTransport } from '../rpc/web-socket-transport.ts'

/** An answer with what tests look at. */
export interface TestResponse {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A GET on the loopback address with any headers, Host included: what a browser or an attacker would send. */
export function request(port: number, path: string, headers: Record<string, string>, method = 'GET'): Promise<TestResponse> {
  return new Promise((resolve, reject) => {
    const asked = http.request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    asked.once('error', reject)
    asked.end()
  })
}

/** Opens the socket of displays; rejects with the HTTP status when the upgrade is refused. */
export function openSocket(port: number, headers: Record<string, string>): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/display`, { headers, perMessageDeflate: false })
    socket.once('open', () => resolve(socket))
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      response.resume()
      reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }))
    })
  })
}

/** A display as a browser would be one: enters with a one-time URL, keeps the cookie, opens the socket. */
export class TestDisplay {
  readonly port: number
  readonly host: string
  readonly cookie: string

  private constructor(port: number, host: string, cookie: string) {
    this.port = port
    this.host = host
    this.cookie = cookie
  }

  static async enter(oneTimeUrl: string): Promise<TestDisplay> {
    const { host, port, pathname, search } = new URL(oneTimeUrl)
    const { status, headers } = await request(Number(port), pathname + search, { Host: host })
    const cookie = headers['set-cookie']?.[0]?.split(';', 1)[0]
    if (status !== 200 || cookie === undefined) throw new Error(`the one-time URL answered ${status}`)
    return new TestDisplay(Number(port), host, cookie)
  }

  get headers(): Record<string, string> {
    return { Host: this.host, Origin: `http://${this.host}`, Cookie: this.cookie }
  }

  async connect(): Promise<Client<typeof displayContract>> {
    return createClient(displayContract, new WebSocketTransport(await openSocket(this.port, this.headers)))
  }
}
