import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { errorMessage } from '../../base/errors.ts'
import { LEDGER_PAGE, type LedgerRow } from '../../identity/ledger-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import { ANCHOR_HELP, anchor, anchorOptions } from './ledger-anchor.ts'
import type { DeviceClient } from './local-client.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  limit: { type: 'string', default: '50' },
  against: { type: 'string' },
  online: { type: 'boolean', default: false },
  ...anchorOptions,
} as const

/** What was found, in words. */
const FAULTS = {
  edited: 'was changed after this device signed it',
  broken: 'is missing, doubled or out of its place',
  truncated: 'and all after it are gone',
  rewritten: 'belongs to another history than the one that was witnessed',
  'false-anchor': 'is where an anchor ends that does not hold',
  'lost-anchor': 'and others may be gone: the network holds an anchor that this device no longer knows',
} as const

export const ledgerCommand: Command = {
  summary: 'show and check who was linked, added, removed and what was granted',
  help: `Each device keeps a signed, hash-chained record of what it shared with whom.

  elsewhere ledger list            the newest entries
  elsewhere ledger verify          check all of it: exit code 1 when something was changed
  elsewhere ledger receipt FILE    write down how far it goes and its root; whoever keeps it can prove a later change of history
  elsewhere ledger export FILE     all of it, for "node docs/verify.mjs FILE [RECEIPT...]"
  elsewhere ledger prove SEQ FILE  one entry and the way to the root: shows that entry and no other
  elsewhere ledger anchor          put the root on Solana, where nobody can change it; off until a network is set

  --limit N        how many entries are listed (default: 50)
  --against FILE   verify: also check against a receipt
  --online         verify: also ask the network for the anchors
${ANCHOR_HELP}
  --json           for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what = 'list', first, second] = positionals
    const limit = Number(values.limit)
    if (!Number.isInteger(limit) || limit < 1) throw new TypeError('--limit takes a number from 1')
    return withDevice(values.data, async (device) => {
      switch (what) {
        case 'list':
          return list(await newest(device, limit), values.json)
        case 'verify':
          return verify(device, values)
        case 'anchor':
          return anchor(device, values)
        case 'receipt':
          return write(required(first, 'FILE'), await device.ledgerReceipt({}))
        case 'export': {
          const receipt = await device.ledgerReceipt({})
          const rows = (await newest(device, Number.MAX_SAFE_INTEGER)).reverse().filter(({ seq }) => seq < receipt.count)
          const records = rows.map(({ body, sig }) => ({ body, sig }))
          const { anchors } = await device.listAnchors({})
          return write(required(first, 'FILE'), {
            format: 'elsewhere-ledger',
            version: 1,
            device: receipt.device,
            records,
            receipt,
            anchors,
          })
        }
        case 'prove': {
          const seq = Number(required(first, 'SEQ'))
          if (!Number.isInteger(seq) || seq < 0) throw new TypeError('SEQ is the number of an entry, as "elsewhere ledger list" shows it')
          const { receipt, path, anchor: anchored } = await device.proveLedger({ seq })
          const [row] = (await device.listLedger({ before: seq + 1, limit: 1 })).rows
          const record = { body: row?.body, sig: row?.sig }
          return write(required(second, 'FILE'), {
            format: 'elsewhere-ledger-proof',
            version: 1,
            device: receipt.device,
            record,
            path,
            receipt,
            ...(anchored && { anchor: anchored }),
          })
        }
        default:
          throw new TypeError('"elsewhere ledger --help" says what can be done')
      }
    })
  },
}

/** From the newest down. */
async function newest(device: DeviceClient, limit: number): Promise<LedgerRow[]> {
  const all: LedgerRow[] = []
  let before: number | undefined
  while (all.length < limit) {
    const page = Math.min(LEDGER_PAGE, limit - all.length)
    const { rows } = await device.listLedger({ ...(before === undefined ? {} : { before }), limit: page })
    all.push(...rows)
    before = rows.at(-1)?.seq
    if (!before) break // the first entry, or none
  }
  return all
}

function list(rows: readonly LedgerRow[], isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(rows, undefined, 2))
  for (const { seq, atMs, sentence } of isJson ? [] : [...rows].reverse()) {
    console.log(`${String(seq).padStart(6)}  ${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}  ${sentence}`)
  }
  return 0
}

async function verify(device: DeviceClient, values: { against?: string | undefined; online: boolean; json: boolean }): Promise<number> {
  const receipt = values.against === undefined ? undefined : readJson(values.against)
  const { count, anchors, finding } = await device.verifyLedger({ online: values.online, ...(receipt === undefined ? {} : { receipt }) })
  if (values.json) console.log(JSON.stringify({ count, anchors, ...(finding ? { finding } : {}) }))
  else if (finding) console.log(`Entry ${finding.at} ${FAULTS[finding.fault]}. (${finding.fault})`)
  else {
    const anchored =
      anchors === 0
        ? ''
        : `, and as ${anchors} ${anchors === 1 ? 'anchor says' : 'anchors say'}${values.online ? ', which the network holds' : ''}`
    console.log(`${count} entries, all as they were written${receipt === undefined ? '' : ', and as the receipt says'}${anchored}.`)
  }
  return finding ? 1 : 0
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TypeError(`${file} cannot be read as a receipt: ${errorMessage(error)}`, { cause: error })
  }
}

function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new TypeError(`${name} is missing; "elsewhere ledger --help" says what can be done`)
  return value
}

/** Readable by its owner only: whom a device met is nobody else's business until its owner hands it on. */
function write(file: string, value: unknown): number {
  writeFileSync(file, `${JSON.stringify(value, undefined, 1)}\n`, { mode: 0o600 })
  console.log(`Written: ${file}`)
  return 0
}
