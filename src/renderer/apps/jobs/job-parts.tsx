import { Laptop, Server } from 'lucide-react'
import { isEngine } from '../../../jobs/engines/engines-contract.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { isOver } from '../../desk/jobs-store.ts'
import { Dot } from '../../ui/dot.tsx'
import { openApp, useDeviceName, useNow, useOwnDevice } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'
import { groupOf, lasted, runsText, stateMark, stateWords, tookText, whyWords } from './job-words.ts'
import './jobs.css'

/* Pieces of a job that its row, its page and its card show alike. */

export function JobState({ info }: { info: JobInfo }) {
  return (
    <span className="job-state">
      <Dot {...stateMark(info)} />
      {stateWords(info)}
    </span>
  )
}

/** Which device or engine, marked when it is another than this device. */
export function JobPlace({ info }: { info: JobInfo }) {
  const own = useOwnDevice()
  const name = useDeviceName(info.device ?? '')
  if (info.device === undefined) return <span className="job-place">no device yet</span>
  const Icon = isEngine(info.device) ? Server : Laptop
  return (
    <span className="job-place" data-elsewhere={info.device !== own || undefined}>
      <Icon aria-hidden="true" />
      {name}
    </span>
  )
}

/** Why there, beside `JobPlace`. */
export const useWhy = ({ why, device }: Pick<JobInfo, 'why' | 'device'>): string => whyWords(why, useDeviceName(device ?? ''))

/** Only what is known: a fraction with where it is from, else that it goes on. Nothing for what does not run. */
export function JobProgress({ info }: { info: JobInfo }) {
  if (groupOf(info) !== 'running') return null
  const { progress } = info
  if (!progress && info.state === 'paused') return null
  if (!progress)
    return (
      <span className="job-progress" data-unknown="" role="progressbar" aria-label={`Progress of ${info.commandLine}`}>
        <span className="job-bar" aria-hidden="true" />
      </span>
    )
  const percent = Math.round(progress.fraction * 100)
  const from = progress.from === 'output' ? 'as it says itself' : 'by how long it took before'
  return (
    <span
      className="job-progress"
      role="progressbar"
      aria-label={`Progress of ${info.commandLine}`}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={`${percent} %, ${from}`}
      data-tip={from}
    >
      <span className="job-bar" aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>
      <span className="numbers" aria-hidden="true">
        {progress.from === 'history' ? '≈ ' : ''}
        {percent} %
      </span>
    </span>
  )
}

/** How long it has run, each second; when it is over, how long it took and when that was. */
export function JobTime({ info }: { info: JobInfo }) {
  return isOver(info) ? <EndedTime info={info} /> : <RunningTime info={info} />
}

function RunningTime({ info }: { info: JobInfo }) {
  const now = useNow(1_000)
  return <time className="job-time numbers">{runsText(lasted(info, now))}</time>
}

function EndedTime({ info }: { info: JobInfo }) {
  const now = useNow()
  return (
    <time className="job-time numbers" data-tip={`Took ${tookText(lasted(info, now))}`}>
      {agoText(info.endedAtMs ?? info.askedAtMs, now)}
    </time>
  )
}

/** Ports it listens on; one that can be reached from here opens in the Web app. */
export function JobPorts({ ports, forwards = [] }: Pick<JobInfo, 'ports' | 'forwards'>) {
  if (ports.length === 0) return null
  return (
    <span className="job-ports">
      {ports.map((port) => {
        const here = forwards.find((forward) => forward.port === port)?.here
        if (here === undefined) {
          return (
            <span key={port} className="job-port numbers">
              :{port}
            </span>
          )
        }
        const open = () => openApp({ kind: 'web', url: `http://127.0.0.1:${here}/` })
        return (
          <button key={port} type="button" className="job-port numbers" data-tip={`Open 127.0.0.1:${here}`} onClick={open}>
            :{port}
          </button>
        )
      })}
    </span>
  )
}
