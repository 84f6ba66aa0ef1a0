import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { EngineRow } from '../../jobs/engines/engines-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import type { DeviceClient } from './local-client.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  url: { type: 'string' },
  user: { type: 'string' },
  kind: { type: 'string', default: 'slurm' },
  shared: { type: 'string' },
  partition: { type: 'string' },
  image: { type: 'string' },
  namespace: { type: 'string' },
  'no-token': { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
  'token-file': { type: 'string' },
} as const

export const engineCommand: Command = {
  summary: 'schedulers beyond your machines that jobs can be sent to: Slurm, Bacalhau',
  help: `Adds, lists and removes engines: "elsewhere run --on NAME", "on: NAME" in a workflow, and "elsewhere explain" then count them in.
Slurm: jobs run as your account there, without a sandbox, in the very folder: it lies below one that both machines see.
Bacalhau: jobs run in an image (a line that begins with FILE.wasm: as that module). What is in the folder goes along, where
whoever runs the nodes can read it; what came of it comes back into the folder. 32 MiB of files go along, 6 MiB when packed.

  elsewhere engine add NAME --url http://HOST:6820 --shared FOLDER [--user USER] [--partition NAME] [--token-file FILE]
  elsewhere engine add NAME --kind bacalhau --url http://HOST:1234 [--image IMAGE] [--namespace NAME] [--token-file FILE | --no-token]
  elsewhere engine list
  elsewhere engine remove NAME [--force]

${DATA_OPTION}
  --kind KIND      slurm or bacalhau; else slurm
  --url URL        of slurmrestd (its API v0.0.38: Slurm 21.08 to 23.02), or of a Bacalhau orchestrator (its API v1: 1.9)
  --shared FOLDER  below your home, at the same path there; what jobs write is kept in .elsewhere-jobs in it
  --user USER      your account there; else the one here
  --image IMAGE    for jobs that name none with "run --image"; with @sha256:... it is always the very same
  --token-file F   holds the token that "scontrol token" prints, or the API key; else it is read from standard input. Kept sealed
  --no-token       it asks for no key
  --force          remove it though jobs run there: they go on, and are heard of again only when it is added again
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
        await device.removeEngine({ name: name as string, force: values.force })
        if (values.json) console.log(JSON.stringify({ removed: name }))
      } else {
        say(await device.addEngine(await engineOf(name as string, values)))
      }
      return 0
    })
  },
}

type Values = Partial<Record<'url' | 'shared' | 'partition' | 'user' | 'image' | 'namespace' | 'token-file', string | undefined>> & {
  readonly kind: string
  readonly 'no-token': boolean
}

async function engineOf(name: string, values: Values): Promise<Parameters<DeviceClient['addEngine']>[0]> {
  const { kind, url, shared, partition, image, namespace } = values
  if (kind !== 'slurm' && kind !== 'bacalhau') throw new TypeError('--kind slurm or bacalhau')
  if (url === undefined) throw new TypeError('add needs --url')
  if (kind === 'slurm' && shared === undefined) throw new TypeError('add needs --shared')
  const token = values['no-token'] && kind === 'bacalhau' ? '' : tokenOf(await readToken(values['token-file']))
  if (kind === 'bacalhau')
    return { name, kind, url, token, ...(image !== undefined && { image }), ...(namespace !== undefined && { namespace }) }
  const user = values.user ?? process.env.USER ?? 'root'
  return { name, kind, url, user, shared: path.resolve(shared as string), token, ...(partition !== undefined && { partition }) }
}

async function readToken(file: string | undefined): Promise<string> {
  if (file !== undefined) return readFile(file, 'utf8')
  let text = ''
  for await (const piece of process.stdin.setEncoding('utf8')) text += String(piece)
  return text
}

/** `SLURM_JWT=...` as scontrol prints it, or the token alone. */
const tokenOf = (text: string): string => text.trim().replace(/^SLURM_JWT=/, '')

function lineOf(row: EngineRow): string {
  const more = row.kind === 'slurm' ? row.shared : [row.namespace && `namespace ${row.namespace}`, row.image].filter(Boolean).join(', ')
  const jobs = row.jobs ? `, ${row.jobs === 1 ? 'a job of yours runs' : `${row.jobs} jobs of yours run`} there` : ''
  return `${row.name.padEnd(16)} ${row.state.padEnd(8)} ${row.url}  ${more}\n          ${row.why}${jobs}`
}
