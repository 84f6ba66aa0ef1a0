import { concatBytes, equalBytes } from '../base/bytes.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import { type DeviceId, publicKeyOf } from '../base/ids.ts'
import { OPERATION_LIST_FORMAT } from './authority/operation-list.ts'
import { startCpace, type CpaceRun } from './cpace.ts'
import { KEY_BYTES, type Crypto } from './crypto.ts'
import { isListFor } from './device-list.ts'
import { IdentityError, type IdentityErrorCode } from './identity-error.ts'
import { channelIdOf, commitmentOf, keysOf, otherRole, ownIntroduction, proofOf, sealContext, signedIntroduction } from './pairing-keys.ts'
import type { PairingInput, PairingKeys, PairingOutput, PairingRun, PairingSetup, PairingStep } from './pairing-run.ts'
import {
  ABORT_CODES,
  decodeIntroduction,
  decodePairingMessage,
  decodeSealedMessage,
  encodePairingMessage,
  encodeSealedMessage,
  NONCE_BYTES,
  PAIRING_VERSION,
  type AbortCode,
  type ContactOffer,
  type PairingGrant,
  type PairingMessage,
  type SealedMessage,
} from './pairing-wire.ts'
import { safetyWords } from './safety-words.ts'

/*
 * One run of pairing as a state machine: state and input in, state and outputs out. No timers, pipes or stores; the only
 * thing not determined by its input is the nonce of each sealed message. Two sides, `offer` (shows the code) and `join`:
 *
 *   join  > join-hello   version, nonce, commitment to its introduction
 *   offer > offer-hello  nonce, commitment, CPace share
 *   join  > join-proof   CPace share, proof of the key         (the one who types proves first: a wrong guess learns nothing)
 *   offer > offer-proof  proof, then sealed: introduction
 *   join  > sealed: introduction                                (both now show names and safety words, and ask)
 *   both  > sealed: answer
 *   offer > sealed: grant      after both said yes: device list with the new device, person, workspace keys
 *   join  > sealed: done       after it has taken them over
 *
 * Where two persons become contacts, what follows both answers is the same on both sides:
 *   both  > sealed: card       authority log and places to meet
 *   both  > sealed: done       after the other's was taken over
 */

/** The first step; draws all randomness of the run. */
export function startPairing(crypto: Crypto, setup: PairingSetup): PairingStep {
  const run: PairingRun = {
    phase: 'hello',
    guess: 'none',
    setup,
    nonce: crypto.bytes(NONCE_BYTES),
    blind: crypto.bytes(KEY_BYTES),
    cpaceRandom: crypto.bytes(KEY_BYTES),
    sent: 0,
    received: 0,
  }
  if (setup.role === 'offer') return { run, outputs: [] }
  const hello = {
    kind: 'join-hello',
    version: PAIRING_VERSION,
    nonce: run.nonce,
    commitment: commitmentOf(crypto, run.blind, ownIntroduction(run)),
  }
  return { run, outputs: [send(hello as PairingMessage)] }
}

/** One input. Never throws for what the other side sent: such a run is `failed`. */
export function stepPairing(crypto: Crypto, run: PairingRun, input: PairingInput): PairingStep {
  if (run.phase === 'done' || run.phase === 'failed') return { run, outputs: [] }
  try {
    switch (input.type) {
      case 'message':
        return handleMessage(crypto, run, decodePairingMessage(input.bytes))
      case 'answer':
        return run.phase === 'decide' && run.answer === undefined ? handleAnswer(crypto, run, input.accept) : { run, outputs: [] }
      case 'admitted':
        return run.phase === 'admitting'
          ? sealedStep(crypto, { ...run, phase: 'granting' }, { kind: 'grant', grant: input.grant })
          : { run, outputs: [] }
      case 'card':
        return isOpen(run, 'sent')
          ? sealedStep(crypto, exchanged(run, { sent: true }), { kind: 'card', offer: input.offer })
          : { run, outputs: [] }
      case 'adopted':
        if (run.phase === 'exchanging') return finishAcquainting(crypto, run)
        return run.phase === 'adopting' ? sealedStep(crypto, { ...run, phase: 'done' }, { kind: 'done' }) : { run, outputs: [] }
      case 'fail':
        return failed(run, input.code, input.message, input.tell)
    }
  } catch (error) {
    if (error instanceof IdentityError) return failed(attempted(run), codeOf(error), error.message, true)
    return failed(attempted(run), 'pairing/malformed', `pairing stopped: ${errorMessage(error)}`, true)
  }
}

function handleMessage(crypto: Crypto, run: PairingRun, message: PairingMessage): PairingStep {
  if (message.kind === 'abort') return handleAbort(run, message.code)
  switch (`${run.setup.role}/${run.phase}/${message.kind}`) {
    case 'offer/hello/join-hello':
      return answerHello(crypto, run, message as Extract<PairingMessage, { kind: 'join-hello' }>)
    case 'join/hello/offer-hello':
      return proveFirst(crypto, run, message as Extract<PairingMessage, { kind: 'offer-hello' }>)
    case 'offer/proof/join-proof':
      return proveBack(crypto, run, message as Extract<PairingMessage, { kind: 'join-proof' }>)
    case 'join/proof/offer-proof':
      return introduceBack(crypto, run, message as Extract<PairingMessage, { kind: 'offer-proof' }>)
  }
  if (message.kind === 'sealed' && run.keys) return handleSealed(crypto, run, run.keys, message.bytes)
  throw malformed('it came out of turn')
}

function answerHello(crypto: Crypto, run: PairingRun, hello: Extract<PairingMessage, { kind: 'join-hello' }>): PairingStep {
  if (hello.version !== PAIRING_VERSION) {
    const message = `the other device speaks pairing version ${hello.version}, this one ${PAIRING_VERSION}; update the older of the two`
    return failed(run, 'pairing/version', message, true)
  }
  const sessionId = concatBytes(run.nonce, hello.nonce)
  const cpace = startCpace(run.setup.secret, channelIdOf(run.setup), sessionId, run.cpaceRandom)
  const commitment = commitmentOf(crypto, run.blind, ownIntroduction(run))
  const outputs = [send({ kind: 'offer-hello', nonce: run.nonce, commitment, share: cpace.share })]
  return { run: { ...run, phase: 'proof', cpace, theirCommitment: hello.commitment }, outputs }
}

function proveFirst(crypto: Crypto, run: PairingRun, hello: Extract<PairingMessage, { kind: 'offer-hello' }>): PairingStep {
  const cpace = startCpace(run.setup.secret, channelIdOf(run.setup), concatBytes(hello.nonce, run.nonce), run.cpaceRandom)
  const next: PairingRun = { ...run, phase: 'proof', cpace, theirCommitment: hello.commitment }
  const keys = keysOf(crypto, next, cpace, hello.commitment, hello.share)
  const proof = proofOf(crypto, keys.own.proof, keys.transcript)
  return { run: { ...next, keys }, outputs: [send({ kind: 'join-proof', share: cpace.share, proof })] }
}

function proveBack(crypto: Crypto, run: PairingRun, message: Extract<PairingMessage, { kind: 'join-proof' }>): PairingStep {
  const keys = keysOf(crypto, run, run.cpace as CpaceRun, run.theirCommitment as Uint8Array, message.share)
  if (!crypto.equalSecrets(message.proof, proofOf(crypto, keys.theirs.proof, keys.transcript))) return wrongGuess(run)
  const proved: PairingRun = { ...run, phase: 'introduce', guess: 'right', keys }
  const proof = send({ kind: 'offer-proof', proof: proofOf(crypto, keys.own.proof, keys.transcript) })
  const introduced = introduce(crypto, proved, keys)
  return { run: introduced.run, outputs: [proof, ...introduced.outputs] }
}

function introduceBack(crypto: Crypto, run: PairingRun, message: Extract<PairingMessage, { kind: 'offer-proof' }>): PairingStep {
  const keys = run.keys as PairingKeys
  if (!crypto.equalSecrets(message.proof, proofOf(crypto, keys.theirs.proof, keys.transcript))) return wrongGuess(run)
  return introduce(crypto, { ...run, phase: 'introduce', guess: 'right' }, keys)
}

function introduce(crypto: Crypto, run: PairingRun, keys: PairingKeys): PairingStep {
  const introduction = ownIntroduction(run)
  const signature = run.setup.sign(signedIntroduction(keys.transcript, run.setup.role, introduction))
  return sealedStep(crypto, run, { kind: 'introduce', blind: run.blind, introduction, signature })
}

function handleSealed(crypto: Crypto, run: PairingRun, keys: PairingKeys, sealed: Uint8Array): PairingStep {
  const plain = crypto.decrypt(keys.theirs.seal, sealed, sealContext(otherRole(run.setup.role), run.received))
  if (!plain) throw malformed('it was not sealed for this place in this pairing')
  const message = decodeSealedMessage(plain)
  const next = { ...run, received: run.received + 1 }
  if (message.kind === 'introduce' && run.phase === 'introduce') return meet(crypto, next, keys, message)
  if (message.kind === 'answer' && run.phase === 'decide' && run.theirAnswer === undefined) {
    if (!message.accept) return failed(next, 'pairing/declined', 'the other device said no; nothing was shared', false)
    return decided({ ...next, theirAnswer: true })
  }
  if (message.kind === 'grant' && run.phase === 'granting' && run.setup.role === 'join') return takeGrant(crypto, next, message.grant)
  if (message.kind === 'card' && isOpen(run, 'heard')) return takeCard(crypto, next, keys, message.offer)
  if (message.kind === 'done' && run.exchanged?.sent && isOpen(run, 'theirs'))
    return { run: ended(exchanged(next, { theirs: true })), outputs: [] }
  if (message.kind === 'done' && run.phase === 'granting' && run.setup.role === 'offer')
    return { run: { ...next, phase: 'done' }, outputs: [] }
  throw malformed('it came out of turn')
}

function meet(crypto: Crypto, run: PairingRun, keys: PairingKeys, message: Extract<SealedMessage, { kind: 'introduce' }>): PairingStep {
  const committed = commitmentOf(crypto, message.blind, message.introduction)
  if (!equalBytes(committed, run.theirCommitment as Uint8Array)) throw malformed('it introduced itself as another than it had committed to')
  const peer = decodeIntroduction(message.introduction)
  const signed = signedIntroduction(keys.transcript, otherRole(run.setup.role), message.introduction)
  if (!crypto.verify(publicKeyOf(peer.device), signed, message.signature)) throw malformed('it does not hold the key it named')
  if (peer.device === run.setup.self.device) throw malformed('it is this very device')
  const { self, purpose = 'device' } = run.setup
  if ((purpose === 'contact') !== (peer.person !== undefined)) throw malformed('it wants another thing')
  if (peer.person !== undefined && peer.person === self.person) {
    const message = 'that is one of your own devices; a device of yours is paired under Devices, a contact is another person'
    return failed(run, 'pairing/refused', message, true)
  }
  // Of contacts the words stand for the two persons: they are the same with whichever device.
  const [theirs, ours] = peer.person && self.person ? [peer.person, self.person] : [peer.device, self.device]
  const words = safetyWords(crypto, [publicKeyOf(theirs as DeviceId), publicKeyOf(ours as DeviceId)])
  return { run: { ...run, phase: 'decide', peer, safetyWords: words }, outputs: [] }
}

function handleAnswer(crypto: Crypto, run: PairingRun, accept: boolean): PairingStep {
  const answered = sealedStep(crypto, { ...run, answer: accept }, { kind: 'answer', accept })
  const next = accept ? decided(answered.run) : failed(answered.run, 'pairing/declined', 'you said no; nothing was shared', false)
  return { run: next.run, outputs: [...answered.outputs, ...next.outputs] }
}

/** Both said yes: the offering device admits, the joining one waits for what it is given. */
function decided(run: PairingRun): PairingStep {
  if (!run.answer || !run.theirAnswer || !run.peer) return { run, outputs: [] }
  if (run.setup.purpose === 'contact') {
    const nothing = { sent: false, heard: false, taken: false, theirs: false }
    return { run: { ...run, phase: 'exchanging', exchanged: nothing }, outputs: [{ type: 'show-card' }] }
  }
  if (run.setup.role === 'join') return { run: { ...run, phase: 'granting' }, outputs: [] }
  return { run: { ...run, phase: 'admitting' }, outputs: [{ type: 'admit', peer: run.peer }] }
}

function takeGrant(crypto: Crypto, run: PairingRun, grant: PairingGrant): PairingStep {
  const { self } = run.setup
  if (!run.peer || !isListFor(crypto, grant.person, grant.deviceList, [self, run.peer])) {
    return failed(run, 'pairing/refused', 'the device list it sent does not name both devices as they are; nothing was taken over', true)
  }
  return { run: { ...run, phase: 'adopting' }, outputs: [{ type: 'adopt', grant }] }
}

/** The log must be that of the person who was shown, and name the device that speaks: nobody claims another's (rule ID152). */
function takeCard(crypto: Crypto, run: PairingRun, keys: PairingKeys, offer: ContactOffer): PairingStep {
  const { peer } = run
  if (!peer?.person || offer.log[0] !== OPERATION_LIST_FORMAT || !isListFor(crypto, peer.person, offer.log, [peer])) {
    return failed(run, 'pairing/refused', 'what it showed does not name it as a device of that person; nothing was taken over', true)
  }
  return { run: exchanged(run, { heard: true }), outputs: [{ type: 'acquaint', peer, offer, meeting: keys.meeting.slice() }] }
}

function finishAcquainting(crypto: Crypto, run: PairingRun): PairingStep {
  if (!run.exchanged?.heard || run.exchanged.taken) return { run, outputs: [] }
  const step = sealedStep(crypto, exchanged(run, { taken: true }), { kind: 'done' })
  return { run: ended(step.run), outputs: step.outputs }
}

const isOpen = ({ phase, exchanged }: PairingRun, what: 'sent' | 'heard' | 'theirs'): boolean =>
  phase === 'exchanging' && exchanged !== undefined && !exchanged[what]

const exchanged = (run: PairingRun, change: Partial<NonNullable<PairingRun['exchanged']>>): PairingRun => ({
  ...run,
  exchanged: { ...(run.exchanged as NonNullable<PairingRun['exchanged']>), ...change },
})

/** Both have what the other gave. */
const ended = (run: PairingRun): PairingRun =>
  run.exchanged?.sent && run.exchanged.taken && run.exchanged.theirs ? { ...run, phase: 'done' } : run

/** What the other side says ends the run. That it calls our proof wrong counts as a wrong guess on this side, too. */
function handleAbort(run: PairingRun, code: AbortCode): PairingStep {
  const guess = code === 'pairing/wrong-code' && run.guess === 'none' && run.phase === 'proof' ? 'wrong' : run.guess
  return failed({ ...run, guess }, code, ABORT_MESSAGES[code], false)
}

function wrongGuess(run: PairingRun): PairingStep {
  return failed({ ...run, guess: 'wrong' }, 'pairing/wrong-code', ABORT_MESSAGES['pairing/wrong-code'], true)
}

/** While the code is being proved, what no honest device sends is an attempt at it like any other. */
const attempted = (run: PairingRun): PairingRun => (run.phase === 'proof' ? { ...run, guess: 'wrong' } : run)

function failed(run: PairingRun, code: IdentityErrorCode, message: string, tell: boolean): PairingStep {
  const { keys: _keys, cpace: _cpace, ...rest } = run
  const told = ABORT_CODES.find((known) => known === code) ?? 'pairing/interrupted'
  return { run: { ...rest, phase: 'failed', error: { code, message } }, outputs: tell ? [send({ kind: 'abort', code: told })] : [] }
}

function sealedStep(crypto: Crypto, run: PairingRun, message: SealedMessage): PairingStep {
  const plain = encodeSealedMessage(message)
  const bytes = crypto.encrypt((run.keys as PairingKeys).own.seal, plain, sealContext(run.setup.role, run.sent))
  crypto.wipe(plain)
  return { run: { ...run, sent: run.sent + 1 }, outputs: [send({ kind: 'sealed', bytes })] }
}

const send = (message: PairingMessage): PairingOutput => ({ type: 'send', bytes: encodePairingMessage(message) })

const codeOf = (error: IdentityError): IdentityErrorCode => (errorCode(error) === 'pake/refused-point' ? 'pairing/wrong-code' : error.code)

const malformed = (why: string) =>
  new IdentityError('pairing/malformed', `the other side broke the rules of pairing (${why}); pairing stopped, start it again`)

const ABORT_MESSAGES: Readonly<Record<AbortCode, string>> = {
  'pairing/interrupted': 'the other device stopped pairing; start it again',
  'pairing/wrong-code': 'the code was wrong, or someone sits between the two devices; the code is used up, show a new one',
  'pairing/declined': 'the other device said no; nothing was shared',
  'pairing/cancelled': 'pairing was cancelled on the other device; nothing was shared',
  'pairing/timeout': 'the other device did not answer in time; start pairing again',
  'pairing/version': 'the two devices speak different versions of pairing; update the older one',
  'pairing/malformed': 'the other device could not read what this one sent; update the older one and start again',
  'pairing/refused': 'the other device refused what it was given; nothing was taken over',
  'pairing/too-many-tries': 'the other device takes no more pairings for now; wait ten minutes',
}
