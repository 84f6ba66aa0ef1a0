import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { deferred } from '../../base/deferred.ts'
import { MAX_WORKFLOW_TEXT, type StepInfo, TEXT_TOO_LARGE, type WorkflowInfo } from '../../jobs/workflow/workflow-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import { listPlaces } from './find-device.ts'
import { INTERRUPTED } from './follow-job.ts'
import type { DeviceClient } from './local-client.ts'
import { stepLine, summaryLine, workflowLine } from './workflow-lines.ts'

const options = { ...dataOptions, json: { type: 'boolean', default: false }, detach: { type: 'boolean', default: false } } as const

export const workflowCommand: Command = {
  summary: 'run a file of jobs that need each other; what is as it was is not run again',
  help: `Runs the jobs of a YAML file, each when what it needs is done, with copies of its inputs out of a dataset; what it puts out goes back into it.
What came of a job is known by its command, its variables and the content of all it read: while that is the same, it is not run again.

  elsewhere workflow run [--detach] FILE    run what is not as it would be; Ctrl-C cancels
  elsewhere workflow show FILE              what would run now and why, or what is wrong and on which line; runs nothing
  elsewhere workflow list
  elsewhere workflow cancel FILE

${DATA_OPTION}
  --detach     do not wait for its end
  --json       for programs; of a run a line for each change, then one for the end; a list without steps ("show" has them)

FILE:
  name: Pictures            # of its own if left out, as are:
  dataset: Home             #   in which all paths are ("elsewhere fs put" puts files there)
  folder: pictures/2026     #   the folder that they start from
  parallel: 4               #   jobs at once; else as many as this device has cores
  jobs:
    thumbs:
      inputs: [raw/]                              # in its folder when it starts, with all that its needs put out
      matrix: { size: [200, 800] }                # one run for each
      env: { QUALITY: 80 }
      run: ./shrink raw out/\${{ matrix.size }}    # a shell's line, or several
      outputs: ["out/\${{ matrix.size }}"]
    page:
      needs: [thumbs]
      run: ls out/* > page.txt
      outputs: [page.txt]
      on: best              # best (where it suits), here, or the name of a device or engine
      network: false        # may it reach the network on another device
      again: true           # when its device is lost, begin it anew on another one

Exit code: 0 done, 1 something failed or is wrong in the file, 130 cancelled.`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [verb, file, ...more] = positionals
    if (more.length > 0) throw new TypeError('one FILE at a time')
    if (verb === 'list') return withDevice(values.data, (device) => list(device, values.json))
    if (!verb || !['run', 'show', 'cancel'].includes(verb)) throw new TypeError('run, show, cancel or list?')
    if (file === undefined) throw new TypeError(`${verb} which FILE?`)
    const source = path.resolve(file)
    const text = verb === 'cancel' ? '' : await readText(source)
    return withDevice(values.data, async (device) => {
      if (verb === 'cancel') return cancel(device, source, values.json)
      const { problems, info }: Awaited<ReturnType<typeof device.checkWorkflow>> =
        text.length > MAX_WORKFLOW_TEXT ? { problems: [TEXT_TOO_LARGE] } : await device.checkWorkflow({ source, text })
      if (!info) {
        if (values.json) console.log(JSON.stringify({ problems }, undefined, 2))
        else for (const { line, column, message, code } of problems) console.error(`${file}:${line}:${column}: ${message} [${code}]`)
        return 1
      }
      if (verb === 'run') return run(device, { source, text }, values)
      if (values.json) console.log(JSON.stringify(info, undefined, 2))
      else await printSteps(device, info)
      return 0
    })
  },
}

/** @throws TypeError  it cannot be read */
async function readText(source: string): Promise<string> {
  try {
    return await readFile(source, 'utf8')
  } catch (error) {
    throw new TypeError(`${source} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
}

async function printSteps(device: DeviceClient, info: WorkflowInfo): Promise<void> {
  const nameOf = await deviceNames(device)
  console.log(workflowLine(info))
  for (const step of info.steps) console.log(`  ${stepLine(step, nameOf)}`)
}

async function list(device: DeviceClient, json: boolean): Promise<number> {
  const all = await device.listWorkflows({})
  if (json) console.log(JSON.stringify(all, undefined, 2))
  else for (const info of all) console.log(`${workflowLine(info)}\n          ${info.source}`)
  return 0
}

async function cancel(device: DeviceClient, source: string, json: boolean): Promise<number> {
  const found = (await device.listWorkflows({})).find((one) => one.source === source)
  if (!found) throw new TypeError(`${source} was never run on this device`)
  await device.cancelWorkflow({ workflow: found.workflow })
  if (json) console.log(JSON.stringify({ workflow: found.workflow, cancelled: true }))
  return 0
}

async function run(
  device: DeviceClient,
  file: { readonly source: string; readonly text: string },
  { json, detach }: { readonly json: boolean; readonly detach: boolean },
): Promise<number> {
  const nameOf = await deviceNames(device)
  const shown = new Map<string, StepInfo['state']>()
  const show = (info: WorkflowInfo) => {
    if (json) return console.log(JSON.stringify(info))
    for (const step of info.steps) {
      if (shown.get(step.step) === step.state || ['waiting', 'preparing', 'collecting'].includes(step.state)) continue
      shown.set(step.step, step.state)
      console.log(stepLine(step, nameOf))
    }
  }
  const ended = deferred<WorkflowInfo>()
  let workflow: string | undefined
  const early: WorkflowInfo[] = []
  const hear = (info: WorkflowInfo) => {
    if (workflow === undefined) return void early.push(info)
    if (info.workflow !== workflow) return
    show(info)
    if (info.state !== 'running') ended.resolve(info)
  }
  const hearing = device.onDidChangeWorkflow(hear)
  let isPressed = false
  const interrupt = () => {
    if (isPressed) process.exit(INTERRUPTED)
    isPressed = true
    // Not begun yet: cancelled as soon as it is.
    if (workflow !== undefined) void device.cancelWorkflow({ workflow }).catch(() => undefined)
  }
  if (!detach) process.on('SIGINT', interrupt)
  try {
    const begun = await device.runWorkflow(file)
    if (detach) {
      console.log(json ? JSON.stringify(begun, undefined, 2) : workflowLine(begun))
      return 0
    }
    workflow = begun.workflow
    for (const info of early) hear(info)
    if (isPressed) await device.cancelWorkflow({ workflow }).catch(() => undefined)
    const { state, ...end } = await ended.promise
    if (!json) console.log(summaryLine({ state, ...end }))
    return state === 'done' ? 0 : state === 'cancelled' ? INTERRUPTED : 1
  } finally {
    hearing.dispose()
    process.off('SIGINT', interrupt)
  }
}

async function deviceNames(device: DeviceClient): Promise<(id: string) => string> {
  const rows = await listPlaces(device)
  return (id) => rows.find(({ deviceId }) => deviceId === id)?.name ?? `${id.slice(0, 8)}…`
}
