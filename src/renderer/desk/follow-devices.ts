import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { sortedRows, useDevices } from './devices-store.ts'

/** Keeps `useDevices` equal to what the device knows of itself and its peers. Asks only when something changed. */
export function followDevices(client: DeviceClient): Disposable {
  const heard = new DisposableStore()
  const reached = new Set<string>()

  const take = (rows: readonly DeviceRow[]) => {
    if (heard.isDisposed) return
    useDevices.setState({ rows: sortedRows(rows) })
    for (const { deviceId, state } of rows) {
      const reachable = state === 'self' || state === 'linked'
      if (!reachable) reached.delete(deviceId)
      else if (!reached.has(deviceId)) {
        reached.add(deviceId)
        readTerminals(client, deviceId)
      }
    }
  }
  heard.add(client.onDidChangeDevices(take))
  heard.add(client.onDidChangeTerminal(takeTerminal))
  client.listDevices({}).then(take, () => {}) // the connection broke: the next one asks again
  return heard
}

function readTerminals(client: DeviceClient, device: string): void {
  client.listTerminals({ device }).then(
    (list) =>
      useDevices.setState(({ terminals }) => ({ terminals: { ...terminals, [device]: list.filter((terminal) => !terminal.exit) } })),
    () => useDevices.setState(({ terminals }) => ({ terminals: { ...terminals, [device]: [] } })), // went away while being asked
  )
}

function takeTerminal(info: TerminalInfo): void {
  useDevices.setState(({ terminals }) => {
    const others = (terminals[info.device] ?? []).filter(({ terminalId }) => terminalId !== info.terminalId)
    return { terminals: { ...terminals, [info.device]: info.exit ? others : [...others, info] } }
  })
}

/** Measures one device's load once. Called for devices that somebody looks at, never in the background. */
export async function measureLoad(client: DeviceClient, device: string, signal: AbortSignal): Promise<void> {
  const { load } = await client.listProcesses({ device }, { signal })
  useDevices.setState(({ loads }) => ({ loads: { ...loads, [device]: load } }))
}
