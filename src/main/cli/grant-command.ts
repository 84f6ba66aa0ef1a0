import { parseArgs } from 'node:util'
import type { GrantInput, GrantList } from '../../identity/grants-contract.ts'
import type { Command } from './command.ts'
import { askYesNo } from './console-prompt.ts'
import { findContact } from './contact-command.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'
import { findDevice } from './find-device.ts'
import { identifyProgram } from './program-command.ts'
import type { DeviceClient } from './local-client.ts'
import { parseUntil } from './parse-until.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  'as-person': { type: 'boolean', default: false },
  device: { type: 'string' },
  'to-contact': { type: 'string' },
  on: { type: 'string' },
  program: { type: 'string' },
  tree: { type: 'string' },
  dataset: { type: 'string' },
  jobs: { type: 'string' },
  port: { type: 'string' },
  until: { type: 'string' },
  from: { type: 'string' },
  yes: { type: 'boolean', default: false },
  'may-pass-on': { type: 'boolean', default: false },
} as const
type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']

export const grantCommand: Command = {
  summary: 'say what your devices and programs may do on each other',
  help: `Your admin devices may do everything on each of your devices. A member follows the desk, reads, sees what runs, runs sandboxed jobs and
reaches shared ports; for more it takes a grant.

  elsewhere grant list
  elsewhere grant add ABILITY...   of: shell, files:read, files:write, tasks:read, tasks:end, jobs:run, ports:share
  elsewhere grant revoke ID        with all that was made from it

  --to-contact NAME  another person, who may from their own devices: ports:share with --port, files:read and
                     files:write with --dataset, jobs:run with --jobs (in the sandbox, without the network; with --program only that),
                     shell with --on and --until: everything that you can do on that device
  --device NAME    who may (default: any of your devices)
  --on NAME        on which of your devices (default: each)
  --program ID     only that program, as a job in its sandbox: sha256:... or pub:..., or a name or path on this machine. Of a dataset
                   (files:read, files:write), which it then sees below ~/Elsewhere where that is mounted, or of jobs (jobs:run). It
                   holds for anything that program runs, above all for an interpreter, a shell or a build tool
  --tree FOLDER    with --program: that folder belongs to it
  --dataset ID     files of a dataset, instead of the account's own
  --jobs CLASS     a class of jobs ("any": all)
  --port PORT      a shared port
  --until WHEN     30m, 12h, 7d or a date such as 2027-03-01T18:00 (default: until it is revoked)
  --may-pass-on    who has it may pass on the same or less
  --from ID        pass on that grant, the same or less
  --yes            with a shell for a contact: you know what it means
  --as-person      sign with your person key, where it lies on this device (asks for the passphrase)
  --json           for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what = 'list', ...rest] = positionals
    return withDevice(values.data, async (device) => {
      if (what === 'list') return list(await device.listGrants({}), values.json)
      const act = await actOf(device, what, rest, values)
      if (values['as-person']) await device.openPerson({ passphrase: await requireSecret('Passphrase: ') })
      await act()
      return list(await device.listGrants({}), values.json)
    })
  },
}

/** @throws TypeError  nothing was done */
async function actOf(device: DeviceClient, what: string, rest: readonly string[], values: Values): Promise<() => Promise<unknown>> {
  const { grants } = await device.listGrants({})
  const idOf = (start: string) => {
    const found = grants.filter(({ id }) => start.length >= 6 && id.startsWith(start))
    if (found.length === 1) return (found[0] as { id: string }).id
    throw new TypeError(found.length === 0 ? `there is no grant "${start}"` : `several grants begin with "${start}"`)
  }
  const [first] = rest
  if (what === 'revoke' && first) {
    const id = idOf(first)
    return () => device.revokeGrant({ id })
  }
  if (what !== 'add' || rest.length === 0) throw new TypeError('"elsewhere grant --help" says what can be done')
  const rows = await device.listDevices({})
  const contact = values['to-contact'] === undefined ? undefined : findContact(await device.listContacts({}), values['to-contact'])
  const program = values.program === undefined ? undefined : await programId(values.program, values.tree)
  const grant: GrantInput = {
    ...(contact ? { contact: contact.person } : {}),
    ...(values.device === undefined
      ? {}
      : { device: findDevice<{ deviceId: string; name: string }>(contact?.devices ?? rows, values.device).deviceId }),
    ...(values.on === undefined ? {} : { on: findDevice(rows, values.on).deviceId }),
    ...(program === undefined ? {} : { program }),
    target: targetOf(values),
    abilities: [...rest],
    mayDelegate: values['may-pass-on'],
    ...(values.until === undefined ? {} : { untilMs: parseUntil(values.until, Date.now()) }),
  }
  if (contact && rest.includes('shell') && !values.yes) {
    console.log(
      `A shell is your account on that device: ${contact.name} may do there everything that you can, with every file and program of\n` +
        'yours, with what other devices share with it, and with Elsewhere itself, in your name. What they have read, they have.',
    )
    if (!(await askYesNo(`Let ${contact.name} use it?`))) throw new TypeError('nothing was given')
  }
  const from = values.from === undefined ? undefined : idOf(values.from)
  return () => device.addGrant({ grant, ...(from === undefined ? {} : { from }) })
}

/** As it is named, or as the files of this machine say. */
const programId = async (named: string, tree: string | undefined): Promise<string> =>
  /^(image:sha256|sha256|pub):/.test(named) ? named : (await identifyProgram(named, tree)).id

function targetOf({ dataset, jobs, port }: Values): GrantInput['target'] {
  if ([dataset, jobs, port].filter((named) => named !== undefined).length > 1) throw new TypeError('a grant is about one thing')
  if (dataset !== undefined) return { kind: 'dataset', dataset }
  if (jobs !== undefined) return { kind: 'jobs', jobClass: jobs }
  if (port !== undefined) return { kind: 'port', port: Number(port) }
  return { kind: 'shell' }
}

function list(answer: GrantList, isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(answer, undefined, 2))
  else if (answer.grants.length === 0) console.log('There are no grants.')
  for (const { id, sentence, untilMs, isOver, by } of isJson ? [] : answer.grants) {
    const time =
      untilMs === undefined
        ? ''
        : `${isOver ? ', over since' : ', until'} ${new Date(untilMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    console.log(`${id.slice(0, 10)}  ${sentence}${time}. Given by ${by}.`)
  }
  return 0
}
