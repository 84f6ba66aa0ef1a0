import type { PairingState } from '../sync/links-contract.ts'
import type { PairingRun } from './pairing-run.ts'

/** What a screen shows of a run once the other side has proved who it is: names, safety words, and whether one has answered. */
export function shownOf(run: PairingRun): Omit<PairingState, 'step'> {
  const { peer, setup, safetyWords } = run
  if (!peer || !safetyWords) return {}
  if (setup.purpose === 'contact') {
    const { personName } = peer
    return {
      role: setup.role,
      peerName: personName,
      ownName: setup.self.personName,
      personName,
      deviceName: peer.name,
      safetyWords: [...safetyWords],
      answered: run.answer !== undefined,
    }
  }
  const personName = setup.role === 'offer' ? setup.self.personName : peer.personName
  return {
    role: setup.role,
    peerName: peer.name,
    ownName: setup.self.name,
    personName,
    safetyWords: [...safetyWords],
    answered: run.answer !== undefined,
  }
}
