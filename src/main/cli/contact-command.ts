import { parseArgs } from 'node:util'
import type { ContactList, ContactPairing, ContactRow } from '../../identity/contacts-contract.ts'
import type { Command } from './command.ts'
import { getFile, listFolder, putFile } from './contact-file-verbs.ts'
import { endGuestShell, listGuestShells, openContactShell } from './contact-shell-verbs.ts'
import { askYesNo } from './console-prompt.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'
import { findDevice } from './find-device.ts'
import type { DeviceClient } from './local-client.ts'

const options = {
  ...dataOptions,
  json: { type: 'boolean', default: false },
  yes: { type: 'boolean', default: false },
  'as-person': { type: 'boolean', default: false },
  rendezvous: { type: 'string' },
} as const
type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values']

export const contactCommand: Command = {
  summary: 'other persons: add, name, remove them',
  help: `Other persons you trust with something of yours. A contact's devices never become yours, and may nothing until you grant it.

  elsewhere contact add               shows a code and a link for the other person
  elsewhere contact add CODE|LINK     takes the code or link that the other person shows
  elsewhere contact list
  elsewhere contact rename NAME NEW-NAME    what you call them; they do not see it
  elsewhere contact open NAME PORT [DEVICE] makes a port they share with you reachable on this machine; "contact close" ends that
  elsewhere contact ls NAME [PATH]          files they let you read
  elsewhere contact get NAME PATH [FILE]    reads one; without FILE, to standard output
  elsewhere contact put NAME FILE PATH      writes one, where they let you; "contact mkdir" and "contact rm NAME PATH" likewise
  elsewhere contact shell NAME [DEVICE]     a shell on a device of theirs, where they let you
  elsewhere contact shells                  who is in a shell on your devices now; "contact end ID" ends it
  elsewhere contact remove NAME             cuts their devices off, and takes every grant they have

  --yes              answer yes when names and words are shown (for scripts; compare them when you can)
  --rendezvous URL   where to meet, when neither the LAN nor the settings find the other device
  --as-person        sign with your person key, where it lies on this device (asks for the passphrase)
  --json             for programs
${DATA_OPTION}`,
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what = 'list', first, second, third] = positionals
    return withDevice(values.data, async (device) => {
      const listed = await device.listContacts({})
      if (what === 'list') return list(listed, values.json)
      if (what === 'shells') return listGuestShells(device, listed, values.json)
      if (what === 'end' && first) return endGuestShell(device, first)
      const act = actOf(device, listed, what, [first, second, third], values)
      if (values['as-person']) await device.openPerson({ passphrase: await requireSecret('Passphrase: ') })
      return act()
    })
  },
}

/** By name, or by the first letters of the id. @throws TypeError  none or several fit */
export function findContact({ contacts }: ContactList, name: string | undefined): ContactRow {
  if (!name) throw new TypeError('say which contact; "elsewhere contact list" lists them')
  const named = contacts.filter((row) => row.name === name)
  const found = named.length > 0 ? named : contacts.filter(({ person }) => name.length >= 6 && person.startsWith(name))
  if (found.length === 1) return found[0] as ContactRow
  throw new TypeError(found.length === 0 ? `there is no contact "${name}"` : `several contacts are called "${name}"; use the id`)
}

/** @throws TypeError  nothing was done */
function actOf(
  device: DeviceClient,
  listed: ContactList,
  what: string,
  [first, second, third]: readonly (string | undefined)[],
  values: Values,
): () => Promise<number> {
  if (what === 'add') return () => (first === undefined ? show(device, values) : take(device, first, values))
  const row = findContact(listed, first)
  const say = (done: string, text: string) => {
    console.log(values.json ? JSON.stringify({ person: row.person, done }) : text)
    return 0
  }
  if (what === 'rename' && second) {
    return async () => {
      await device.renameContact({ person: row.person, name: second })
      return say('rename', `${row.name} is called ${second} now.`)
    }
  }
  if (what === 'remove') {
    return async () => {
      await device.removeContact({ person: row.person })
      return say('remove', `${row.name} is no contact any more: their devices are cut off, and what you granted them is taken back.`)
    }
  }
  if (what === 'shell') return () => openContactShell(device, row, second)
  if (what === 'ls' || (what === 'get' && second)) {
    const path = `/${(second ?? '').replace(/^\/+/, '')}`
    const holder = row.devices.find(({ offers }) => offers.some(({ kind }) => kind === 'dataset'))
    const offer = holder?.offers.find(({ kind }) => kind === 'dataset')
    if (!holder || offer?.kind !== 'dataset') throw new TypeError(`${row.name} lets you read nothing now, or none of their devices is here`)
    const at = { person: row.person, deviceId: holder.deviceId, dataset: offer.dataset, path }
    return async () => (what === 'ls' ? listFolder(device, at) : getFile(device, at, third))
  }
  if ((what === 'put' && second && third) || ((what === 'mkdir' || what === 'rm') && second)) {
    const holder = row.devices.find(({ offers }) => offers.some((offer) => offer.kind === 'dataset' && offer.mayWrite))
    const offer = holder?.offers.find((one) => one.kind === 'dataset' && one.mayWrite)
    if (!holder || offer?.kind !== 'dataset')
      throw new TypeError(`${row.name} lets you change nothing now, or none of their devices is here`)
    const path = `/${(what === 'put' ? third : second)?.replace(/^\/+/, '')}`
    const at = { person: row.person, deviceId: holder.deviceId, dataset: offer.dataset, path }
    return async () => {
      if (what === 'put') await putFile(device, at, second, offer.mayRead)
      else if (what === 'mkdir') await device.makeContactFolder(at)
      else await device.removeContactEntry(at)
      return say(what, what === 'rm' ? `${path} is in the trash of ${row.name}.` : `${path} is with ${row.name}.`)
    }
  }
  if ((what === 'open' || what === 'close') && second) {
    const port = Number(second)
    const offering = row.devices.filter(({ offers }) => offers.some((offer) => offer.kind === 'port' && offer.port === port))
    const { deviceId, name } =
      third === undefined && offering.length === 1 ? (offering[0] as (typeof offering)[0]) : findDevice(row.devices, third)
    const at = { person: row.person, deviceId, port }
    return async () => {
      if (what === 'close') await device.closeContactPort(at)
      else {
        const { here } = await device.openContactPort(at)
        return say('open', `Port ${port} of ${name} is at http://127.0.0.1:${here}/ on this machine, for as long as it is shared with you.`)
      }
      return say('close', `Port ${port} of ${name} is closed here.`)
    }
  }
  throw new TypeError('"elsewhere contact --help" says what can be done')
}

function list(listed: ContactList, isJson: boolean): number {
  if (isJson) console.log(JSON.stringify(listed, undefined, 2))
  else if (listed.contacts.length === 0) console.log('There are no contacts.')
  for (const { name, person, safetyWords, devices } of isJson ? [] : listed.contacts) {
    console.log(`${name.padEnd(24)} ${person.slice(0, 12)}  ${safetyWords.join(' ')}`)
    for (const one of devices) {
      console.log(`  ${one.name.padEnd(22)} ${one.deviceId.slice(0, 12)}  ${one.state}`)
      for (const offer of one.offers) {
        if (offer.kind === 'dataset') console.log(`    lets you ${mayWords(offer)} the dataset ${offer.dataset}`)
        if (offer.kind === 'shell') console.log(`    lets you use a shell: "elsewhere contact shell ${name}"`)
        if (offer.kind === 'jobs') {
          const what = offer.program
            ? `the program ${offer.program}`
            : offer.jobClass === 'any'
              ? 'jobs'
              : `jobs of the class ${offer.jobClass}`
          console.log(`    runs ${what} for you, in its sandbox: "elsewhere run --on-contact ${name} COMMAND"`)
        }
        if (offer.kind !== 'port') continue
        const { port, isOpen, here } = offer
        console.log(
          `    shares port ${port} with you${isOpen ? '' : ' (nothing listens there now)'}${here === undefined ? '' : `: http://127.0.0.1:${here}/ here`}`,
        )
      }
      if (one.offersLeftOut > 0) console.log(`    and ${one.offersLeftOut} more, which a list has no room for`)
    }
  }
  return 0
}

const mayWords = ({ mayRead, mayWrite }: { readonly mayRead: boolean; readonly mayWrite: boolean }): string =>
  [
    ...(mayRead ? ['read ("contact ls", "contact get")'] : []),
    ...(mayWrite ? ['change ("contact put", "contact mkdir", "contact rm")'] : []),
  ].join(' and ')

async function show(device: DeviceClient, { yes }: Values): Promise<number> {
  const ended = follow(device, yes)
  ended.catch(() => {}) // awaited below, unless the call itself fails first
  const { code, link } = await device.offerContact({})
  console.log(`Give this to the other person, who types it under "contact add" (good once, for ten minutes):\n\n  ${code}\n`)
  console.log(`Or they run this:\n\n  elsewhere contact add '${link}'\n`)
  return ended
}

async function take(device: DeviceClient, code: string, { yes, rendezvous }: Values): Promise<number> {
  const ended = follow(device, yes)
  ended.catch(() => {}) // awaited below, unless the call itself fails first
  await device.joinContact({ code, ...(rendezvous ? { rendezvousUrl: rendezvous } : {}) })
  return ended
}

/** Says what happens and asks at `confirm`; resolves with the exit code when it has ended. */
function follow(device: DeviceClient, yes: boolean): Promise<number> {
  let asked = false
  return new Promise((resolve, reject) => {
    process.once('SIGINT', () => void device.cancelContact({}).then(() => resolve(130), reject))
    device.onDidClose(({ reason }) => reject(new Error(`the device ended (${reason})`)))
    device.onDidChangeContactPairing((state) => {
      if (state.step === 'confirm' && !asked) {
        asked = true
        void confirm(device, state, yes).catch(reject)
      } else if (state.step === 'done') {
        console.log(`${state.peerName} is a contact of yours now.`)
        resolve(0)
      } else if (state.step === 'failed') {
        console.error(`elsewhere: ${state.error?.message ?? 'it did not work'} [${state.error?.code ?? 'pairing/failed'}]`)
        resolve(1)
      }
    })
  })
}

async function confirm(device: DeviceClient, { personName, deviceName, safetyWords }: ContactPairing, yes: boolean): Promise<void> {
  console.log(
    `The other person is "${personName}", on "${deviceName}". These words must be the same on both:\n\n  ${safetyWords?.join(' ')}\n`,
  )
  console.log('On yes each of you sees the names of the other’s devices. Neither may do anything until it is granted.')
  await device.confirmContact({ accept: yes || (await askYesNo(`Is that ${personName}?`)) === true })
}
