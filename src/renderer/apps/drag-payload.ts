import * as z from 'zod'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { type CarriedCommand, type CarriedFiles, type CarriedJob, setShell } from '../desk/shell-store.ts'

/** MIME type of files dragged between apps, windows and docks. Only Elsewhere reads it; other programs get plain text. */
export const FILES_DRAG_TYPE = 'application/x-elsewhere-files'

const payload = z.object({
  device: z.string().min(1).max(64),
  paths: z.array(z.string().min(1).max(4096)).min(1).max(1000),
})
/** Files of one device, by absolute path there. */
export type FilesPayload = z.infer<typeof payload>

function writeFilesPayload(transfer: DataTransfer, files: FilesPayload): void {
  transfer.setData(FILES_DRAG_TYPE, JSON.stringify(files))
  transfer.setData('text/plain', files.paths.join('\n'))
  transfer.effectAllowed = 'copyMove'
}

/** What is being dropped, if it is files of ours; anything may be dragged in from outside, so it is parsed. */
export function readFilesPayload(transfer: Pick<DataTransfer, 'getData'>): FilesPayload | undefined {
  const text = transfer.getData(FILES_DRAG_TYPE)
  if (text === '' || text.length > 5_000_000) return undefined
  try {
    const read = payload.safeParse(JSON.parse(text))
    return read.success ? read.data : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Files of one folder are carried: to other windows as paths, to the elsewhere dock as something to run or to run in. */
export function carryFiles(transfer: DataTransfer, files: FilesPayload, work: Omit<CarriedFiles, 'kind'>): void {
  writeFilesPayload(transfer, files)
  carryNow({ kind: 'files', ...work })
}

/** A command is carried: to other windows as text, to the elsewhere dock as something to run. */
export function carryCommand(transfer: DataTransfer, command: Omit<CarriedCommand, 'kind'>): void {
  transfer.setData('text/plain', command.line)
  transfer.effectAllowed = 'copy'
  carryNow({ kind: 'command', ...command })
}

/** A job that runs is carried: to the elsewhere dock, to go on on another device. */
export function carryJob(transfer: DataTransfer, job: JobInfo): void {
  transfer.setData('text/plain', job.commandLine)
  transfer.effectAllowed = 'copy'
  carryNow({ kind: 'job', job })
}

/** A frame later: a page that changes while a drag begins ends that drag in Chromium. */
const carryNow = (carried: CarriedCommand | CarriedFiles | CarriedJob): void => void setTimeout(() => setShell({ carried }))

/** A path as one word of a POSIX shell. */
export const shellQuote = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)
