import { parseArgs } from 'node:util'
import type { ContactRow } from '../../identity/contacts-contract.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { readProject } from '../../platform/node/read-project.ts'
import type { Command } from './command.ts'
import { findContact } from './contact-command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import { explainCommand } from './explain-command.ts'
import { findDevice, listPlaces } from './find-device.ts'
import { EarlyInterrupt, followJob } from './follow-job.ts'
import { listGuestJobs, stopGuestJob } from './guest-job-verbs.ts'
import type { DeviceClient } from './local-client.ts'
import { followTerminal, ownSize } from './follow-terminal.ts'
import { plainEnvironment } from './plain-environment.ts'
import { runForShell } from './run-for-shell.ts'
import { shellLine } from './shell-line.ts'

const runOptions = {
  ...dataOptions,
  on: { type: 'string' },
  'on-contact': { type: 'string' },
  image: { type: 'string' },
  here: { type: 'boolean', default: false },
  again: { type: 'boolean', default: false },
  move: { type: 'boolean', default: false },
  network: { type: 'boolean', default: false },
  'without-sandbox': { type: 'boolean', default: false },
  detach: { type: 'boolean', default: false },
  explain: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  'for-shell': { type: 'string' },
} as const
const WITH_VALUE = new Set(['--data', '--on', '--on-contact', '--image', '--for-shell'])

export const runCommand: Command = {
  summary: 'run a command where it suits',
  help: `Runs a command on whichever of your devices suits it: here, unless another is clearly better. Its folder goes along
and its results come back into it; output, input, Ctrl-C and the exit code are as if it ran here.

  elsewhere run [options] COMMAND...

${DATA_OPTION}
  --on DEVICE  on that device (name, id or the start of one), or that engine ("elsewhere engine list")
  --image IMAGE  what it runs in, on an engine that runs images; with @sha256:... it is always the very same
  --on-contact NAME  on a device of that contact, where they let you run jobs ("elsewhere contact list"): your folder goes there
  --here       on this one
  --network    it may reach the network there, which takes the right to a shell on it; without, only services may
  --without-sandbox  with --on: also where there is no sandbox, and for containers; takes the right to a shell there
  --again      if its device is lost and it only writes files, try elsewhere
  --move       if somebody comes to that device and it only writes files, move it; else it holds still
  --detach     do not wait: print its id; "elsewhere logs ID" shows what it writes
  --explain    say where it would run, and do not run it
  --quiet      without the line that says where it runs
  --json       with --detach the whole job; else its output as one line for each piece, then one for the end`,
  async run(args) {
    let at = 0
    while (at < args.length && args[at]?.startsWith('-') && args[at] !== '--') at += WITH_VALUE.has(args[at] ?? '') ? 2 : 1
    const { values } = parseArgs({ args: args.slice(0, at), options: runOptions })
    const words = args.slice(args[at] === '--' ? at + 1 : at)
    if (words.length === 0) throw new TypeError('which COMMAND?')
    if (values['for-shell'] !== undefined) return runForShell(shellLine(words), values['for-shell'], values.data)
    if (values.explain) {
      const { data, on, image, json } = values
      const named = { '--data': data, '--on': on, '--image': image }
      const options = Object.entries(named).flatMap(([option, value]) => (value === undefined ? [] : [option, value]))
      return explainCommand.run([...options, ...(json ? ['--json'] : []), ...words])
    }
    if (values['without-sandbox'] && values.on === undefined) throw new TypeError('--without-sandbox is for one device: name it with --on')
    const folder = process.cwd()
    const context = await readProject(folder)
    return withDevice(values.data, async (device) => {
      const contact = values['on-contact']
      const on =
        contact !== undefined
          ? deviceForJobs(findContact(await device.listContacts({}), contact))
          : values.on === undefined
            ? undefined
            : findDevice(await listPlaces(device), values.on)
      const early = values.detach ? undefined : new EarlyInterrupt()
      const started = device.startJob({
        commandLine: shellLine(words),
        folder,
        context,
        environment: plainEnvironment(process.env),
        input: !values.detach,
        network: values.network,
        policy: {
          ...(values.here && { where: 'here' as const }),
          ...(on && { where: { device: on.deviceId } }),
          ...(on && values['without-sandbox'] && { withoutSandbox: true }),
          ...(values.move && { whenOwnerReturns: 'move' as const }),
          ...(values.again && { whenLost: 'again' as const }),
          ...(values.image !== undefined && { image: values.image }),
        },
      })
      const info = await started.catch((error: unknown) => {
        early?.dispose()
        throw error
      })
      if (values.detach) {
        console.log(values.json ? JSON.stringify(info, undefined, 2) : info.job)
        return 0
      }
      if (!values.quiet && info.device !== info.folder.device && process.stderr.isTTY) console.error(`\u001b[2m${info.why}\u001b[22m`)
      return followJob(device, info.job, { input: true, json: values.json, ...(early && { early }) })
    })
  },
}

/** @throws TypeError  none of theirs does */
function deviceForJobs({ name, devices }: ContactRow): { readonly deviceId: string } {
  const found = devices.find(({ offers }) => offers.some(({ kind }) => kind === 'jobs'))
  if (found) return found
  throw new TypeError(`${name} lets you run nothing now, or none of their devices is here`)
}

export const jobsCommand: Command = {
  summary: 'list jobs: running, waiting and over',
  help: `Lists the jobs of this device, wherever they run, newest first.\n\n${DATA_OPTION}\n  --running    only those that are not over\n  --others     what this device runs for others, instead; --stop ID ends one of these\n  --json       for programs`,
  async run(args) {
    const flag = { type: 'boolean', default: false } as const
    const options = { ...dataOptions, json: flag, running: flag, others: flag, stop: { type: 'string' } } as const
    const { values } = parseArgs({ args: [...args], options })
    return withDevice(values.data, async (device) => {
      if (values.stop !== undefined) return stopGuestJob(device, values.stop)
      if (values.others) return listGuestJobs(device, values.json)
      const rows = await listPlaces(device)
      const nameOf = (id: string | undefined) => rows.find(({ deviceId }) => deviceId === id)?.name ?? id?.slice(0, 8) ?? '-'
      const jobs = (await device.listJobs({})).filter(({ endedAtMs }) => !values.running || endedAtMs === undefined)
      if (values.json) console.log(JSON.stringify(jobs, undefined, 2))
      else for (const job of jobs) console.log(lineOf(job, nameOf(job.device)))
      return 0
    })
  },
}

const jobCommand = (summary: string, help: string, run: Parameters<typeof ofJob>[0]): Command => ({
  summary,
  help: `${help}\n\n${DATA_OPTION}\n  --json       for programs; output as one line for each piece, then one for the end\n\nID is a job's id, or the start of one.`,
  run: ofJob(run),
})

export const logsCommand = jobCommand(
  'show what a job wrote',
  'Shows what a job wrote so far, and what it writes until it ends.\n\n  elsewhere logs ID',
  (device, job, json) => followJob(device, job.job, { json }),
)

export const attachCommand: Command = {
  summary: 'go on with a job: output, input, Ctrl-C; or a shell where it runs',
  help: `Shows what a job writes from now on; input and Ctrl-C reach it.

  elsewhere attach [--shell] [--whole] ID

${DATA_OPTION}
  --whole      show first what it wrote until now
  --shell      open a shell where it runs instead: in its sandbox, in its folder, until it ends. On another device that takes the
               right to a shell there
  --json       for programs; output as one line for each piece, then one for the end

ID is a job's id, or the start of one.`,
  async run(args) {
    const wantsShell = args.includes('--shell')
    const wantsWhole = args.includes('--whole')
    const attach = ofJob(async (device, job, json) => {
      if (!wantsShell) return followJob(device, job.job, { from: wantsWhole ? 0 : job.outputBytes, input: true, json })
      return followTerminal(device, await device.openJobShell({ job: job.job, ...ownSize() }))
    })
    return attach(args.filter((word) => word !== '--shell' && word !== '--whole'))
  },
}

export const cancelCommand = jobCommand(
  'end a job, wherever it runs',
  'Ends a job and everything it started.\n\n  elsewhere cancel ID',
  async (device, { job }, json) => {
    await device.cancelJob({ job })
    if (json) console.log(JSON.stringify({ job, cancelled: true }))
    return 0
  },
)

function ofJob(use: (device: DeviceClient, job: JobInfo, json: boolean) => Promise<number>): Command['run'] {
  return async (args) => {
    const options = { ...dataOptions, json: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const wanted = positionals[0]
    if (wanted === undefined) throw new TypeError('which job? "elsewhere jobs" lists them')
    return withDevice(values.data, async (device) => {
      const found = (await device.listJobs({})).filter(({ job }) => job.startsWith(wanted))
      if (found.length !== 1 || !found[0])
        throw new TypeError(found.length === 0 ? `there is no job ${wanted}` : `more than one job begins with ${wanted}`)
      return use(device, found[0], values.json)
    })
  }
}

function lineOf(
  { job, state, commandLine, exit, error, waitingFor, waits, takesInput, corrected, forwards }: JobInfo,
  device: string,
): string {
  const how = state === 'failed' ? (error ? ` (${error.code})` : ` (${exit?.code ?? '?'})`) : ''
  const line = `${job.slice(0, 8)}  ${(state + how).padEnd(12)}  ${device.padEnd(10)}  ${commandLine.split('\n')[0]?.slice(0, 100) ?? ''}`
  const more = [
    corrected && `taken for ${corrected.was} at first; ${corrected.why}`,
    waits === 'input' && takesInput ? `${waitingFor}; "elsewhere attach ${job.slice(0, 8)}" types into it` : waitingFor,
    ...(forwards ?? []).map(({ port, here }) => `port ${port} is at http://127.0.0.1:${here}`),
  ]
  return [line, ...more.filter((text) => text !== undefined).map((text) => `          ${text}`)].join('\n')
}
