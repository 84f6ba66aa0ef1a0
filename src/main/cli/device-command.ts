import { parseArgs } from 'node:util'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'
import { findDevice } from './find-device.ts'
import { parseSince } from './parse-until.ts'
import type { DeviceClient } from './local-client.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  'as-person': { type: 'boolean', default: false },
} as const

export const deviceCommand: Command = {
  summary: 'list, rename, revoke your devices; make one an admin or a member',
  help: `Your devices, by name or by the first letters of their id.

  elsewhere device list
  elsewhere device rename NAME NEW-NAME
  elsewhere device role NAME admin|member
  elsewhere device undo-since NAME TIME   revokes it, and takes out what this device heard of it since then (2h, 3d, or a date); --dry-run only says what
  elsewhere device revoke NAME    cuts it off everywhere, and gives the other devices new keys. What it has read, it has.

  --as-person   sign with your person key, where it lies on this device (asks for the passphrase)
  --json        for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what = 'list', name, value] = positionals
    return withDevice(values.data, async (device) => {
      if (what === 'list') return list(await device.listDevices({}), values.json)
      const rows = await device.listDevices({})
      // what a device did can be undone after it was removed, too: it is on no list then, and named by its whole id
      const isRemoved = what === 'undo-since' && name !== undefined && name.length >= 32 && !rows.some(({ deviceId }) => deviceId === name)
      const row = isRemoved ? { deviceId: name, name } : findDevice(rows, name)
      const act = actOf(device, row, what, value, values['dry-run'])
      if (values['as-person']) await device.openPerson({ passphrase: await requireSecret('Passphrase: ') })
      const said = await act()
      if (values.json) console.log(JSON.stringify({ deviceId: row.deviceId, done: what }))
      else console.log(said)
      return 0
    })
  },
}

function list(rows: readonly DeviceRow[], isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(rows, undefined, 2))
  for (const row of isJson ? [] : rows) {
    const state = row.self ? 'this device' : row.state
    console.log(`${row.name.padEnd(24)} ${row.deviceId.slice(0, 12)}  ${row.role.padEnd(6)}  ${state}`)
    const { outcome, byRoot, alone, together } = row.removal
    if (row.self || outcome === 'removed' || byRoot) continue
    const asked = together && together.asked.length > 0 ? ` (asked already: ${together.asked.join(', ')})` : ''
    const two = together ? `, or two admins of ${[...together.asked, ...together.open].join(', ')}${asked}` : ''
    console.log(`${' '.repeat(25)}to revoke it takes ${alone.length > 0 ? `${alone.join(' or ')}, or ` : ''}your person key${two}`)
  }
  return 0
}

/** @throws TypeError  nothing was done */
function actOf(
  device: DeviceClient,
  row: Pick<DeviceRow, 'deviceId' | 'name'>,
  what: string,
  value: string | undefined,
  dryRun: boolean,
): () => Promise<string> {
  const { deviceId, name } = row
  if (what === 'rename' && value) {
    return async () => {
      await device.renameDevice({ deviceId, name: value })
      return `${name} is called ${value} now.`
    }
  }
  if (what === 'role' && (value === 'admin' || value === 'member')) {
    return async () => {
      await device.changeDeviceRole({ deviceId, role: value })
      return `${name} is ${value === 'admin' ? 'an admin' : 'a member'} now.`
    }
  }
  if (what === 'undo-since' && value) {
    const sinceMs = parseSince(value, Date.now())
    return async () => {
      const { documents } = await device.undoDeviceSince({ deviceId, sinceMs, dryRun })
      const lines = documents.filter(({ changes }) => changes > 0).map(({ doc, changes }) => `  ${doc}: ${changes} changes`)
      const head = dryRun ? `Since then this device heard of ${name}:` : `${name} is revoked. Taken out, here and wherever this is heard:`
      return [lines.length > 0 ? head : `${head} nothing`, ...lines].join('\n')
    }
  }
  if (what === 'revoke') {
    return async () => {
      await device.removeDevice({ deviceId })
      return `${name} is no device of yours any more: it is cut off wherever that is heard, and your other devices have new keys.\nWhat it has read, it has: if it is lost or stolen, change what it knew.`
    }
  }
  throw new TypeError('"elsewhere device --help" says what can be done')
}
