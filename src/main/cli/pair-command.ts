import { parseArgs } from 'node:util'
import type { PairingState } from '../../sync/links-contract.ts'
import type { Command } from './command.ts'
import { askYesNo } from './console-prompt.ts'
import { DATA_OPTION, dataOptions, withDevice } from './device-commands.ts'
import type { DeviceClient } from './local-client.ts'

export const pairCommand: Command = {
  summary: 'pair with another device: "pair offer" here, "pair join CODE" there',
  help: `Pairs two devices.

  elsewhere pair offer        shows a code, and a link that does the same
  elsewhere pair join CODE    on the other device, which then shows your desk; or "elsewhere join LINK"

  --rendezvous URL   where to meet, when neither the LAN nor the settings find the other device
  --yes              answer yes when names and words are shown (for scripts; compare them when you can)
${DATA_OPTION}`,
  async run(args) {
    const options = { ...dataOptions, rendezvous: { type: 'string' }, yes: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [what, code] = positionals
    if (what !== 'offer' && !(what === 'join' && code)) throw new TypeError('use "pair offer" or "pair join CODE"')
    return withDevice(values.data, async (device) => {
      if (code !== undefined) return joinWith(device, code, values)
      const ended = follow(device, values.yes)
      ended.catch(() => {}) // awaited below, unless the call itself fails first
      const offered = await device.offerPairing({})
      console.log(`Type this code on the other device (good for ten minutes):\n\n  ${offered.code}\n`)
      console.log(`Or run this there:\n\n  elsewhere join '${offered.link}'\n`)
      return ended
    })
  },
}

/** Takes a code or a link to its end. */
export async function joinWith(
  device: DeviceClient,
  code: string,
  options: { rendezvous?: string | undefined; yes: boolean },
): Promise<number> {
  const ended = follow(device, options.yes)
  ended.catch(() => {}) // awaited below, unless the call itself fails first
  await device.joinPairing({ code, ...(options.rendezvous ? { rendezvousUrl: options.rendezvous } : {}) })
  return ended
}

/** Says what happens and asks at `confirm`; resolves with the exit code when pairing has ended. */
function follow(device: DeviceClient, yes: boolean): Promise<number> {
  let asked = false
  return new Promise((resolve, reject) => {
    process.once('SIGINT', () => void device.cancelPairing({}).then(() => resolve(130), reject))
    device.onDidClose(({ reason }) => reject(new Error(`the device ended (${reason})`)))
    device.onDidChangePairing((state) => {
      if (state.step === 'confirm' && !asked) {
        asked = true
        void confirm(device, state, yes).catch(reject)
      } else if (state.step === 'done') {
        console.log(`Paired with ${state.peerName}.`)
        resolve(0)
      } else if (state.step === 'failed') {
        console.error(`elsewhere: ${state.error?.message ?? 'pairing failed'} [${state.error?.code ?? 'pairing/failed'}]`)
        resolve(1)
      }
    })
  })
}

async function confirm(device: DeviceClient, state: PairingState, yes: boolean): Promise<void> {
  console.log(
    `The other device says it is "${state.peerName}". These words must be the same on both:\n\n  ${state.safetyWords?.join(' ')}\n`,
  )
  const [becomes, whose] = [state.role === 'join' ? 'this device' : state.peerName, state.personName ?? 'the other person']
  console.log(`On yes ${becomes} becomes a device of ${whose}.`)
  const accept = yes || (await askYesNo(`Make ${becomes} one of ${whose}'s devices?`)) === true
  await device.confirmPairing({ accept })
}
