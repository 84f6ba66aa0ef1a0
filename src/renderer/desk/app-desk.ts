import type { AttachedDocument } from './attached-document.ts'
import type { DeskSession } from './desk-session.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDoor } from './door-store.ts'

/*
 * What apps may use of the desk: the device's calls, unsaved texts, and (from desk-store, devices-store, open-app, toast)
 * the workspace, the devices, opening things and saying things.
 */
let session: DeskSession | undefined

/**
 * The desk of this page: made when it is first shown, and the same one afterwards. A device process that restarted under
 * an open desk asks for the passphrase again; what was changed meanwhile must still be there then.
 */
export function deskSession(make: () => DeskSession): DeskSession {
  session ??= make()
  return session
}

/** The device's calls (display-contract.ts) while connected; another object after each reconnect, so it belongs in effect dependencies. */
export const useClient = (): DeviceClient | undefined => useDoor((state) => state.client)

/** For handlers: the client as it is now. @throws Error  the device is not connected */
export function clientNow(): DeviceClient {
  const { client } = useDoor.getState()
  if (!client) throw new Error('the device is not answering; try again in a moment')
  return client
}

/** Opens `text/<buffer id>`; attached again by itself after a reconnect. Give it back with `closeText`. */
export function openText(name: string): Promise<AttachedDocument> {
  if (!session) throw new Error('the desk is not open yet')
  return session.openText(name)
}

export const closeText = (text: AttachedDocument): void => session?.closeText(text)
