import { create } from 'zustand'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { GuestJob } from '../../jobs/guest-jobs-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDevices } from './devices-store.ts'
import { addMessage, useMessages } from './messages-store.ts'

/** What runs on this device for others, oldest first. */
export const useGuestJobs = create<{ readonly jobs: readonly GuestJob[] }>(() => ({ jobs: [] }))

/** Within it, another job of the same device takes the place of the notice before without a word. */
const SAID_MS = 60_000

/** Keeps `useGuestJobs` equal to what the device knows, and says when a contact's device begins to run something here (rule AP143). */
export function followGuestJobs(client: DeviceClient): Disposable {
  const heard = new DisposableStore()
  const take = (jobs: readonly GuestJob[]) => {
    if (heard.isDisposed) return
    const known = new Set(useGuestJobs.getState().jobs.map(({ attempt }) => attempt))
    useGuestJobs.setState({ jobs: jobs.toSorted((a, b) => a.startedAtMs - b.startedAtMs) })
    for (const job of jobs) if (!known.has(job.attempt)) tellGuest(job)
  }
  heard.add(client.onDidChangeGuestJobs(take))
  client.listGuestJobs({}).then(take, () => {}) // the connection broke: the next one asks again
  return heard
}

/** One's own devices may run here: that is no news. */
function tellGuest({ asker, line, startedAtMs }: GuestJob): void {
  const contact = useDevices.getState().contactDevices[asker]
  if (!contact) return
  const id = `guest-job ${asker}`
  const before = useMessages.getState().messages.find((message) => message.id === id)
  if (before && before.atMs >= startedAtMs) return
  addMessage({
    id,
    code: 'contact/job-began',
    severity: 'info',
    title: `${contact.name} runs a job on this device`,
    body: `${line.slice(0, 120)} · in its sandbox. It is listed in Jobs, where it can be stopped.`,
    atMs: startedAtMs,
    about: { kind: 'guest-jobs' },
    quiet: before !== undefined && startedAtMs - before.atMs < SAID_MS,
  })
}
