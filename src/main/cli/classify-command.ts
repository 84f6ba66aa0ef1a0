import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { defined } from '../../base/defined.ts'
import { classify, ClassifyTable } from '../../device/classify-words.ts'
import { readProject } from '../../platform/node/read-project.ts'
import type { Command } from './command.ts'
import { shellLine } from './shell-line.ts'

const EFFECTS = { 'files-only': 'files in its folder only', 'this-machine': 'this machine', 'world-once': 'the world, once' } as const

export const classifyCommand: Command = {
  summary: 'say what a command line is, and why, without running it',
  help: `Says whether a command ends by itself (batch), goes on until it is stopped (service), needs you (interactive),
or may be either (ambiguous). Nothing is run. Scripts of this folder's package.json, Makefile, justfile, Taskfile,
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
    const { scripts, ...files } = await readProject(process.cwd())
    const found = classify(shellLine(words), { ...(scripts && { scripts }), files: defined(files) })
    if (json) {
      console.log(JSON.stringify(found, undefined, 2))
      return 0
    }
    console.log(`${found.label}  ${Math.round(found.confidence * 100)} %\n  why      ${found.reason}\n  changes  ${EFFECTS[found.effects]}`)
    const needs = found.endpoints.filter(({ kind }) => kind !== 'files-in' && kind !== 'files-out')
    if (needs.length > 0)
      console.log(`  needs    ${needs.map((one) => (one.kind === 'port' ? `port ${one.number ?? '?'}` : one.kind)).join(', ')} at the seat`)
    return 0
  },
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
