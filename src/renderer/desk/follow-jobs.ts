import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { deviceNameOf, useDevices } from './devices-store.ts'
import { hideCard, isOver, useJobs, withJob } from './jobs-store.ts'
import { addMessage, type DeskMessage } from './messages-store.ts'
import { useDesk } from './desk-store.ts'

/** A job that took less has no message of its own unless it was started at this desk: who waits for it sees it end. */
const WORTH_TELLING_MS = 10_000

/** Keeps `useJobs` equal to what the device knows, and says when a job ended on another device. */
export function followJobs(client: DeviceClient): Disposable {
  const heard = new DisposableStore()
  heard.add(client.onDidChangeJob((info) => takeJob(info)))
  heard.add(
    client.onDidForgetJob(({ job }) => {
      useJobs.setState(({ jobs }) => ({ jobs: jobs.filter((one) => one.job !== job) }))
      hideCard(job)
    }),
  )
  client.listJobs({}).then(
    (list) => {
      if (heard.isDisposed) return
      const before = new Map(useJobs.getState().jobs.map((one) => [one.job, one]))
      useJobs.setState({ jobs: list, loaded: true })
      for (const card of useJobs.getState().cards) if (!list.some(({ job }) => job === card)) hideCard(card)
      for (const info of list) tellEnd(before.get(info.job), info)
    },
    () => {}, // the connection broke: the next one asks again
  )
  return heard
}

/** A job as its device says it is now. */
export function takeJob(info: JobInfo): void {
  const before = useJobs.getState().jobs.find(({ job }) => job === info.job)
  useJobs.setState(({ jobs }) => ({ jobs: withJob(jobs, info) }))
  tellEnd(before, info)
}

function tellEnd(before: JobInfo | undefined, info: JobInfo): void {
  const own = useDesk.getState().deviceId
  const hasCard = useJobs.getState().cards.includes(info.job)
  const message = endMessage(before, info, own, hasCard, (device) => deviceNameOf(useDevices.getState(), device))
  if (message) addMessage(message)
}

/** What is said of a job that has just ended on another device; undefined: nothing. Pure. */
export function endMessage(
  before: JobInfo | undefined,
  info: JobInfo,
  own: string,
  hasCard: boolean,
  nameOf: (device: string) => string,
): DeskMessage | undefined {
  if (!before || isOver(before) || !isOver(info) || info.state === 'cancelled') return undefined
  if (info.device === undefined || info.device === own) return undefined
  const endedAtMs = info.endedAtMs ?? info.askedAtMs
  if (!hasCard && endedAtMs - info.askedAtMs < WORTH_TELLING_MS) return undefined
  const failed = info.state === 'failed'
  const code = info.exit && info.exit.code > 0 ? ` with code ${info.exit.code}` : ''
  return {
    id: `job:${info.job}`,
    code: failed ? 'job/failed' : 'job/done',
    severity: failed ? 'warn' : 'info',
    title: failed ? `Failed on ${nameOf(info.device)}${code}` : `Done on ${nameOf(info.device)}`,
    body: [shortLine(info.commandLine), info.error?.message ?? info.lastLine].filter(Boolean).join(' · '),
    atMs: endedAtMs,
    about: { kind: 'job', job: info.job },
    // Its card says it already.
    ...(hasCard && { quiet: true }),
  }
}

export const shortLine = (line: string): string => (line.length > 80 ? `${line.slice(0, 79)}…` : line)
