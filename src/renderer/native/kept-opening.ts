import { errorCode } from '../../base/errors.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import type { DeviceClient } from '../desk/device-connection.ts'
import { type NativeHost, nativeHost } from './native-host.ts'

/** Where what the key store sealed lies: of use to nobody without that key store. */
const KEY = 'elsewhere.kept-opening'

/** `unsupported`: no native host. `unsafe`: its system has no key store that keeps secrets. */
export type KeyStore = 'unsupported' | 'unsafe' | 'ready'

export async function keyStoreHere(host: NativeHost | undefined = nativeHost): Promise<KeyStore> {
  if (!host) return 'unsupported'
  const { canSealSecrets } = await host.call('host:info', {})
  return canSealSecrets ? 'ready' : 'unsafe'
}

/** Does the key store of this computer open this device? */
export const keepsOpening = (): boolean => read() !== undefined

/** Puts a key that opens this device into the system's key store. @throws NativeCallError, RpcError  nothing is kept then */
export async function keepOpening(client: DeviceClient, host: NativeHost | undefined = nativeHost): Promise<void> {
  if (!host) return
  const { opener } = await client.keepOpener({})
  try {
    const { base64 } = await host.call('secret:seal', { base64: opener })
    localStorage.setItem(KEY, base64)
  } catch (error) {
    await forgetOpening(client)
    throw error
  }
}

export async function forgetOpening(client: DeviceClient): Promise<void> {
  localStorage.removeItem(KEY)
  await client.forgetOpener({})
}

/**
 * Opens a sealed device with what the key store keeps. Undefined: nothing is kept, or the person locked the device, which only
 * the passphrase opens. What opens nothing any more is dropped. @throws  the key store or the device refused
 */
export async function openKept(client: DeviceClient, host: NativeHost | undefined = nativeHost): Promise<DoorState | undefined> {
  const kept = read()
  if (!host || kept === undefined) return undefined
  try {
    const { base64: opener } = await host.call('secret:open', { base64: kept })
    return await client.openDevice({ opener })
  } catch (error) {
    const code = errorCode(error)
    if (code === 'vault/locked') return undefined
    if (code === 'vault/wrong-opener' || code === 'native/other-keystore') localStorage.removeItem(KEY)
    throw error
  }
}

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined
  } catch {
    return undefined // Storage is refused: then nothing was kept either.
  }
}
