import { create } from 'zustand'
import type { Disposable } from '../../base/disposable.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import type { DeviceClient, DeviceConnection } from './device-connection.ts'
import { displayName } from './display-name.ts'

/** What is known of the device and its door. `client` is there while connected; each connection has its own. */
export interface DoorSlice {
  readonly link: 'connecting' | 'open' | 'away'
  readonly awaySinceMs: number | undefined
  readonly client: DeviceClient | undefined
  /** As last heard; kept while the device is away. */
  readonly door: DoorState | undefined
}

export const useDoor = create<DoorSlice>(() => ({ link: 'connecting', awaySinceMs: undefined, client: undefined, door: undefined }))

const NAME_KEY = 'elsewhere.device-name'
const remembered = (): string | undefined => {
  try {
    return localStorage.getItem(NAME_KEY) ?? undefined
  } catch {
    return undefined // Storage is refused: the display is named after its browser alone.
  }
}

/** Keeps `useDoor` equal to what the device says. One per page. */
export function followDoor(connection: DeviceConnection): Disposable {
  const read = () => {
    const state = connection.state
    if (state.kind !== 'open') {
      useDoor.setState({ link: state.kind, client: undefined, awaySinceMs: state.kind === 'away' ? state.sinceMs : undefined })
      return
    }
    const { client } = state
    client.onDidChangeDoor(setDoor)
    const name = displayName(navigator.userAgent, remembered())
    client.hello({ displayName: name }).then(
      (door) => {
        // On a first visit only the answer says which machine this is.
        const fullName = displayName(navigator.userAgent, door.deviceName)
        if (fullName !== name) client.hello({ displayName: fullName }).catch(() => client.dispose())
        if (connection.state !== state) return
        // Together: a new connection beside the door as it was before would look unlocked.
        useDoor.setState({ link: 'open', client, awaySinceMs: undefined, door })
        rememberName(door.deviceName)
      },
      () => client.dispose(), // the connection tries again by itself
    )
  }
  const subscription = connection.onDidChange(read)
  connection.connect()
  return subscription
}

/** Takes in an answer of the door. */
export function setDoor(door: DoorState): void {
  useDoor.setState({ door })
  rememberName(door.deviceName)
}

function rememberName(deviceName: string): void {
  try {
    localStorage.setItem(NAME_KEY, deviceName)
  } catch {
    return // Storage is refused: only the display's name loses its second half.
  }
}
