import { ChevronRight, CircleStop, Copy, Folder, Keyboard, RotateCw, SquareTerminal, Trash2, TriangleAlert, X } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { isOver } from '../../desk/jobs-store.ts'
import { Button } from '../../ui/button.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { openApp, useDeviceName, useNow, useOwnDevice } from '../app-hooks.ts'
import { tildePath } from '../files/home-path.ts'
import { momentText } from '../plain-words.ts'
import { useHome } from '../use-home.ts'
import {
  cancelJob,
  copyLine,
  forgetBehaviour,
  forgetJob,
  openJob,
  openJobShell,
  rerunJob,
  runJobInTerminal,
  typeIntoJob,
} from './job-actions.ts'
import { JobOutputPane } from './job-output-pane.tsx'
import { JobPlace, JobPorts, JobProgress, JobState, useWhy } from './job-parts.tsx'
import { runs, wantsTerminal, wantsTyping } from './job-typing.ts'
import { attemptWords, correctedWords, LABELS, lasted, resultWords, runsText, tookText } from './job-words.ts'

/** One job: what it is, where and why there, every try, what came back, and all it said. */
export function JobPage({ info, visible, onClose }: { info: JobInfo; visible: boolean; onClose: () => void }) {
  const over = isOver(info)
  const now = useNow(over ? 60_000 : 1_000)
  const { home } = useHome(info.folder.device)
  const own = useOwnDevice()
  const folderDevice = useDeviceName(info.folder.device)
  const results = resultWords(info)
  const why = useWhy(info)
  const [forgotten, setForgotten] = useState<string>()
  const forget = async (key: string) => {
    if (await forgetBehaviour(key)) setForgotten(key)
  }
  const again = () => void rerunJob(info).then((started) => started && openJob(started.job))
  return (
    <section className="job-page" aria-label={`Job: ${info.commandLine}`}>
      <header>
        <div className="job-title">
          <code>{info.commandLine}</code>
          <IconButton size="small" label="Copy command" icon={<Copy aria-hidden="true" />} onClick={() => void copyLine(info)} />
          <IconButton size="small" label="Close details" icon={<X aria-hidden="true" />} onClick={onClose} />
        </div>
        <div className="job-actions">
          <JobState info={info} />
          <JobProgress info={info} />
          <span className="app-bar-fill" />
          {wantsTyping(info) && (
            <Button icon={<Keyboard aria-hidden="true" />} onClick={() => void typeIntoJob(info)}>
              Type into it
            </Button>
          )}
          {wantsTerminal(info) && (
            <Button icon={<Keyboard aria-hidden="true" />} onClick={() => void runJobInTerminal(info)}>
              Run in a terminal
            </Button>
          )}
          {runs(info) && (
            <Button icon={<SquareTerminal aria-hidden="true" />} onClick={() => void openJobShell(info)}>
              Open a shell in it
            </Button>
          )}
          {!over && (
            <Button icon={<CircleStop aria-hidden="true" />} onClick={() => void cancelJob(info)}>
              Cancel
            </Button>
          )}
          {over && (
            <Button icon={<RotateCw aria-hidden="true" />} onClick={again}>
              Run again
            </Button>
          )}
          {over && (
            <Button
              variant="quiet"
              icon={<Trash2 aria-hidden="true" />}
              onClick={() => void forgetJob(info).then((gone) => gone && onClose())}
            >
              Remove
            </Button>
          )}
        </div>
      </header>
      {info.error && (
        <p className="job-note" data-meaning="lost" role="status">
          <TriangleAlert aria-hidden="true" />
          {info.error.message}
        </p>
      )}
      {info.waitingFor !== undefined && !over && (
        <p className="job-note" data-meaning="unsafe" role="status">
          <TriangleAlert aria-hidden="true" />
          {info.waitingFor}
        </p>
      )}
      <dl className="job-details">
        <Fact name="Where">
          <JobPlace info={info} />
          <span className="job-quiet">{why}</span>
        </Fact>
        {info.corrected && (
          <Fact name="Is">
            <span>{LABELS[info.label]}</span>
            <span className="job-quiet">{correctedWords(info.corrected)}</span>
          </Fact>
        )}
        {info.learned && info.learned.key !== forgotten && (
          <Fact name="Known">
            <span className="job-quiet">{info.learned.words}</span>
            <Button variant="quiet" onClick={() => void forget(info.learned?.key ?? '')}>
              Forget
            </Button>
          </Fact>
        )}
        <Fact name="Folder">
          <button
            type="button"
            className="job-folder"
            onClick={() => openApp({ kind: 'files', device: info.folder.device, path: info.folder.path })}
          >
            <Folder aria-hidden="true" />
            {tildePath(info.folder.path, home)}
          </button>
          {info.folder.device !== own && <span className="job-quiet">on {folderDevice}</span>}
        </Fact>
        <Fact name={over ? 'Took' : 'Runs for'}>
          <span className="numbers">{over ? tookText(lasted(info, now)) : runsText(lasted(info, now))}</span>
          <span className="job-quiet numbers">asked {momentText(info.askedAtMs, now)}</span>
        </Fact>
        {info.ports.length > 0 && (
          <Fact name="Listens on">
            <JobPorts ports={info.ports} forwards={info.forwards} />
            <span className="job-quiet">{info.device === own ? 'here' : 'over there'}</span>
          </Fact>
        )}
        {results !== undefined && (
          <Fact name="Results">
            <span data-conflicts={info.results.conflicts > 0 || undefined}>{results}</span>
          </Fact>
        )}
      </dl>
      {info.attempts.length > 1 && <Attempts info={info} nowMs={now} />}
      {visible && <JobOutputPane key={info.job} info={info} />}
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Attempts({ info, nowMs }: { info: JobInfo; nowMs: number }) {
  return (
    <details className="job-attempts">
      <summary>
        <ChevronRight aria-hidden="true" />
        Tried {info.attempts.length} times
      </summary>
      <ol>
        {info.attempts.map((attempt) => (
          <li key={attempt.attempt}>
            <AttemptDevice device={attempt.device} />
            <span className="numbers">{momentText(attempt.startedAtMs, nowMs)}</span>
            <span className="job-quiet">{attemptWords(attempt)}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

const AttemptDevice = ({ device }: { device: string }) => <strong>{useDeviceName(device)}</strong>
