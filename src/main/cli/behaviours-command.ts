import { parseArgs } from 'node:util'
import type { BehaviourRow } from '../../jobs/behaviours-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'

export const behavioursCommand: Command = {
  summary: 'what was learned of commands, on all your devices',
  help: `Lists what was seen of commands when they ran as jobs or in hooked shells, newest first: how long they took, whether they listened
or read a terminal, what they wrote. Numbers, paths, hashes and secrets are folded. It is shared between your devices, and makes the next
guess better; what a command may change is never learned.

  elsewhere behaviours [TEXT]
  elsewhere behaviours forget KEY...

${DATA_OPTION}
  --json       for programs

TEXT is looked for in the commands. KEY is the start of a key.`,
  async run(args) {
    const options = { ...dataOptions, json: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [verb, ...keys] = positionals
    return withDevice(values.data, async (device) => {
      const all = await device.listBehaviours({})
      if (verb === 'forget') {
        if (keys.length === 0) throw new TypeError('forget which KEY? "elsewhere behaviours" lists them')
        const found = keys.map((key) => oneOf(all, key))
        for (const { key } of found) await device.forgetBehaviour({ key })
        if (values.json) console.log(JSON.stringify({ forgotten: found.map(({ key }) => key) }))
        else for (const { shape } of found) console.log(`forgotten: ${shape}`)
        return 0
      }
      const text = positionals.join(' ')
      const shown = all.filter(({ shape }) => shape.includes(text))
      if (values.json) console.log(JSON.stringify(shown, undefined, 2))
      else for (const line of behaviourLines(shown)) console.log(line)
      return 0
    })
  },
}

/** @throws TypeError  none or several begin so */
export function oneOf(rows: readonly BehaviourRow[], wanted: string): BehaviourRow {
  const found = rows.filter(({ key }) => key.startsWith(wanted))
  if (found.length === 1 && found[0]) return found[0]
  throw new TypeError(found.length === 0 ? `nothing is known by ${wanted}` : `more than one key begins with ${wanted}`)
}

export const behaviourLines = (rows: readonly BehaviourRow[]): string[] =>
  rows.map(({ key, shape, words }) => `${key.slice(0, 8)}  ${shape.slice(0, 100)}\n          ${words}`)
