import type { GuestJob } from '../../jobs/guest-jobs-contract.ts'
import type { DeviceClient } from './local-client.ts'

/** What this device runs for others, oldest first. */
export async function listGuestJobs(device: DeviceClient, isJson: boolean): Promise<number> {
  const jobs = (await device.listGuestJobs({})).toSorted((a, b) => a.startedAtMs - b.startedAtMs)
  if (isJson) console.log(JSON.stringify(jobs, undefined, 2))
  else if (jobs.length === 0) console.log('Nothing runs on this device for others.')
  const nameOf = isJson || jobs.length === 0 ? String : await namesOf(device)
  for (const { attempt, asker, line, startedAtMs, isHeld } of isJson ? [] : jobs) {
    const since = new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
    console.log(`${attempt.slice(0, 10)}  for ${nameOf(asker)} since ${since} UTC${isHeld ? ', holds still' : ''}  ${plain(line)}`)
  }
  return 0
}

/** @throws TypeError  none, or several, begin with that */
export async function stopGuestJob(device: DeviceClient, start: string): Promise<number> {
  const found = (await device.listGuestJobs({})).filter(({ attempt }: GuestJob) => start.length >= 6 && attempt.startsWith(start))
  const [job] = found
  if (!job || found.length > 1) throw new TypeError(`no job of others begins with "${start}"; "elsewhere jobs --others" lists them`)
  await device.endGuestJob({ attempt: job.attempt })
  console.log('It was stopped, and who asked for it is told. A grant stays: "elsewhere grant revoke" takes it back.')
  return 0
}

async function namesOf(device: DeviceClient): Promise<(id: string) => string> {
  const [rows, { contacts }] = await Promise.all([device.listDevices({}), device.listContacts({})])
  const theirs = contacts.flatMap(({ name: person, devices }) =>
    devices.map(({ deviceId, name }) => ({ deviceId, name: `${name} of ${person}` })),
  )
  return (id) => [...rows, ...theirs].find(({ deviceId }) => deviceId === id)?.name ?? id.slice(0, 12)
}

/** Another's words on this terminal: nothing in them moves its cursor, colours it or turns letters around. */
const plain = (text: string): string => text.replaceAll(/\p{C}/gu, '?').slice(0, 100)
