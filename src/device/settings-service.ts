import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { isLoopback } from '../base/loopback.ts'
import { deviceSettings, type DeviceSettings } from './desk/desk-contract.ts'
import { DeviceError } from './device-error.ts'

/** Where a device's own settings lie. Readable before the vault opens, so nothing secret is in them. */
export interface SettingsStore {
  /** What was written last, unparsed; undefined when there is nothing or it cannot be read. */
  read(): unknown
  /** All or nothing. */
  write(settings: DeviceSettings): void
}

/** Where a device's own rendezvous listens unless it is told otherwise. Unassigned at IANA; another is taken when it is busy. */
export const RENDEZVOUS_PORT = 8917

/** What a new device starts with: devices on one LAN find each other with nothing set up. */
export const defaultSettings = (deviceName: string): DeviceSettings => ({
  deviceName,
  rendezvousUrls: [],
  rendezvousPort: RENDEZVOUS_PORT,
  mdns: true,
  directFiles: true,
  iceServers: [],
  unattended: false,
  cacheLimit: { kind: 'first' },
  autoLockMinutes: 15,
  lockAfterSleep: false,
  anchor: { network: 'off', rpcUrl: '', everyHours: 24, dailyLamports: 50_000 },
})

/** The settings of this machine, parsed field by field: one damaged value falls back alone. */
export class SettingsService implements Disposable {
  readonly #store: SettingsStore
  readonly #changed = new Emitter<DeviceSettings>()
  #current: DeviceSettings

  readonly onDidChange = this.#changed.event

  constructor(store: SettingsStore, defaultName: string) {
    this.#store = store
    const settings: Record<string, unknown> = defaultSettings(defaultName)
    const stored = store.read()
    if (stored !== null && typeof stored === 'object') {
      for (const [name, value] of Object.entries(stored)) {
        const field = Object.hasOwn(deviceSettings.shape, name) && deviceSettings.shape[name as keyof DeviceSettings]
        const parsed = field ? field.safeParse(value) : undefined
        if (parsed?.success) settings[name] = parsed.data
      }
    }
    this.#current = deviceSettings.parse(settings)
  }

  get current(): DeviceSettings {
    return this.#current
  }

  /** @throws DeviceError `settings/invalid`  a URL that is none of ws, wss (rendezvous), stun, turn, turns (ICE) or https (anchors) */
  change(part: Partial<DeviceSettings>): DeviceSettings {
    for (const url of part.rendezvousUrls ?? []) requireScheme(url, ['ws:', 'wss:'])
    for (const url of part.iceServers ?? []) requireScheme(url, ['stun:', 'turn:', 'turns:'])
    if (part.anchor) requireServer(part.anchor)
    const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))
    const next = deviceSettings.parse({ ...this.#current, ...given })
    this.#store.write(next)
    this.#current = next
    this.#changed.fire(next)
    return next
  }

  dispose(): void {
    this.#changed.dispose()
  }
}

/** What a Solana server is told is nobody else's business: https, except on this very machine. */
function requireServer({ network, rpcUrl }: DeviceSettings['anchor']): void {
  if (rpcUrl === '' && network === 'custom') throw new DeviceError('settings/invalid', 'a network of your own needs the URL of its server')
  if (rpcUrl !== '') requireScheme(rpcUrl, isLoopback(rpcUrl) ? ['http:', 'https:'] : ['https:'])
}

function requireScheme(url: string, schemes: readonly string[]): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (!schemes.includes(scheme)) throw new DeviceError('settings/invalid', `"${url.slice(0, 80)}" must start with ${schemes.join(' or ')}`)
}
