import type { AnchorSettings, AnchorState } from '../../identity/ledger-contract.ts'
import type { DeviceClient } from './local-client.ts'

export const anchorOptions = {
  settings: { type: 'boolean', default: false },
  network: { type: 'string' },
  rpc: { type: 'string' },
  every: { type: 'string' },
  cap: { type: 'string' },
} as const

export const ANCHOR_HELP = `  --settings       anchor: show how it is set and what it has cost, without anchoring; with one of the following, set it
  --network NAME   off, devnet, mainnet-beta or custom
  --rpc URL        the server to use; "" for the public one of that network
  --every HOURS    how often it anchors by itself
  --cap LAMPORTS   what all anchors of a day may cost (5,000 lamports each; a SOL is 1,000,000,000)`

interface AnchorArguments {
  readonly settings: boolean
  readonly network?: string | undefined
  readonly rpc?: string | undefined
  readonly every?: string | undefined
  readonly cap?: string | undefined
  readonly json: boolean
}

/** `elsewhere ledger anchor`: anchors now, or shows and changes how. Any setting that is named means the latter. */
export async function anchor(device: DeviceClient, values: AnchorArguments): Promise<number> {
  const { network, rpc, every, cap, settings, json } = values
  const isSetting = [network, rpc, every, cap].some((value) => value !== undefined)
  if (isSetting) {
    const { anchor: current } = await device.readSettings({})
    const changed = {
      ...current,
      ...(network !== undefined && { network: networkOf(network) }),
      ...(rpc !== undefined && { rpcUrl: rpc }),
      ...(every !== undefined && { everyHours: numberOf('--every', every) }),
      ...(cap !== undefined && { dailyLamports: numberOf('--cap', cap) }),
    }
    await device.writeSettings({ anchor: changed })
  }
  const state = isSetting || settings ? await device.readAnchor({ balance: true }) : await device.anchorLedger({})
  console.log(json ? JSON.stringify(state, undefined, 1) : describe(state))
  return 0
}

function networkOf(name: string): AnchorSettings['network'] {
  const networks = ['off', 'devnet', 'mainnet-beta', 'custom'] as const
  const found = networks.find((each) => each === name)
  if (found) return found
  throw new TypeError(`--network takes ${networks.join(', ')}`)
}

function numberOf(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new TypeError(`${option} takes a whole number`)
  return value
}

function describe(state: AnchorState): string {
  const { settings, last, lastError } = state
  const lines = [
    `Network    ${settings.network}${settings.rpcUrl === '' ? '' : ` at ${new URL(settings.rpcUrl).host}`}`,
    `Wallet     ${state.address}${balanceOf(state)}`,
    `Today      ${state.spentTodayLamports} of at most ${settings.dailyLamports} lamports`,
    `Anchored   ${last ? `${last.count} entries, ${state.uncovered} since` : `nothing yet; ${state.uncovered} entries`}`,
  ]
  if (last) lines.push(`Last       ${last.signature}, ${last.feeLamports} lamports, slot ${last.slot}`)
  if (state.isPending) lines.push('One more was sent; whether the network keeps it is not known yet')
  if (lastError) lines.push(`Last try   ${lastError.message} [${lastError.code}]`)
  return lines.join('\n')
}

function balanceOf({ balanceLamports, balanceError }: AnchorState): string {
  if (balanceError !== undefined) return ` (what it holds is not known: ${balanceError})`
  return balanceLamports === undefined ? '' : `, ${balanceLamports} lamports`
}
