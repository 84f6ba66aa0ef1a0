import { CircleStop, MonitorSmartphone, UserRound } from 'lucide-react'
import { useState } from 'react'
import type { GuestJob } from '../../../jobs/guest-jobs-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { useGuestJobs } from '../../desk/follow-guest-jobs.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { useDeviceName, useNow } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'

/** Who runs what on this device, and an end to it (rule AP143). Nothing while nobody does. */
export function GuestJobs() {
  const jobs = useGuestJobs((guests) => guests.jobs)
  if (jobs.length === 0) return null
  return (
    <section className="guest-jobs" aria-label="Jobs of others on this device">
      <h3>On this device, for others</h3>
      <ul>
        {jobs.map((job) => (
          <GuestJobRow key={job.attempt} job={job} />
        ))}
      </ul>
    </section>
  )
}

function GuestJobRow({ job: { attempt, asker, line, startedAtMs, isHeld } }: { job: GuestJob }) {
  const now = useNow()
  const [busy, setBusy] = useState(false)
  const who = useDeviceName(asker)
  const isContact = useDevices(({ contactDevices }) => contactDevices[asker] !== undefined)
  const stop = async () => {
    setBusy(true)
    try {
      await clientNow().endGuestJob({ attempt })
      const body = isContact ? 'The grant stays: revoke it in Devices, under “Who may do what”.' : 'That device is told.'
      showToast({ severity: 'done', title: `The job of ${who} was stopped`, body })
    } catch (error) {
      showToast({ severity: 'error', title: 'That job could not be stopped', body: errorWords(error) })
      setBusy(false)
    }
  }
  return (
    <li data-contact={isContact || undefined}>
      {isContact ? <UserRound aria-hidden="true" /> : <MonitorSmartphone aria-hidden="true" />}
      <span className="guest-job-what">
        <code className="job-line">{line}</code>
        <span className="guest-job-who">
          For {who}, begun {agoText(startedAtMs, now)}
          {isHeld && ', holds still while you are here'}
        </span>
      </span>
      <Button
        variant={isContact ? 'danger' : 'secondary'}
        icon={<CircleStop aria-hidden="true" />}
        busy={busy}
        onClick={() => void stop()}
        aria-label={`Stop the job of ${who}: ${line}`}
      >
        Stop
      </Button>
    </li>
  )
}
