import type * as Y from 'yjs'
import { equalBytes } from '../base/bytes.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import type { CausalState } from './causal-state.ts'
import { clientIdOf, type StartId } from './client-ids.ts'
import type { CopyFound } from './copy-found.ts'
import type { DeviceCheck } from './device-check.ts'
import { standingOf } from './standing.ts'
import { decodeEnvelope, hashEnvelope, isSigned, refKeyOf, sealContextOf, type Envelope, type EnvelopeRef } from './envelope.ts'
import type { EnvelopeLog } from './envelope-log.ts'
import type { EnvelopeSeal } from './envelope-seal.ts'
import type { PausedDevices } from './paused-devices.ts'
import { StartOrder } from './start-order.ts'
import type { SyncErrorCode } from './sync-error.ts'
import { findViolation, UPDATE_RULES, type UpdateRule } from './update-check.ts'
import { voidUpdate } from './void-update.ts'

/** Rules of the gate, one name each, so that a test can leave one out. */
export const GATE_RULES = [...UPDATE_RULES, 'doc', 'member', 'signature', 'copy', 'chain', 'deps'] as const
export type GateRule = (typeof GATE_RULES)[number]

export type Verdict =
  | { readonly kind: 'pass'; readonly envelope: Envelope; readonly hash: Uint8Array; readonly update: Uint8Array }
  | { readonly kind: 'known'; readonly envelope: Envelope }
  | { readonly kind: 'wait'; readonly envelope: Envelope; readonly needs: EnvelopeRef }
  | { readonly kind: 'copied'; readonly found: CopyFound }
  /** `isForged`: no honest device could have passed this on; the link that brought it is closed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly isForged: boolean; readonly envelope?: Envelope }

export interface GateOptions {
  readonly docId: DocId
  readonly doc: Y.Doc
  readonly causal: CausalState
  readonly log: EnvelopeLog
  readonly check: DeviceCheck
  readonly seal: EnvelopeSeal
  readonly paused: Pick<PausedDevices, 'has' | 'isSettled'>
  /** This device and start: an envelope of theirs that we did not make comes from a copy of us. */
  readonly own: { readonly device: DeviceId; readonly start: StartId }
  /** A rule to leave out; tests only. */
  readonly without?: GateRule
}

/**
 * Decides whether an envelope may enter the log and the document (rules SY20-SY33). Changes nothing itself: the replica
 * acts on the verdict.
 *
 * Cheap checks first; nothing is believed before the signature. What it lets through can be applied by any Yjs without a
 * throw, without leaving anything pending, and touches only client ids its author was given.
 */
export class Gate {
  readonly #options: GateOptions
  /** Client ids by "device/start/n"; recomputing them would hash once per envelope. */
  readonly #ids = new Map<string, number>()
  readonly #starts: StartOrder

  constructor(options: GateOptions) {
    this.#options = options
    this.#starts = new StartOrder((device, start) => options.paused.isSettled(device, start))
  }

  examine(bytes: Uint8Array): Verdict {
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(bytes)
    } catch (error) {
      return { kind: 'refused', code: errorCode(error), message: errorMessage(error), isForged: errorCode(error) !== 'sync/version' }
    }
    const { docId, check, causal, own } = this.#options
    if (this.#holds('doc') && envelope.doc !== docId) return refuse('sync/wrong-doc', `it is of document ${envelope.doc}`, envelope, true)
    if (this.#holds('copy') && causal.frontier.covers(envelope)) return this.#known(envelope, bytes)
    if (this.#options.paused.has(envelope.device)) {
      return refuse('sync/paused', 'a copy of its data folder was found; say on that device which copy is the right one', envelope, false)
    }
    const standing = this.#holds('member') ? standingOf(check, docId, envelope) : 'counts'
    if (standing === 'none') {
      return refuse('sync/not-a-member', 'its device is not on the device list here', envelope, false)
    }
    if (this.#holds('signature') && !this.#isSigned(envelope, bytes)) {
      return refuse('sync/bad-signature', 'its device did not sign these bytes', envelope, true)
    }
    if (this.#holds('copy') && envelope.device === own.device && envelope.start === own.start) {
      return { kind: 'copied', found: { doc: docId, ...refOf(envelope), first: undefined, second: bytes } }
    }
    const twin = this.#holds('copy') ? this.#starts.twinOf(envelope) : undefined
    if (twin)
      return { kind: 'copied', found: { doc: docId, ...refOf(envelope), first: this.#options.log.find(docId, twin), second: bytes } }
    const needs = this.#holds('deps') ? this.#missing(envelope) : undefined
    if (needs) return { kind: 'wait', envelope, needs }
    if (this.#holds('chain') && !equalBytes(envelope.prevHash, causal.lastHashOf(envelope))) {
      return refuse('sync/broken-chain', 'it does not continue the envelope before it', envelope, false)
    }
    return this.#content(envelope, bytes, standing === 'void')
  }

  /**
   * Do these two prove that a data folder was copied: one name, both signed, not the same bytes?
   * An empty `first` stands for the envelope that we hold ourselves.
   */
  examineProof(first: Uint8Array, second: Uint8Array): CopyFound | undefined {
    const verdict = this.examine(second)
    if (verdict.kind === 'copied') return verdict.found
    if (first.length === 0 || equalBytes(first, second)) return undefined
    try {
      const [a, b] = [decodeEnvelope(first), decodeEnvelope(second)]
      if ([a, b].every(({ device, start }) => this.#options.paused.isSettled(device, start))) return undefined
      const isOurDoc = a.doc === b.doc && a.doc === this.#options.docId
      const isTwice = refKeyOf(a) === refKeyOf(b) || (buildsOn(a, b) && buildsOn(b, a))
      const isProof = isOurDoc && isTwice && this.#options.check.isMember(a.device) && this.#isSigned(a, first) && this.#isSigned(b, second)
      return isProof ? { doc: a.doc, ...refOf(a), first, second } : undefined
    } catch {
      return undefined // bytes that cannot be read prove nothing
    }
  }

  /** An envelope was admitted, or made here. Answers a copy that only now shows. */
  note(envelope: Envelope, bytes: Uint8Array): CopyFound | undefined {
    const twin = this.#starts.note(envelope)
    const { log, docId } = this.#options
    return twin && { doc: docId, ...refOf(envelope), first: log.find(docId, twin), second: bytes }
  }

  #content(envelope: Envelope, bytes: Uint8Array, isVoid: boolean): Verdict {
    let update: Uint8Array
    try {
      const plain = this.#options.seal.open(envelope.epoch, envelope.update, sealContextOf(envelope))
      // with a buffer of its own: Yjs trusts lengths, and must not see beyond it
      update = plain.byteLength === plain.buffer.byteLength ? plain : new Uint8Array(plain)
    } catch (error) {
      return refuse('sync/no-epoch-key', `it cannot be unsealed here (${errorMessage(error)})`, envelope, false)
    }
    if (isVoid) {
      try {
        update = voidUpdate(update)
      } catch (error) {
        return refuse('sync/malformed', `it is no Yjs update (${errorMessage(error)})`, envelope, false)
      }
    }
    const clients = new Set(envelope.clients.map((name) => this.#clientId(envelope.device, name.start, name.n)))
    const found = findViolation(this.#options.doc, update, {
      mayWrite: (clientId) => clients.has(clientId),
      without: this.#options.without as UpdateRule | undefined,
    })
    if (found) return refuse(found.code, found.message, envelope, false)
    return { kind: 'pass', envelope, hash: hashEnvelope(bytes), update }
  }

  /** Same bytes: a duplicate. Other bytes under the same name and a valid signature: a copied folder. */
  #known(envelope: Envelope, bytes: Uint8Array): Verdict {
    const { causal, log, docId, check, paused } = this.#options
    if (paused.isSettled(envelope.device, envelope.start)) return { kind: 'known', envelope }
    const isLast = causal.frontier.seqOf(envelope) === envelope.seq
    if (isLast && equalBytes(hashEnvelope(bytes), causal.lastHashOf(envelope))) return { kind: 'known', envelope }
    const held = log.find(docId, envelope)
    if ((!held && !isLast) || (held && equalBytes(held, bytes))) return { kind: 'known', envelope }
    if (!check.isMember(envelope.device)) return refuse('sync/not-a-member', 'its device is not on the device list here', envelope, false)
    if (!this.#isSigned(envelope, bytes)) return refuse('sync/bad-signature', 'its device did not sign these bytes', envelope, true)
    return { kind: 'copied', found: { doc: docId, ...refOf(envelope), first: held, second: bytes } }
  }

  #isSigned(envelope: Envelope, bytes: Uint8Array): boolean {
    return isSigned(this.#options.check, envelope, bytes)
  }

  #missing(envelope: Envelope): EnvelopeRef | undefined {
    const { frontier } = this.#options.causal
    if (frontier.seqOf(envelope) < envelope.seq - 1) return { device: envelope.device, start: envelope.start, seq: envelope.seq - 1 }
    return envelope.deps.find((dep) => !frontier.covers(dep))
  }

  #clientId(device: DeviceId, start: StartId, n: number): number {
    const key = `${device}/${start}/${n}`
    let id = this.#ids.get(key)
    if (id === undefined) {
      // bounded: a member could name new ids for ever
      if (this.#ids.size > 10_000) this.#ids.clear()
      this.#ids.set(key, (id = clientIdOf(device, { start, n })))
    }
    return id
  }

  #holds(rule: GateRule): boolean {
    return rule !== this.#options.without
  }
}

/** Does `a` name an envelope of the start of `b`, of the same device but another start? */
const buildsOn = (a: Envelope, b: Envelope): boolean =>
  a.device === b.device && a.start !== b.start && a.deps.some((dep) => dep.device === b.device && dep.start === b.start)

const refOf = ({ device, start, seq }: EnvelopeRef): EnvelopeRef => ({ device, start, seq })

function refuse(code: SyncErrorCode, why: string, envelope: Envelope, isForged: boolean): Verdict {
  const message = `envelope ${envelope.seq} of device ${envelope.device} for document ${envelope.doc} was refused: ${why}`
  return { kind: 'refused', code, message, isForged, envelope }
}
