import { parseArgs } from 'node:util'
import type { PlacementAnswer, PlacedRow } from '../../jobs/placement-contract.ts'
import type { LearnedNote } from '../../jobs/seen-behaviour-contract.ts'
import { readProject } from '../../platform/node/read-project.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import { listPlaces } from './find-device.ts'
import { shellLine } from './shell-line.ts'

export const explainCommand: Command = {
  summary: 'say where a command would run, and why, without running it',
  help: `Says what a command is and where it would run: every device with its reason and what it would cost.

  elsewhere explain [options] COMMAND...

${DATA_OPTION}
  --on DEVICE  as if you had chosen that device (id or the start of one)
  --image IMAGE  as if it was to run in that image, on an engine that runs images
  --json       for programs`,
  async run(args) {
    const { values, words } = splitOptions(args)
    if (words.length === 0) throw new TypeError('which COMMAND?')
    const folder = process.cwd()
    const context = await readProject(folder)
    const answer = await withDevice(values.data, async (device) => {
      const wanted = values.on === undefined ? undefined : chosen(await listPlaces(device), values.on)
      return device.explainPlacement({
        commandLine: shellLine(words),
        folder,
        context,
        policy: {
          ...(wanted !== undefined && { where: { device: wanted } }),
          ...(values.image !== undefined && { image: values.image }),
        },
      })
    })
    console.log(values.json ? JSON.stringify(answer, undefined, 2) : explainText(answer))
    return 0
  },
}

/** Options stand before the command; the command's own are its own. */
export function splitOptions(args: readonly string[]): {
  readonly values: { data?: string; on?: string; image?: string; json: boolean }
  readonly words: readonly string[]
} {
  let at = 0
  while (at < args.length && args[at]?.startsWith('-') && args[at] !== '--') at += args[at] === '--json' || args[at]?.includes('=') ? 1 : 2
  const options = { ...dataOptions, on: { type: 'string' }, image: { type: 'string' }, json: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ args: args.slice(0, at), options })
  const { data, on, image, json } = values
  return {
    values: { ...(data !== undefined && { data }), ...(on !== undefined && { on }), ...(image !== undefined && { image }), json },
    words: args.slice(args[at] === '--' ? at + 1 : at),
  }
}

function chosen(rows: readonly { readonly deviceId: string; readonly name: string }[], wanted: string): string {
  const found = rows.filter(({ deviceId, name }) => name === wanted || deviceId.startsWith(wanted))
  if (found.length !== 1 || !found[0])
    throw new TypeError(`${found.length === 0 ? 'no device is' : 'more than one device is'} called ${wanted}`)
  return found[0].deviceId
}

/** What it is, where it goes, and the table. */
export function explainText({ classification, learned, reason, table }: PlacementAnswer): string {
  const width = Math.max(6, ...table.map(({ name }) => name.length))
  const mark = { chosen: '*', possible: ' ', no: '-' } as const
  const row = ({ name, outcome, why, cost }: PlacedRow) =>
    `${mark[outcome]} ${name.padEnd(width)}  ${(cost ? costText(cost.totalMs) : '').padStart(8)}  ${why}`
  return [
    `${classification.label}, ${Math.round(classification.confidence * 100)} %: ${classification.reason}`,
    ...(learned ? [learnedText(learned, classification)] : []),
    reason,
    '',
    ...table.map(row),
  ].join('\n')
}

/** Where it is from, and whether it made another thing of the line than its words. */
export const learnedText = ({ words, was }: LearnedNote, { label }: { readonly label: string }): string =>
  was === label ? words : `${words}; by its words alone it would be ${was}`

const costText = (ms: number): string =>
  ms < 950 ? `${Math.round(ms)} ms` : ms < 100_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
