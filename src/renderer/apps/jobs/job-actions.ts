import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { shortLine, takeJob } from '../../desk/follow-jobs.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { isOver, showCard } from '../../desk/jobs-store.ts'
import type { MenuEntry } from '../../ui/menu.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { openApp } from '../app-hooks.ts'
import { runInTerminal, showTerminal, showTerminalBehind } from '../show-terminal.ts'
import { moveOffer } from './job-move.ts'
import { runs, type TerminalOffer, whyNotTyped } from './job-typing.ts'

/* What a person does with a job, from the window, a card or a menu. Each says it when it could not be done. */

export const openJob = (job: string | null): void => openApp({ kind: 'jobs', job })

export async function cancelJob({ job }: JobInfo): Promise<void> {
  try {
    await clientNow().cancelJob({ job })
  } catch (error) {
    failed('It could not be cancelled')(error)
  }
}

/** @returns the new job; undefined: it could not be started, and the person was told */
export async function rerunJob({ job }: JobInfo): Promise<JobInfo | undefined> {
  try {
    const info = await clientNow().rerunJob({ job })
    showCard(info.job)
    takeJob(info)
    return info
  } catch (error) {
    failed('It could not be run again')(error)
    return undefined
  }
}

/** @returns whether it is gone */
export async function forgetJob({ job }: JobInfo): Promise<boolean> {
  try {
    await clientNow().forgetJob({ job })
    return true
  } catch (error) {
    failed('It could not be removed')(error)
    return false
  }
}

export async function copyLine({ commandLine }: JobInfo): Promise<void> {
  await navigator.clipboard.writeText(commandLine).catch(failed('Could not copy'))
}

/** Stops it where it is and starts it anew there. */
export async function moveJob({ job }: Pick<JobInfo, 'job'>, row: Pick<DeviceRow, 'deviceId' | 'name'>): Promise<void> {
  try {
    takeJob(await clientNow().moveJob({ job, device: row.deviceId }))
    showCard(job)
  } catch (error) {
    failed(`It was not moved to ${row.name}`)(error)
  }
}

/** Where it could go on, with the same words as the tiles of the dock. */
function moveEntry(info: JobInfo): MenuEntry {
  const rows = useDevices.getState().rows.filter(({ deviceId }) => deviceId !== info.device)
  if (isOver(info) || rows.length === 0) return undefined
  return {
    label: 'Move to (starts anew there)',
    entries: rows.map((row) => {
      const { takes, reason } = moveOffer(info, row)
      return { label: row.name, disabledBecause: takes ? undefined : reason, onSelect: () => void moveJob(info, row) }
    }),
  }
}

/** A shell where it runs, in a window of its own. */
export async function openJobShell({ job, folder }: JobInfo): Promise<void> {
  try {
    const { device, terminalId } = await clientNow().openJobShell({ job, ...FIRST_SIZE })
    openApp({ kind: 'terminal', device, terminalId, cwd: folder.path })
  } catch (error) {
    failed('No shell could be opened in it')(error)
  }
}

/** A terminal of this device that shows what it writes, and types into it. @param offer  it comes up by itself */
export async function typeIntoJob(info: JobInfo, offer: TerminalOffer = 'front'): Promise<void> {
  const { job, commandLine } = info
  if (offer !== 'front') {
    const action = { label: 'Type into it', onSelect: () => void typeIntoJob(info) }
    showToast({ title: 'A job waits for a line', body: shortLine(commandLine), action })
  }
  if (offer === 'message') return
  try {
    const terminal = await clientNow().openJobTerminal({ job, ...FIRST_SIZE })
    if (offer === 'behind') showTerminalBehind(terminal)
    else showTerminal(terminal)
  } catch (error) {
    failed('No terminal could be opened for it')(error)
  }
}

/** Its line anew in a terminal, in the folder that it was asked for in. What stands still here stays until it is cancelled. */
export async function runJobInTerminal({ commandLine, folder }: JobInfo): Promise<void> {
  try {
    await runInTerminal(folder.device, commandLine, folder.path)
  } catch (error) {
    failed('It could not be run in a terminal')(error)
  }
}

/** What was seen of such a command, on all devices. @returns whether it is forgotten */
export async function forgetBehaviour(key: string): Promise<boolean> {
  try {
    await clientNow().forgetBehaviour({ key })
    return true
  } catch (error) {
    failed('It could not be forgotten')(error)
    return false
  }
}

/** Until its window says how large it is. */
const FIRST_SIZE = { columns: 80, rows: 24 }

/** All of it by menu. */
export const jobMenu = (info: JobInfo): readonly MenuEntry[] => [
  { label: 'Output and details', onSelect: () => openJob(info.job) },
  { label: 'Copy command', onSelect: () => void copyLine(info) },
  {
    label: 'Its folder',
    onSelect: () => openApp({ kind: 'files', device: info.folder.device, path: info.folder.path }),
  },
  {
    label: 'Open a shell in it',
    disabledBecause: runs(info) ? undefined : 'It does not run now',
    onSelect: () => void openJobShell(info),
  },
  {
    label: 'Type into it in a terminal',
    disabledBecause: whyNotTyped(info),
    onSelect: () => void typeIntoJob(info),
  },
  'separator',
  moveEntry(info),
  {
    label: 'Run again',
    disabledBecause: isOver(info) ? undefined : 'It has not ended yet',
    onSelect: () => void rerunJob(info),
  },
  isOver(info)
    ? { label: 'Remove', shortcut: 'Delete', danger: true, onSelect: () => void forgetJob(info) }
    : { label: 'Cancel', shortcut: 'Delete', danger: true, onSelect: () => void cancelJob(info) },
]

const failed =
  (title: string) =>
  (error: unknown): void =>
    void showToast({ severity: 'error', title, body: errorWords(error) })
