import os from 'node:os'
import { parseArgs } from 'node:util'
import { CancelledError } from '../../base/errors.ts'
import { type DeviceRow, wordsOfFilesWay } from '../../sync/links-contract.ts'
import { type DataFolder, dataFolderAt, defaultDataFolder } from '../daemon/data-folder.ts'
import type { Command } from './command.ts'
import { readSecret, readSecrets } from './console-prompt.ts'
import { endSupervisor } from './end-supervisor.ts'
import { connectDevice, connectSupervisor, type DeviceClient } from './local-client.ts'
import path from 'node:path'

export const DATA_OPTION = `  --data DIR   the device's data folder (default: ${defaultDataFolder()})`

/** Options every command about a running device takes. */
export const dataOptions = { data: { type: 'string' } } as const

export const dataOf = (folder: string | undefined): DataFolder => dataFolderAt(path.resolve(folder ?? defaultDataFolder()))

/** Runs `work` with the device of `folder` and lets go of it. */
export async function withDevice<T>(folder: string | undefined, work: (device: DeviceClient) => Promise<T>): Promise<T> {
  const device = await connectDevice(dataOf(folder))
  try {
    return await work(device)
  } finally {
    device.dispose()
  }
}

/** @throws CancelledError */
export async function requireSecret(question: string): Promise<string> {
  const secret = await readSecret(question)
  if (secret === undefined || secret === '') throw new CancelledError('no passphrase was given')
  return secret
}

export const statusCommand: Command = {
  summary: 'say what runs',
  help: `Says what runs on a data folder.\n\n${DATA_OPTION}\n  --json       for programs`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { ...dataOptions, json: { type: 'boolean', default: false } } })
    const supervisor = await connectSupervisor(dataOf(values.data))
    const { processes, programs } = await supervisor.status({}).finally(() => supervisor.dispose())
    const status = await withDevice(values.data, (device) => device.status({}))
    if (values.json) {
      console.log(JSON.stringify({ ...status, processes, programs }, undefined, 2))
      return 0
    }
    const phase = { 'first-run': 'not set up yet', sealed: 'locked', open: 'open' }[status.phase]
    console.log(`${status.deviceName} · ${phase}${status.personName ? ` · ${status.personName}` : ''}\n  at        ${status.origin}`)
    if (status.deviceId) console.log(`  id        ${status.deviceId}`)
    for (const { name, pid, state, restarts } of processes) {
      console.log(`  process   ${name} ${pid ?? '-'} ${state}${restarts > 0 ? `, started again ${restarts} times` : ''}`)
    }
    for (const { name, unlocked } of status.displays) console.log(`  display   ${name} · ${unlocked ? 'unlocked' : 'locked'}`)
    console.log(`  links     ${status.links}`)
    if (programs.length > 0) console.log(`  programs  ${programs.join(', ')}`)
    return 0
  },
}

export const createCommand: Command = {
  summary: 'set up this device without a display',
  help: `Makes the keys of a new device. The passphrase is asked for, or read from standard input.

  --person NAME   your name
  --device NAME   this machine's name (default: ${os.hostname()})
  --unattended    open by itself after a restart: whoever can read the data folder can then start this device as it is
${DATA_OPTION}`,
  async run(args) {
    const options = {
      ...dataOptions,
      person: { type: 'string' },
      device: { type: 'string', default: os.hostname() },
      unattended: { type: 'boolean', default: false },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    const personName = values.person
    if (!personName) throw new TypeError('--person NAME is missing')
    const passphrase = await requireSecret('New passphrase (at least 8 characters): ')
    const { deviceId } = await withDevice(values.data, (device) =>
      device.createDevice({ personName, deviceName: values.device, passphrase, unattended: values.unattended }),
    )
    console.log(`This device is set up. Its id is ${deviceId}`)
    return 0
  },
}

export const unlockCommand: Command = {
  summary: 'open the device keys (prompts, or reads standard input)',
  help: `Opens this device's keys, so that links, files and jobs go on. Displays stay locked.\n\n${DATA_OPTION}`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: dataOptions })
    const passphrase = await requireSecret('Passphrase: ')
    await withDevice(values.data, (device) => device.unlockDevice({ passphrase }))
    console.log('This device is open.')
    return 0
  },
}

export const passphraseCommand: Command = {
  summary: 'change the passphrase of this device (prompts, or reads two lines of standard input)',
  help: `Gives this device another passphrase. Your other devices keep theirs; passkeys, wallets and recovery kits go on working.\n\n${DATA_OPTION}`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: dataOptions })
    const isTyped = process.stdin.isTTY // unseen: a slip of the finger would lock its owner out
    const questions = ['Passphrase: ', 'New passphrase (at least 8 characters): ', ...(isTyped ? ['Once more: '] : [])]
    const [passphrase, next, again] = await readSecrets(questions)
    if (passphrase === undefined || next === undefined) throw new CancelledError('no passphrase was given')
    if (isTyped && again !== next) throw new TypeError('the two are not the same; nothing was changed')
    await withDevice(values.data, (device) => device.changePassphrase({ passphrase, next }))
    console.log('This device has its new passphrase.')
    return 0
  },
}

export const lockCommand: Command = {
  summary: 'lock the device: its keys leave the memory, links close',
  help: `Locks the device and every display of it.\n\n${DATA_OPTION}`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: dataOptions })
    const { stopped } = await withDevice(values.data, (device) => device.lockDevice({}))
    console.log(['This device is locked.', ...stopped].join('\n'))
    return 0
  },
}

function filesWay(row: DeviceRow): string | undefined {
  const way = wordsOfFilesWay(row)
  return way && `files: ${way}`
}

export const devicesCommand: Command = {
  summary: 'list your devices and how they are linked',
  help: `Lists your devices.\n\n${DATA_OPTION}\n  --json       for programs`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: { ...dataOptions, json: { type: 'boolean', default: false } } })
    const rows = await withDevice(values.data, (device) => device.listDevices({}))
    if (values.json) console.log(JSON.stringify(rows, undefined, 2))
    for (const row of values.json ? [] : rows) {
      const link = row.self
        ? 'this device'
        : [row.state, row.path, row.roundTripMs && `${row.roundTripMs.toFixed(1)} ms`, filesWay(row)].filter(Boolean).join(' · ')
      console.log(`${row.name.padEnd(24)} ${row.deviceId.slice(0, 12)}  ${link}`)
    }
    return 0
  },
}

export const debugCommand: Command = {
  summary: 'print the inside: peers, links, documents, queues',
  help: `Prints what the debug panel shows.\n\n${DATA_OPTION}`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: dataOptions })
    console.log(await withDevice(values.data, async (device) => (await device.readDebug({})).text))
    return 0
  },
}

export const stopCommand: Command = {
  summary: 'end the device and everything it runs',
  help: `Ends the device, its windows and the programs in its terminals.\n\n${DATA_OPTION}`,
  async run(args) {
    const { values } = parseArgs({ args: [...args], options: dataOptions })
    const supervisor = await connectSupervisor(dataOf(values.data))
    await endSupervisor(supervisor)
    supervisor.dispose()
    console.log('Everything has ended.')
    return 0
  },
}
