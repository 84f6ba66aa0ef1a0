import { toBase58 } from '../base/base58.ts'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import type { PersonId } from '../base/ids.ts'
import { startPairing, stepPairing } from '../identity/pairing-machine.ts'
import type { PairingInput, PairingOutput, PairingRole, PairingRun } from '../identity/pairing-run.ts'
import type { PairingGrant, PairingIntroduction } from '../identity/pairing-wire.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'

/** Everything that decides one side of a run, and every message it sent. Hex. */
export interface RecordedSide {
  readonly signingSeed: string
  readonly boxSeed: string
  readonly name: string
  readonly fingerprint: string
  /** Nonce, blind and CPace randomness, in the order they are drawn. */
  readonly random: readonly string[]
  readonly sent: readonly string[]
}

export interface PairingRecording {
  readonly version: number
  readonly secret: string
  readonly offer: RecordedSide
  readonly join: RecordedSide
  /** What the joining side was given. */
  readonly grant: { readonly person: string; readonly personName: string; readonly deviceList: string; readonly datasetKeys: string }
}

/** Real cryptography whose drawn bytes are those of a recording. */
class RecordedCrypto extends SodiumCrypto {
  readonly #draws: string[]

  constructor(draws: readonly string[]) {
    super()
    this.#draws = [...draws]
  }

  override bytes(length: number): Uint8Array {
    const drawn = fromHex(this.#draws.shift() ?? '')
    if (drawn.length !== length) throw new RangeError('the recording drew something else here')
    return drawn
  }
}

/** One side of a recorded conversation, run anew. */
export class ReplayedSide {
  run: PairingRun
  readonly sent: string[] = []
  readonly adopted: PairingGrant[] = []
  readonly #crypto: RecordedCrypto
  readonly #grant: PairingGrant

  constructor(recording: PairingRecording, role: PairingRole) {
    const [own, other] = role === 'offer' ? [recording.offer, recording.join] : [recording.join, recording.offer]
    this.#crypto = new RecordedCrypto(own.random)
    this.#grant = grantOf(recording)
    const key = this.#crypto.signingKey(fromHex(own.signingSeed))
    const step = startPairing(this.#crypto, {
      role,
      secret: utf8(recording.secret),
      self: introductionOf(own),
      sign: (message) => key.sign(message),
      localFingerprint: fromHex(own.fingerprint),
      remoteFingerprint: fromHex(other.fingerprint),
    })
    this.run = step.run
    this.#take(step.outputs)
  }

  input(input: PairingInput): void {
    const step = stepPairing(this.#crypto, this.run, input)
    this.run = step.run
    this.#take(step.outputs)
  }

  #take(outputs: readonly PairingOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.sent.push(toHex(output.bytes))
      else if (output.type === 'admit') this.input({ type: 'admitted', grant: this.#grant })
      else if (output.type === 'adopt') {
        this.adopted.push(output.grant)
        this.input({ type: 'adopted' })
      }
    }
  }
}

export function introductionOf(side: RecordedSide): PairingIntroduction {
  const crypto = new SodiumCrypto()
  const device = toBase58(crypto.signingKey(fromHex(side.signingSeed)).publicKey) as PairingIntroduction['device']
  const { publicKey: boxKey } = crypto.boxKey(fromHex(side.boxSeed))
  return { device, boxKey, name: side.name, platform: 'linux', personName: `${side.name}'s person` }
}

const grantOf = ({ grant }: PairingRecording): PairingGrant => ({
  person: grant.person as PersonId,
  personName: grant.personName,
  deviceList: fromHex(grant.deviceList),
  datasetKeys: fromHex(grant.datasetKeys),
})
