import os from 'node:os'
import { parseArgs } from 'node:util'
import type { Command } from './command.ts'
import { DATA_OPTION, dataOptions, requireSecret, withDevice } from './device-commands.ts'
import { joinWith } from './pair-command.ts'

export const joinCommand: Command = {
  summary: 'become a device of whoever showed the link: "join LINK"',
  help: `Joins the devices of whoever showed the link ("elsewhere pair offer", or Devices in the desktop). It says first whose device this
becomes, and shows words that must be the same on both.

  elsewhere join LINK

  --device NAME  what this machine is called, if it is not set up yet (default: ${os.hostname()}); asks for a new passphrase then
  --unattended   if it is not set up yet: open by itself after a restart
  --yes          answer yes when names and words are shown (for scripts; compare them when you can)
${DATA_OPTION}`,
  async run(args) {
    const options = {
      ...dataOptions,
      device: { type: 'string', default: os.hostname() },
      unattended: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
    } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [link] = positionals
    if (!link) throw new TypeError('use "join LINK", with the link in quotes')
    return withDevice(values.data, async (device) => {
      const { phase } = await device.status({})
      if (phase === 'first-run') {
        const passphrase = await requireSecret('New passphrase for this machine (at least 8 characters): ')
        // Nobody sees this person: it is gone once the device has joined another.
        await device.createDevice({ personName: values.device, deviceName: values.device, passphrase, unattended: values.unattended })
      }
      return joinWith(device, link, values)
    })
  },
}
