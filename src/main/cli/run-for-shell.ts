import { spawn } from 'node:child_process'
import os from 'node:os'
import { errorMessage } from '../../base/errors.ts'
import { readProject } from '../../platform/node/read-project.ts'
import { dataOf } from './device-commands.ts'
import { EarlyInterrupt, exitCode, followToExit, INTERRUPTED } from './follow-job.ts'
import { connectDevice, type DeviceClient } from './local-client.ts'
import { plainEnvironment } from './plain-environment.ts'

/**
 * What a hooked shell runs in the place of a line that its device expects to be better off elsewhere. Places it anew with what is
 * known now; unless elsewhere still clearly wins and takes it, the line runs here, in the shell's own terminal, as if nothing had been.
 *
 * @param shell  the one the line was typed in
 */
export async function runForShell(line: string, shell: string, data: string | undefined): Promise<number> {
  const device = await connectDevice(dataOf(data)).catch(() => undefined)
  if (!device) return runHere(line, shell)
  const early = new EarlyInterrupt()
  try {
    const job = await startElsewhere(device, line)
    if (job === undefined) {
      early.dispose()
      return early.isPressed ? INTERRUPTED : runHere(line, shell)
    }
    // Nothing of the terminal's input is taken: what is typed ahead is the shell's.
    const exit = await followToExit(device, job, { signals: true, early })
    if (!exit.error) return exitCode(exit)
    say(`here: ${exit.error.message}`)
    return runHere(line, shell)
  } finally {
    early.dispose()
    device.dispose()
  }
}

/** Undefined: it belongs here, or could not be started elsewhere. */
async function startElsewhere(device: DeviceClient, commandLine: string): Promise<string | undefined> {
  const folder = process.cwd()
  try {
    const context = await readProject(folder)
    const { device: place, classification } = await device.explainPlacement({ commandLine, folder, context })
    const self = (await device.listDevices({})).find((row) => row.self)?.deviceId
    if (place === undefined || place === self || classification.label !== 'batch' || classification.effects !== 'files-only')
      return undefined
    const info = await device.startJob({
      commandLine,
      folder,
      context,
      environment: plainEnvironment(process.env),
      input: false,
      policy: { whenLost: 'again', whenOwnerReturns: 'move' },
    })
    say(info.why)
    return info.job
  } catch (error) {
    say(`here: ${errorMessage(error)}`)
    return undefined
  }
}

/** One dim line, for a person only. */
function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\u001b[2melsewhere: ${text}\u001b[22m\n`)
}

function runHere(line: string, shell: string): Promise<number> {
  const { ELSEWHERE_DATA: _ours, ...env } = process.env
  const child = spawn(shell, ['-c', line], { stdio: 'inherit', env })
  // Ctrl-C reaches it by itself; others are told on.
  const ignore = () => undefined
  const signals = ['SIGINT', 'SIGQUIT'] as const
  for (const signal of signals) process.on(signal, ignore)
  const told = ['SIGTERM', 'SIGHUP'] as const
  const tell = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of told) process.on(signal, tell)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const one of signals) process.off(one, ignore)
      for (const one of told) process.off(one, tell)
      resolve(code ?? 128 + (signal ? os.constants.signals[signal] : 0))
    })
  })
}
