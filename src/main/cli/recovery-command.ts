import { open, readFile, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { toBase64Url } from '../../base/bytes.ts'
import { CancelledError } from '../../base/errors.ts'
import type { Command } from './command.ts'
import { readSecrets } from './console-prompt.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'

/** As the device reads it: larger is no kit. */
const MAX_FILE_BYTES = 1_280 * 1024

export const recoveryCommand: Command = {
  summary: 'make a recovery kit, or get everything back with one',
  help: `A recovery kit is a file and words on paper. Together they are you: keep them in two places.

  elsewhere recovery make [--out FILE] [--page FILE]
      where your person key lies; asks for the passphrase. --page writes a page to print; without it the words are shown here, once
  elsewhere recovery restore FILE [--device NAME] [--unattended]
      on a machine that is not set up yet; asks for the words, then for a new passphrase (from standard input: a line each).
      The desk comes from any device of yours that can still be reached.

  --out FILE     default: named after you and today; never written over
  --device NAME  what this machine is called (default: ${os.hostname()})
${DATA_OPTION}`,
  async run(args) {
    const options = {
      ...dataOptions,
      out: { type: 'string' },
      page: { type: 'string' },
      device: { type: 'string', default: os.hostname() },
      unattended: { type: 'boolean', default: false },
    } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what, file] = positionals
    if (what === 'make' && file === undefined) return make(values)
    if (what === 'restore' && file !== undefined) return restore(file, values)
    throw new TypeError('use "recovery make" or "recovery restore FILE"')
  },
}

async function make({ data, page, ...given }: { [option in 'data' | 'out' | 'page']?: string | undefined }): Promise<number> {
  return withDevice(data, async (device) => {
    const { possible } = await device.readRecovery({})
    const passphrase = possible ? await requireSecret('Passphrase: ') : 'none' // the device says why not
    const kit = await device.makeRecoveryKit({ passphrase })
    const out = given.out ?? kit.fileName
    await writeNew(out, kit.file)
    console.log(`The kit of ${kit.personName} is in ${path.resolve(out)}. It knows ${kit.devices.join(', ')}.`)
    if (page === undefined) console.log(`\nWrite these words on paper. They are shown once, and the file is worth nothing without them:\n`)
    if (page === undefined) console.log(kit.words.map((word, index) => `  ${String(index + 1).padStart(2)}  ${word}`).join('\n'))
    else {
      await writeNew(page, kit.page.replaceAll(kit.fileName, path.basename(out)))
      console.log(`Print ${path.resolve(page)} and delete it: it holds the words, and must not lie beside the file.`)
    }
    return 0
  })
}

async function restore(
  file: string,
  { data, device: deviceName, unattended }: { data?: string | undefined; device: string; unattended: boolean },
): Promise<number> {
  const { size } = await stat(file)
  if (size > MAX_FILE_BYTES) throw new TypeError(`${file} is larger than any recovery kit`)
  const kit = toBase64Url(await readFile(file))
  const [words, passphrase] = await readSecrets(['Words of the kit: ', 'New passphrase for this machine (at least 8 characters): '])
  if (!words || !passphrase) throw new CancelledError('the words and a new passphrase are needed')
  const { deviceId, personName, others } = await withDevice(data, (device) =>
    device.restoreDevice({ kit, words, passphrase, deviceName, unattended }),
  )
  console.log(`This machine is a device of ${personName} again. Its id is ${deviceId}`)
  if (others.length > 0) console.log(`The desk comes as soon as one of these is reached: ${others.join(', ')}.`)
  console.log('Remove those that are lost ("elsewhere device revoke NAME"), and make a new kit.')
  return 0
}

/** Readable by its owner only; a file that is there already is kept. */
async function writeNew(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await writeFile(handle, text)
  } finally {
    await handle.close()
  }
}
