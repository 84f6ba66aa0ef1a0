import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { openJob } from '../apps/jobs/job-actions.ts'
import { runInTerminal } from '../apps/show-terminal.ts'
import { clientNow } from '../desk/app-desk.ts'
import { useDesk } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { takeJob } from '../desk/follow-jobs.ts'
import { showCard } from '../desk/jobs-store.ts'
import { clearPlan, useRunPlan } from '../desk/run-plan-store.ts'
import { setShell } from '../desk/shell-store.ts'
import { errorWords } from '../ui/error-words.ts'
import { showToast } from '../ui/toast.tsx'
import { readAliases, runsAs } from './run-plan.ts'

/** A command line and the folder of this device whose files it works on, with what placement says of it. */
export interface PlannedCommand {
  readonly line: string
  readonly folder: string
  readonly answer: PlacementAnswer
}

/** `best`: where placement says. */
export type RunWhere = 'best' | { readonly device: string }

/**
 * Starts a command: as a job that works on this device's folder wherever it runs, or, when it talks with the person, in a
 * terminal over there, which finds that device's own files. Says so when it could not be started.
 */
export async function runPlanned(command: PlannedCommand, where: RunWhere): Promise<void> {
  const starting = `${command.folder}\n${command.line}`
  if (useRunPlan.getState().starting === starting) return // Enter held down, or a tile pressed twice
  useRunPlan.setState({ starting })
  try {
    if (runsAs(command.answer.classification) === 'job') await startAsJob(command, where)
    else await startInTerminal(command, where === 'best' ? command.answer.device : where.device)
    clearPlan()
    setShell({ elsewhereOpen: false })
  } catch (error) {
    useRunPlan.setState({ starting: undefined })
    const place = where === 'best' ? '' : ` on ${deviceNameOf(useDevices.getState(), where.device)}`
    showToast({ severity: 'error', title: `It could not be started${place}`, body: errorWords(error) })
  }
}

async function startAsJob({ line, folder }: PlannedCommand, where: RunWhere): Promise<void> {
  const info = await clientNow().startJob({
    commandLine: line,
    folder,
    context: await readAliases(useDesk.getState().deviceId, folder),
    policy: { where },
    input: true, // what turns out to wait for its keyboard can be typed into
  })
  showCard(info.job)
  takeJob(info)
  // On a small screen its window is where it is seen.
  if (document.querySelector('.desk[data-compact]')) openJob(info.job)
}

async function startInTerminal({ line, folder }: PlannedCommand, wanted: string | undefined): Promise<void> {
  const own = useDesk.getState().deviceId
  const device = wanted ?? own
  await runInTerminal(device, line, device === own ? folder : undefined)
}
