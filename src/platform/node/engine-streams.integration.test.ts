import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { MAX_ANSWER_BYTES, MAX_MESSAGE_BYTES } from '../../jobs/engines/engine.ts'
import { wholeOf } from '../../testkit/stored-bytes.ts'
import { callEngine } from './call-engine.ts'
import { engineStreams as makeStreams } from './engine-streams.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-fetched-'))
const engineStreams = makeStreams(folder)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const never = new AbortController().signal
const headers = { authorization: 'Bearer secret', 'x-slurm-user-token': 'secret' }

let servers: Server[] = []
/** Heard by the place that nobody was told of. */
let heard: string[] = []
let elsewhere = ''
beforeEach(async () => {
  elsewhere = await serve(({ url = '' }, response) => {
    heard.push(url)
    response.end('{}')
  })
  servers.at(-1)?.on('upgrade', ({ url = '' }, socket) => {
    heard.push(url)
    socket.destroy()
  })
})
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  servers = []
  heard = []
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const readAll = async (url: string) => {
  const all: string[] = []
  for await (const text of engineStreams.open({ url: url.replace(/^http/, 'ws'), headers }, never)) all.push(text)
  return all
}

it.each([301, 302, 303, 307, 308])(
  '[EN1][EN7] an answer of %i leads nowhere: calls, logs and results go where they were sent',
  async (status) => {
    const url = await serve((_, response) => void response.writeHead(status, { location: `${elsewhere}/there` }).end())
    servers.at(-1)?.on('upgrade', (_, socket) => socket.end(`HTTP/1.1 ${status} Moved\r\nLocation: ${elsewhere}/there\r\n\r\n`))
    for (const method of ['GET', 'PUT', 'DELETE'] as const)
      await expect(callEngine({ method, url, headers, ...(method === 'PUT' && { body: '{}' }) }, never)).rejects.toThrow()
    await expect(readAll(url)).rejects.toThrow(String(status))
    expect(await engineStreams.download(url, 1_000, never)).toMatchObject({ status })
    expect(heard).toEqual([])
  },
)

it('[EN2] a body without an end is read to its bound', async () => {
  const piece = Buffer.alloc(1024 * 1024)
  const url = await serve((_, response) => {
    const send = () => void (response.destroyed || response.write(piece, send))
    send()
  })
  await expect(callEngine({ method: 'GET', url, headers }, never)).rejects.toThrow(`more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`)
  await expect(engineStreams.download(url, 5_000_000, never)).rejects.toThrow(RangeError)
})

it('[EN2] a message over its bound cuts a log', async () => {
  const url = await serve((_, response) => void response.end())
  const sockets = new WebSocketServer({ noServer: true })
  servers.at(-1)?.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (opened) => {
      opened.send('x'.repeat(MAX_MESSAGE_BYTES))
      opened.send('x'.repeat(MAX_MESSAGE_BYTES + 1), () => undefined)
    }),
  )
  const lengths: number[] = []
  const read = async () => {
    for await (const text of engineStreams.open({ url: url.replace(/^http/, 'ws'), headers }, never)) lengths.push(text.length)
  }
  await expect(read()).rejects.toThrow(/Max payload size exceeded/)
  expect(lengths).toEqual([MAX_MESSAGE_BYTES])
})

it('[EN9] an address that fetch refuses is told apart from a place that is away', async () => {
  const refused = (url: string) => engineStreams.download(url, 1_000, never)
  await expect(refused('http://127.0.0.1:6000/x')).rejects.toBeInstanceOf(TypeError) // a port of another protocol
  await expect(refused('http://:secret@127.0.0.1/x')).rejects.toBeInstanceOf(TypeError)
  const url = await serve((request) => void request.socket.destroy())
  const closed = await serve(() => undefined)
  await new Promise((resolve) => servers.pop()?.close(resolve))
  for (const away of [closed, url]) {
    const error = await refused(away).catch((thrown: unknown) => thrown)
    expect(error, away).toBeInstanceOf(Error)
    expect(error, away).not.toBeInstanceOf(TypeError)
  }
})

it('[EN9] what is fetched lies aside without a name, can be read again, and is gone when it is let go of', async () => {
  const body = Buffer.alloc(900_000, 'elsewhere ')
  const url = await serve((_, response) => void response.end(body))
  const { bytes } = await engineStreams.download(url, 1e6, never)
  expect(readdirSync(folder)).toEqual([])
  for (let n = 0; n < 2; n++) expect(Buffer.from(await wholeOf(bytes.read())).equals(body)).toBe(true)
  await bytes.dispose()
  await expect(wholeOf(bytes.read())).rejects.toThrow()
})

it('[EN14] each piece of a body that goes, and of an answer that comes, is told', async () => {
  const told: string[] = []
  const url = await serve((request, response) => {
    request.resume().on('end', () => {
      response.write('x'.repeat(10))
      setTimeout(() => response.end('y'), 20)
    })
  })
  const body = 'z'.repeat(1_000_000)
  const answer = await callEngine({ method: 'PUT', url, headers, body }, never, (what) => told.push(what))
  expect(answer).toEqual({ status: 200, text: `${'x'.repeat(10)}y` })
  expect(told.filter((what) => what === 'went')).toHaveLength(Math.ceil(body.length / 65_536))
  expect(told.filter((what) => what === 'came').length).toBeGreaterThanOrEqual(3)
})
