import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { defined } from '../../base/defined.ts'
import { classify, ClassifyTable } from '../../device/jobs/classify-words.ts'
import { readProject } from '../../platform/node/read-project.ts'
import type { Classification } from '../../jobs/job-contract.ts'
import type { LearnedNote } from '../../jobs/seen-behaviour-contract.ts'
import type { Command } from './command.ts'
import { dataOf } from './device-commands.ts'
import { learnedText } from './explain-command.ts'
import { connectDevice } from './local-client.ts'
import { shellLine } from './shell-line.ts'

const EFFECTS = { 'files-only': 'files in its folder only', 'this-machine': 'this machine', 'world-once': 'the world, once' } as const

export const classifyCommand: Command = {
  summary: 'say what a command line is, and why, without running it',
  help: `Says whether a command ends by itself (batch), goes on until it is stopped (service), needs you (interactive),
or may be either (ambiguous). Nothing is run. Where a device runs, what your devices saw of such a command counts. Scripts of this folder's package.json, Makefile, justfile, Taskfile,
Dockerfile and compose file are followed.

  elsewhere classify [--json] COMMAND...
  elsewhere classify --tsv FILE    a table with columns id, kind, name, command, context; prints id, label, confidence, reason`,
  async run(args) {
    const [first, ...rest] = args
    if (first === '--tsv') {
      if (rest.length !== 1) throw new TypeError('--tsv takes one FILE')
      await classifyFile(rest[0] as string)
      return 0
    }
    const json = first === '--json'
    const words = (json ? rest : args).filter((word, index) => !(index === 0 && word === '--'))
    if (words.length === 0) throw new TypeError('which COMMAND?')
    const { classification: found, learned } = await recalled(shellLine(words))
    if (json) {
      console.log(JSON.stringify({ ...found, ...(learned && { learned }) }, undefined, 2))
      return 0
    }
    console.log(`${found.label}  ${Math.round(found.confidence * 100)} %\n  why      ${found.reason}\n  changes  ${EFFECTS[found.effects]}`)
    if (learned) console.log(`  known    ${learnedText(learned, found)}`)
    const needs = found.endpoints.filter(({ kind }) => kind !== 'files-in' && kind !== 'files-out')
    if (needs.length > 0)
      console.log(`  needs    ${needs.map((one) => (one.kind === 'port' ? `port ${one.number ?? '?'}` : one.kind)).join(', ')} at the seat`)
    return 0
  },
}

/** With what was learned of the line, where a device runs and is open; its words alone otherwise. */
async function recalled(
  commandLine: string,
): Promise<{ readonly classification: Classification; readonly learned?: LearnedNote | undefined }> {
  const folder = process.cwd()
  const { scripts, ...files } = await readProject(folder)
  const context = { ...(scripts && { scripts }), ...defined(files) }
  const device = await connectDevice(dataOf(undefined)).catch(() => undefined)
  try {
    if (device) return await device.recallBehaviour({ commandLine, folder, context })
  } catch {
    // it is locked, or of another version: what the words say can be said without it
  } finally {
    device?.dispose()
  }
  return { classification: classify(commandLine, { ...(scripts && { scripts }), files: defined(files) }) }
}

async function classifyFile(file: string): Promise<void> {
  const table = new ClassifyTable()
  let waiting: string[] = []
  const write = async () => {
    const text = waiting.join('')
    waiting = []
    if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
    const answer = table.read(line)
    if (answer !== undefined) waiting.push(`${answer}\n`)
    if (waiting.length >= 1_000) await write()
  }
  await write()
}
