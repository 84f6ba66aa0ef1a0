import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { EngineRow } from '../../jobs/engines/engines-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  url: { type: 'string' },
  user: { type: 'string' },
  shared: { type: 'string' },
  partition: { type: 'string' },
  'token-file': { type: 'string' },
} as const

export const engineCommand: Command = {
  summary: 'schedulers beyond your machines that jobs can be sent to: Slurm',
  help: `Adds, lists and removes engines: "elsewhere run --on NAME", "on: NAME" in a workflow, and "elsewhere explain" then count them in.
Jobs there run as your account there, without a sandbox, in the very folder: it lies below one that both machines see.

  elsewhere engine add NAME --url http://HOST:6820 --shared FOLDER [--user USER] [--partition NAME] [--token-file FILE]
  elsewhere engine list
  elsewhere engine remove NAME

${DATA_OPTION}
  --url URL        of slurmrestd (its API v0.0.38: Slurm 21.08 to 23.02)
  --shared FOLDER  below your home, at the same path there; what jobs write is kept in .elsewhere-jobs in it
  --user USER      your account there; else the one here
  --token-file F   holds the token that "scontrol token" prints; else it is read from standard input. Kept sealed
  --json           for programs`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [verb, name] = positionals
    if (verb === undefined || !['add', 'list', 'remove'].includes(verb)) throw new TypeError('add, list or remove?')
    if (verb !== 'list' && name === undefined) throw new TypeError(`${verb} which engine?`)
    const say = (row: EngineRow) => console.log(values.json ? JSON.stringify(row, undefined, 2) : lineOf(row))
    return withDevice(values.data, async (device) => {
      if (verb === 'list') {
        const rows = await device.listEngines({ ask: true })
        if (values.json) console.log(JSON.stringify(rows, undefined, 2))
        else for (const row of rows) say(row)
      } else if (verb === 'remove') {
        await device.removeEngine({ name: name as string })
        if (values.json) console.log(JSON.stringify({ removed: name }))
      } else {
        const { url, shared, partition } = values
        if (url === undefined || shared === undefined) throw new TypeError('add needs --url and --shared')
        const user = values.user ?? process.env.USER ?? 'root'
        const token = tokenOf(await readToken(values['token-file']))
        const settings = { name: name as string, kind: 'slurm', url, user, shared: path.resolve(shared), token } as const
        say(await device.addEngine({ ...settings, ...(partition !== undefined && { partition }) }))
      }
      return 0
    })
  },
}

async function readToken(file: string | undefined): Promise<string> {
  if (file !== undefined) return readFile(file, 'utf8')
  let text = ''
  for await (const piece of process.stdin.setEncoding('utf8')) text += String(piece)
  return text
}

/** `SLURM_JWT=...` as scontrol prints it, or the token alone. */
const tokenOf = (text: string): string => text.trim().replace(/^SLURM_JWT=/, '')

const lineOf = ({ name, state, url, shared, why }: EngineRow): string =>
  `${name.padEnd(16)} ${state.padEnd(8)} ${url}  ${shared}\n          ${why}`
