import { create } from 'zustand'
import { askedCommand, guessForFile } from '../apps/guess-command.ts'
import { moveJob } from '../apps/jobs/job-actions.ts'
import { moveOffer } from '../apps/jobs/job-move.ts'
import { joinPath } from '../apps/files/home-path.ts'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { ELSEWHERE } from '../../session/app-state.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { clientNow } from '../desk/app-desk.ts'
import { useDesk } from '../desk/desk-store.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { workPlaceNow } from '../desk/engines-store.ts'
import { askForCommand } from '../desk/run-plan-store.ts'
import { type Carried, type CarriedCommand, type CarriedFiles, type CarriedJob, setShell } from '../desk/shell-store.ts'
import { errorWords } from '../ui/error-words.ts'
import { showToast } from '../ui/toast.tsx'
import { explain, type PlanOffer, planOffer } from './run-plan.ts'
import { runPlanned, type RunWhere } from './run-there.ts'
import { runInTerminal } from '../apps/show-terminal.ts'

export type CarriedWork = CarriedCommand | CarriedFiles | CarriedJob
export const isWork = (carried: Carried | undefined): carried is CarriedWork =>
  carried?.kind === 'command' || carried?.kind === 'files' || carried?.kind === 'job'

/** Tile of no device: placement decides. */
export const BEST_TILE = 'best'

/** What is known of the work being carried. */
export interface CarriedPlan {
  /** The command it stands for; undefined while it is read, and where a person must say it. */
  readonly line: string | undefined
  readonly folder: string | undefined
  readonly answer: PlacementAnswer | undefined
}

const NONE: CarriedPlan = { line: undefined, folder: undefined, answer: undefined }
export const useCarriedPlan = create<CarriedPlan>(() => NONE)

/** The device whose folder it would work on: jobs take files from the device they are asked of. */
export const folderDevice = (work: CarriedWork, own: string): string =>
  work.kind === 'files' ? work.device : work.kind === 'job' ? own : (work.folder?.device ?? own)

/** Finds out what is carried would be, and where it would run, while it is carried. */
export async function planCarried(work: CarriedWork, own: string, front: string, signal: AbortSignal): Promise<void> {
  useCarriedPlan.setState(NONE)
  if (work.kind === 'job' || folderDevice(work, own) !== own) return
  const folder = work.kind === 'files' ? work.parent : (work.folder?.path ?? front)
  const line = work.kind === 'files' ? await guessOf(work, signal) : work.line
  if (signal.aborted) return
  useCarriedPlan.setState({ line, folder })
  if (line === undefined) return
  const answer = await explain(own, line, folder, signal).catch(() => undefined) // asked again when it is dropped
  if (!signal.aborted && answer) useCarriedPlan.setState({ answer })
}

async function guessOf({ device, parent, names, isFolder }: CarriedFiles, signal?: AbortSignal): Promise<string | undefined> {
  const name = names[0]
  if (isFolder || names.length !== 1 || name === undefined) return undefined
  return guessForFile(clientNow(), device, parent, name, signal)
}

/** What a device's tile says of the work being carried. Pure. */
export function carriedOffer(
  work: CarriedWork,
  row: Pick<DeviceRow, 'deviceId' | 'state'>,
  own: string,
  nameOf: (device: string) => string,
  { line, answer }: Pick<CarriedPlan, 'line' | 'answer'>,
): PlanOffer {
  const offer = (takes: boolean, reason: string): PlanOffer => ({ takes, best: false, reason, time: undefined })
  if (work.kind === 'job') {
    const { takes, reason } = moveOffer(work.job, row)
    return offer(takes, reason)
  }
  if (row.state === 'away') return offer(false, 'cannot be reached now')
  if (row.state === 'connecting') return offer(false, 'still connecting')
  const from = folderDevice(work, own)
  if (from !== own) {
    if (work.kind === 'command' && row.deviceId === from) return offer(true, 'in a terminal, in its folder there')
    return offer(false, from === ELSEWHERE ? 'only while Elsewhere is mounted as a folder' : `its files lie on ${nameOf(from)}`)
  }
  if (work.kind === 'files' && work.isFolder) return offer(true, 'runs what you type next on these files')
  if (answer) return planOffer(answer, row)
  return offer(true, line === undefined ? 'asks what to do with it' : 'asking…')
}

/** What was carried is let go of over a tile: it is started there, or what is missing of it is asked. */
export async function dropWork(work: CarriedWork, tile: string): Promise<void> {
  const own = useDesk.getState().deviceId
  const where: RunWhere = tile === BEST_TILE ? 'best' : { device: tile }
  const plan = useCarriedPlan.getState()
  if (where !== 'best') {
    const row = workPlaceNow(where.device)
    if (!row) return
    const offer = carriedOffer(work, row, own, (device) => deviceNameOf(useDevices.getState(), device), plan)
    if (!offer.takes) return void showToast({ title: `${row.name} cannot take it`, body: `${capital(offer.reason)}.` })
  }
  if (work.kind === 'job') {
    const row = workPlaceNow(tile)
    return row && moveJob(work.job, row)
  }
  const target = where === 'best' ? {} : { target: where.device }
  try {
    const from = folderDevice(work, own)
    if (from !== own) {
      if (work.kind === 'command' && where !== 'best') return await runInTerminal(from, work.line, work.folder?.path)
      return void showToast({
        title: `Its files lie on ${deviceNameOf(useDevices.getState(), from)}`,
        body: 'A job takes its files from the device it is asked of.',
      })
    }
    if (work.kind === 'files' && work.isFolder) return askForCommand({ folder: joinPath(work.parent, work.names[0] ?? ''), ...target })
    const line = plan.line ?? (work.kind === 'files' ? await guessOf(work) : work.line)
    const folder = plan.folder ?? (work.kind === 'files' ? work.parent : work.folder?.path)
    if (folder === undefined) return
    if (line === undefined) return askForCommand({ line: askedCommand(work.kind === 'files' ? work.names : []), folder, ...target })
    const answer = plan.answer ?? (await explain(own, line, folder, new AbortController().signal))
    await runPlanned({ line, folder, answer }, where)
  } catch (error) {
    showToast({ severity: 'error', title: 'It could not be started', body: errorWords(error) })
    setShell({ elsewhereOpen: false })
  }
}

const capital = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`
