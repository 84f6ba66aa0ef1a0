import http from 'node:http'
import type { Browser } from 'playwright-core'
import { WebSocketServer } from 'ws'

/** What pages of others got out of a desk. */
export interface WebAttacks {
  /** A name of theirs that suddenly points at this machine: did the answer hold the marker? */
  readonly rebinding: boolean
  /** A WebSocket from another site: did it open? */
  readonly socket: boolean
  /** The desk in a frame of theirs: did it show the marker? */
  readonly framed: boolean
}

/** Names that the browser of a victim must resolve to this machine: for `--host-resolver-rules`. */
export const EVIL_NAMES = 'MAP rebind.test 127.0.0.1, MAP evil.test 127.0.0.1'

function listen(server: http.Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)))
}

/** A server that checks nothing: shows that each attack works where nothing stops it. Its page is the marker. */
export async function startNaiveServer(marker: string): Promise<{ readonly port: number; close(): void }> {
  const naive = http.createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<!doctype html>${marker}`)
  })
  const sockets = new WebSocketServer({ server: naive })
  const port = await listen(naive)
  const close = () => {
    for (const socket of sockets.clients) socket.terminate()
    naive.close()
    naive.closeAllConnections()
  }
  return { port, close }
}

export interface WebAttackOptions {
  readonly browser: Browser
  /** The desk's host name and port. */
  readonly name: string
  readonly port: number
  /** What is in the desk's page and in nothing else it answers. */
  readonly marker: string
  /** Lets the victim's browser in first, so that it holds the desk's cookie. */
  readonly entrance?: string
}

/** Tries all of them from pages of another site, in the browser of somebody who uses the desk. */
export async function attackFromPages({ browser, name, port, marker, entrance }: WebAttackOptions): Promise<WebAttacks> {
  const evil = http.createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>evil'),
  )
  const evilPort = await listen(evil)
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    if (entrance !== undefined) {
      await page.goto(entrance)
      await page.waitForURL(`http://${name}:${port}/`)
      if (!(await page.content()).includes(marker))
        throw new Error('the desk itself does not show the marker: the attacks would prove nothing')
    }
    await page.goto(`http://rebind.test:${port}/`).catch(() => {}) // refused is fine: then there is nothing to ask from
    const rebound = await page.evaluate(() => fetch('/').then((answer) => answer.text(), String))
    await page.goto(`http://evil.test:${evilPort}/`)
    const socket = await page.evaluate(
      (url) =>
        new Promise<boolean>((resolve) => {
          const opened = new WebSocket(url)
          opened.onopen = () => resolve(true)
          opened.onerror = () => resolve(false)
        }),
      `ws://${name}:${port}/display`,
    )
    await page.evaluate(async (url) => {
      const frame = document.createElement('iframe')
      frame.src = url
      document.body.append(frame)
      await new Promise((resolve) => (frame.onload = resolve))
    }, `http://${name}:${port}/`)
    const frame = page.frames()[1]
    const inFrame = frame ? await frame.content().catch(() => '') : ''
    return { rebinding: rebound.includes(marker), socket, framed: inFrame.includes(marker) }
  } finally {
    await context.close()
    evil.close()
    evil.closeAllConnections()
  }
}
