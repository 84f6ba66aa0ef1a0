import { ELSEWHERE } from '../../../session/app-state.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { askForCommand } from '../../desk/run-plan-store.ts'
import { deviceNameNow } from '../app-hooks.ts'
import { askedCommand, guessForFile } from '../guess-command.ts'
import type { PaneEntry } from './file-source.ts'
import { joinPath } from './home-path.ts'

/** The folder of a device that programs know what a pane shows by. */
export interface RunPlace {
  readonly device: string
  readonly parent: string
}

/** What lies in a dataset is run from where this device has it mounted: there it has a path that programs know. */
export const runPlaceOf = (device: string, path: string, own: string, mountedAt: string | undefined): RunPlace =>
  device === ELSEWHERE && mountedAt !== undefined
    ? { device: own, parent: `${mountedAt}${path === '/' ? '' : path}` }
    : { device, parent: path }

/** Why what lies at a place cannot be run from this device; undefined: it can. */
export function notRunnable({ device }: RunPlace, own: string): string | undefined {
  if (device === own) return undefined
  return device === ELSEWHERE ? 'Mount Elsewhere as a folder first' : `It lies on ${deviceNameNow(device)}`
}

/** The keyboard's way to the elsewhere dock: the command field, with what is known filled in. `names`: all that are chosen with it. */
export async function runElsewhere({ device, parent }: RunPlace, entry: PaneEntry, names: readonly string[]): Promise<void> {
  if (entry.kind === 'folder') return askForCommand({ folder: joinPath(parent, entry.name) })
  const guess = names.length === 1 ? await guessForFile(clientNow(), device, parent, entry.name) : undefined
  askForCommand({ line: guess ?? askedCommand(names), folder: parent })
}
