import * as Y from 'yjs'
import { WORKSPACE_DOC } from '../base/ids.ts'
import { CausalState } from '../sync/causal-state.ts'
import type { StartId } from '../sync/client-ids.ts'
import { Gate, type GateRule, type Verdict } from '../sync/gate.ts'
import { MemoryEnvelopeLog } from '../sync/memory-envelope-log.ts'
import { FakeDeviceCheck, fakeDevice, fakeEnvelopeSeal } from './fake-identity.ts'

/** A gate with a document and a log behind it; admits as a replica does, and nothing more. */
export class GateBench {
  readonly doc = new Y.Doc()
  readonly causal = new CausalState()
  readonly log = new MemoryEnvelopeLog()
  readonly check = new FakeDeviceCheck(['A', 'B', 'M'].map(fakeDevice))
  readonly paused = Object.assign(new Set<string>(), {
    settled: new Set<string>(),
    isSettled: (_device: string, start: string): boolean => this.paused.settled.has(start),
  })
  readonly gate: Gate

  constructor(without?: GateRule) {
    this.gate = new Gate({
      docId: WORKSPACE_DOC,
      doc: this.doc,
      causal: this.causal,
      log: this.log,
      check: this.check,
      paused: this.paused,
      seal: fakeEnvelopeSeal,
      own: { device: fakeDevice('A'), start: 'aaaaaaaaaaaaaaaa' as StartId },
      ...(without ? { without } : {}),
    })
  }

  /** Examines, and on a pass: log, frontier, document. */
  admit(bytes: Uint8Array): Verdict {
    const verdict = this.gate.examine(bytes)
    if (verdict.kind === 'pass') {
      this.log.append(WORKSPACE_DOC, verdict.envelope, bytes, 0)
      this.causal.advance(verdict.envelope, verdict.hash)
      Y.applyUpdate(this.doc, verdict.update)
    }
    return verdict
  }

  /** The verdict in one word: its code when refused, else its kind. */
  judge(bytes: Uint8Array): string {
    const verdict = this.admit(bytes)
    return verdict.kind === 'refused' ? verdict.code : verdict.kind
  }

  get hasPending(): boolean {
    return this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null
  }
}
