import { createInterface } from 'node:readline'
import { Emitter } from '../base/emitter.ts'
import { systemClock } from '../base/clock.ts'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger, type Logger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { createNodeLinkPlatform } from '../platform/node/node-link-platform.ts'
import { runRendezvous } from '../platform/node/rendezvous-server.ts'
import type { LaneName, Link } from '../sync/lane.ts'
import { Links } from '../sync/links.ts'
import type { SignalNote } from '../sync/signal-note.ts'
import { createTestDevice, TestMembers } from './test-devices.ts'

/*
 * One device of a link test as a process of its own: started with a LinkProcessSetup as its argument, takes commands as
 * JSON lines on stdin and tells what happens as JSON lines on stdout. Echoes what comes on control and session whose first
 * byte is 1 (with a 2); counts what comes on files.
 */

export interface LinkProcessSetup {
  readonly seed: number
  /** Seeds of the devices on its list. */
  readonly members: readonly number[]
  readonly rendezvousUrls: readonly string[]
  readonly runsRendezvous: boolean
  readonly usesLan: boolean
  /** A byte, repeated: the workspace. */
  readonly secret: number
  readonly isVerbose?: boolean
  /** Offer only 127.0.0.1, and ask the parent to exchange candidates for those of its proxy. */
  readonly usesProxy?: boolean
}

export type LinkProcessEvent =
  | { readonly t: 'ready'; readonly device: string; readonly urls: readonly string[] }
  | { readonly t: 'linked'; readonly peer: string; readonly atMs: number; readonly path: string; readonly sinceOpenMs: number }
  | { readonly t: 'unlinked'; readonly peer: string; readonly atMs: number; readonly reason: string }
  | { readonly t: 'files'; readonly bytes: number; readonly atMs: number }
  | { readonly t: 'roundTrips'; readonly ms: readonly number[] }
  | { readonly t: 'stats'; readonly stats: ReturnType<Link['stats']>; readonly usage: NodeJS.CpuUsage }
  /** Answer with `exchanged`. */
  | { readonly t: 'exchange'; readonly id: number; readonly note: SignalNote }
  | { readonly t: 'log'; readonly text: string }

export type LinkProcessCommand =
  /** Sends `bytes` in messages of 64 KiB, as fast as the lane drains. */
  | { readonly t: 'sendFiles'; readonly peer: string; readonly bytes: number }
  /** Sends a byte and waits for the echo, `count` times, `pauseMs` apart. */
  | {
      readonly t: 'roundTrips'
      readonly peer: string
      readonly lane: 'control' | 'session'
      readonly count: number
      readonly pauseMs: number
    }
  | { readonly t: 'stats'; readonly peer: string }
  | { readonly t: 'hurry' }
  | { readonly t: 'exchanged'; readonly id: number; readonly note: SignalNote }

let exchangeCount = 0

const tell = (event: LinkProcessEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`)

const FILE_MESSAGE_BYTES = 64 * 1024
const FILE_BUFFER_BYTES = 1024 * 1024

async function main(setup: LinkProcessSetup): Promise<void> {
  const logger = setup.isVerbose === true ? tellingLogger : silentLogger
  const own = setup.runsRendezvous ? await runRendezvous({ port: 0, logger }) : undefined
  const exchanges = new Map<number, (note: SignalNote) => void>()
  const exchange = (note: SignalNote): Promise<SignalNote> =>
    new Promise((resolve) => {
      const id = exchangeCount++
      exchanges.set(id, resolve)
      tell({ t: 'exchange', id, note })
    })
  const usesProxy = setup.usesProxy === true
  const rtcOptions = () => ({ iceServers: [], ...(usesProxy ? { bindAddress: '127.0.0.1' } : {}) })
  const nodePlatform = createNodeLinkPlatform({ logger, lan: setup.usesLan })
  const platform = { ...nodePlatform, ...(usesProxy ? { changeNote: exchange } : {}) }
  const parts = { clock: systemClock, random: systemRandom, logger }
  const links = new Links({ platform, rtcOptions, own, ...parts })
  links.setRendezvousUrls(setup.rendezvousUrls)
  const { device, signer } = createTestDevice(setup.seed)
  const openedMs = performance.now()
  const set = links.open({
    signer,
    check: new TestMembers(...setup.members.map(createTestDevice)),
    secrets: () => ({
      rendezvousSecret: new Uint8Array(32).fill(setup.secret),
      leftSecrets: [],
      behind: () => [],
      directionsFor: () => undefined,
      openDirections: () => undefined,
    }),
    onDidChangeSecrets: new Emitter<void>().event,
    onDidChangeMembers: new Emitter<void>().event,
    known: new Map(),
  })
  let fileBytes = 0
  set.onDidLink((link) => {
    tell({ t: 'linked', peer: link.peer, atMs: Date.now(), path: link.stats().path, sinceOpenMs: performance.now() - openedMs })
    for (const name of ['control', 'session'] as const) echo(link, name)
    link.lane('files').onDidReceive((bytes) => {
      const before = Math.floor(fileBytes / 1e6)
      fileBytes += bytes.length
      if (Math.floor(fileBytes / 1e6) !== before) tell({ t: 'files', bytes: fileBytes, atMs: Date.now() })
    })
  })
  set.onDidUnlink(({ peer, reason }) => tell({ t: 'unlinked', peer, atMs: Date.now(), reason }))
  tell({ t: 'ready', device, urls: own?.urls() ?? [] })
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line) as LinkProcessCommand
    if (command.t === 'hurry') set.hurry()
    else if (command.t === 'exchanged') exchanges.get(command.id)?.(command.note)
    else void obey(command, set.links.get(command.peer as DeviceId))
  }
  links.dispose()
  await own?.close()
  platform.dispose()
  setTimeout(() => void platform.release(), 300)
}

async function obey(command: Exclude<LinkProcessCommand, { t: 'hurry' | 'exchanged' }>, link: Link | undefined): Promise<void> {
  if (link === undefined) {
    tell({ t: 'log', text: `not linked: ${JSON.stringify(command)}` })
    return
  }
  if (command.t === 'stats') tell({ t: 'stats', stats: link.stats(), usage: process.cpuUsage() })
  else if (command.t === 'sendFiles') void sendFiles(link, command.bytes)
  else tell({ t: 'roundTrips', ms: await roundTrips(link, command.lane, command.count, command.pauseMs) })
}

async function sendFiles(link: Link, bytes: number): Promise<void> {
  const lane = link.lane('files')
  const message = systemRandom.bytes(FILE_MESSAGE_BYTES)
  for (let sent = 0; sent < bytes; sent += message.length) {
    lane.send(message)
    if (lane.bufferedBytes < FILE_BUFFER_BYTES) continue
    await new Promise<void>((resolve) => {
      const waiting = lane.onDidDrain(() => {
        waiting.dispose()
        resolve()
      })
    })
  }
}

async function roundTrips(link: Link, name: LaneName, count: number, pauseMs: number): Promise<number[]> {
  const lane = link.lane(name)
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begunMs = performance.now()
    await new Promise<void>((resolve) => {
      const waiting = lane.onDidReceive((bytes) => {
        if (bytes[0] !== 2) return
        waiting.dispose()
        resolve()
      })
      lane.send(Uint8Array.of(1))
    })
    times.push(performance.now() - begunMs)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return times
}

function echo(link: Link, name: LaneName): void {
  const lane = link.lane(name)
  lane.onDidReceive((bytes) => {
    if (bytes[0] === 1) lane.send(Uint8Array.of(2))
  })
}

const say = (level: string) => (message: string, details?: unknown) =>
  tell({ t: 'log', text: `${level} ${message} ${JSON.stringify(details ?? {})}` })
const tellingLogger: Logger = { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug'), child: () => tellingLogger }

await main(JSON.parse(process.argv[2] ?? '{}') as LinkProcessSetup)
