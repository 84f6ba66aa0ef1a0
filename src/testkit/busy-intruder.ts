import { deferred } from '../base/deferred.ts'
import { PASSPHRASE, type WorldDevice } from './device-world.ts'

export type Busy = 'terminal' | 'job' | 'transfer'

export interface BusyIntruder {
  /** Resolves when that one is over for the intruder. */
  readonly ended: Readonly<Record<Busy, Promise<void>>>
  /** Lets the file that it is reading go on its way: who is cut off must not get it. Answers what became of the read. */
  letFileGo(): Promise<'read' | 'refused'>
}

/** Puts `intruder`, which `host` still trusts, in the middle of a terminal, a job and the reading of a file there. */
export async function keepBusy(intruder: WorldDevice, host: WorldDevice, ids: Readonly<Record<string, string>>): Promise<BusyIntruder> {
  const device = ids[host.name] as string
  const display = intruder.connect(`display of ${intruder.name}, at work`)
  await display.hello({ displayName: 'at work' })
  await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
  const size = { columns: 80, rows: 24 }
  const { terminalId } = await display.openTerminal({ device, ...size })
  const { channel } = await display.attachTerminal({ device, terminalId, ...size })
  const shown = display.channel(channel)
  shown.onDidReceive(() => {}) // a channel tells of its end when all that came before has been read
  const terminal = new Promise<void>((resolve) => void shown.onDidClose(() => resolve()))

  const before = host.jobSpawner.processes.length
  await intruder.control().startJob({ commandLine: 'cc in.c', folder: '/home/test', input: false, policy: { where: { device } } })
  const process = await until(() => host.jobSpawner.processes[before])
  const job = until(() => process.hasEnded || undefined).then(() => undefined)

  const file = deferred<void>()
  const asked = deferred<void>()
  const read = host.disk.read.bind(host.disk)
  host.disk.files.set('/home/test/secret', { bytes: new Uint8Array(1_000_000), version: 1 })
  host.disk.read = async (path) => {
    asked.resolve()
    await file.promise
    return read(path)
  }
  const reading = display.readBytes({ device, path: '/home/test/secret' }).then(
    () => 'read' as const,
    () => 'refused' as const,
  )
  await asked.promise
  return {
    ended: { terminal, job, transfer: reading.then(() => undefined) },
    letFileGo() {
      file.resolve()
      return reading
    },
  }
}

/** Asks every few milliseconds, for a minute at most. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const startMs = performance.now(); performance.now() - startMs < 60_000; ) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error('what was waited for did not come within a minute')
}
