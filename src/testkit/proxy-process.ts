import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signalNote } from '../sync/signal-note.ts'
import { goodPath, type PathConditions } from './delay-line.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { UdpProxy } from './udp-proxy.ts'

/*
 * A UdpProxy as a process of its own, to be started on a machine of a NetLab: `proxy-process.ts HOST [CONDITIONS as JSON
 * [HOST:PORT]]`. With the last, a TCP service is passed on to through the same conditions; its port here is the second line.
 * Prints its URL, which devices take as ELSEWHERE_TEST_CANDIDATES. POST / exchanges candidates; PUT / with conditions as
 * JSON changes the path, e.g. {"delayMs":40,"loss":0.01} or {"isCut":true}.
 */
const [, , host = '127.0.0.1', conditions = '{}', service] = process.argv
const proxy = new UdpProxy({ ...goodPath(), ...(JSON.parse(conditions) as Partial<PathConditions>) }, host)

const server = createServer((request, response) => {
  const answer = async (): Promise<unknown> => {
    let text = ''
    for await (const part of request) text += part
    if (request.method === 'PUT') return Object.assign(proxy.conditions, JSON.parse(text) as Partial<PathConditions>)
    return proxy.exchangeCandidates(signalNote.parse(JSON.parse(text)))
  }
  answer().then(
    (value) => response.end(JSON.stringify(value)),
    (error) => response.writeHead(400).end(String(error)),
  )
})
const target = /^(.+):(\d+)$/.exec(service ?? '')
const passedOn = target ? await TcpProxy.start({ host: target[1] as string, port: Number(target[2]) }, proxy.conditions, host) : undefined
server.listen(0, host, () => {
  console.log(`http://${host}:${(server.address() as AddressInfo).port}/`)
  if (passedOn) console.log(String(passedOn.port))
})
