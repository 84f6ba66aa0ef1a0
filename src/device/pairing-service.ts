import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { PairingState } from '../sync/links-contract.ts'
import { DeviceError } from './device-error.ts'

/** One pairing of this device at a time, as its displays and the command line see it. */
export class PairingService implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<PairingState>())
  #state: PairingState = { step: 'idle' }

  readonly onDidChange = this.#changed.event

  get state(): PairingState {
    return this.#state
  }

  offer(): PairingState {
    throw noMeetingPlace()
  }

  join(_code: string, _rendezvousUrl: string | undefined): PairingState {
    throw noMeetingPlace()
  }

  confirm(_accept: boolean): PairingState {
    return this.#state
  }

  cancel(): PairingState {
    return this.#state
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

const noMeetingPlace = () => new DeviceError('device/away', 'no rendezvous is set and mDNS is off; set one in Settings, then try again')
